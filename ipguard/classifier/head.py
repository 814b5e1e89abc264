"""The trained head as arrays: boosted trees a category, a linear model for unlisted works, an aggregate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ipguard.classifier.masks import LeafMasks

Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

MIN_PROBABILITY = 1e-4
"""Probabilities are kept this far from 0 and 1 before a logit is taken."""


def sigmoid(logit: Float | float) -> Float:
    """Return ``1 / (1 + exp(-logit))`` without overflow."""
    out: Float = 0.5 * (1 + np.tanh(0.5 * np.asarray(logit, dtype=np.float64)))
    return out


def logit(probability: Float | float) -> Float:
    """Return log-odds of probabilities, kept away from 0 and 1."""
    p = np.clip(np.asarray(probability, dtype=np.float64), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    out: Float = np.log(p / (1 - p))
    return out


@dataclass(frozen=True)
class Trees:
    """An ensemble of binary trees, laid out as one row a tree.

    Attributes
    ----------
    feature, left, right
        int32 ``(trees, nodes)``; a leaf points to itself.
    threshold, value
        float64 ``(trees, nodes)``; a row goes left where its feature is at most the threshold.
    baseline
        Log-odds before the first tree.
    depth
        Steps from a root to the deepest leaf.
    """

    feature: npt.NDArray[np.int32]
    threshold: Float
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: Float
    baseline: float
    depth: int

    def decision(self, rows: Rows) -> Float:
        """Return log-odds.

        Parameters
        ----------
        rows
            float32 ``(n, features)``.

        Returns
        -------
        numpy.ndarray
            float64 ``(n,)``.
        """
        out: Float = self.baseline + self._masks.sums(rows)
        return out

    @cached_property
    def _masks(self) -> LeafMasks:
        return LeafMasks(self.feature, self.threshold, self.left, self.right, self.value, self.depth)

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays under names that begin with a prefix."""
        shape = np.array([self.baseline, self.depth], dtype=np.float64)
        arrays = {n: getattr(self, n) for n in ("feature", "threshold", "left", "right", "value")}
        return {f"{prefix}.{name}": array for name, array in {**arrays, "shape": shape}.items()}

    @classmethod
    def from_arrays(cls, prefix: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Trees:
        """Rebuild from :meth:`to_arrays`."""
        shape = arrays[f"{prefix}.shape"].astype(np.float64)
        return cls(
            feature=arrays[f"{prefix}.feature"].astype(np.int32),
            threshold=arrays[f"{prefix}.threshold"].astype(np.float64),
            left=arrays[f"{prefix}.left"].astype(np.int32),
            right=arrays[f"{prefix}.right"].astype(np.int32),
            value=arrays[f"{prefix}.value"].astype(np.float64),
            baseline=float(shape[0]),
            depth=int(shape[1]),
        )


@dataclass(frozen=True)
class Linear:
    """A logistic model: ``intercept + rows @ weights``."""

    weights: Float
    intercept: float

    def decision(self, rows: Rows) -> Float:
        """Return log-odds, float64 ``(n,)``."""
        out: Float = rows.astype(np.float64) @ self.weights + self.intercept
        return out


@dataclass(frozen=True)
class Aggregate:
    """Log-odds of a prompt: ``intercept + named * logit(noisy-or) + unlisted * log-odds of an unlisted work``.

    Both weights are at least 0, so that the risk of a prompt is at least that of each candidate.
    """

    named: float
    unlisted: float
    intercept: float

    def decision(self, probability: Float | float, unlisted: Float | float) -> Float:
        """Return log-odds.

        Parameters
        ----------
        probability
            Of any candidate, or of one.
        unlisted
            Log-odds of an unlisted work.

        Returns
        -------
        numpy.ndarray
            float64, broadcast over both.
        """
        return self.intercept + self.named * logit(probability) + self.unlisted * np.asarray(unlisted, dtype=np.float64)


@dataclass(frozen=True)
class Head:
    """Everything that turns features into risks.

    Attributes
    ----------
    franchise, style
        Trees over the features of a candidate.
    unlisted
        Linear model over the features of a prompt.
    risk, style_risk
        Calibrated aggregates.
    prior
        Share of prompts at risk for which the aggregates are calibrated.
    """

    franchise: Trees
    style: Trees
    unlisted: Linear
    risk: Aggregate
    style_risk: Aggregate
    prior: float

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return all arrays by name."""
        aggregates = np.array([[a.named, a.unlisted, a.intercept] for a in (self.risk, self.style_risk)])
        return {
            **self.franchise.to_arrays("franchise"),
            **self.style.to_arrays("style"),
            "unlisted.weights": self.unlisted.weights,
            "unlisted.intercept": np.array([self.unlisted.intercept]),
            "aggregates": aggregates,
            "prior": np.array([self.prior]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Head:
        """Rebuild from :meth:`to_arrays`."""
        aggregates = arrays["aggregates"].astype(np.float64)
        return cls(
            franchise=Trees.from_arrays("franchise", arrays),
            style=Trees.from_arrays("style", arrays),
            unlisted=Linear(
                arrays["unlisted.weights"].astype(np.float64),
                float(arrays["unlisted.intercept"].astype(np.float64)[0]),
            ),
            risk=Aggregate(*map(float, aggregates[0])),
            style_risk=Aggregate(*map(float, aggregates[1])),
            prior=float(arrays["prior"].astype(np.float64)[0]),
        )


def combine(probabilities: Float, named: npt.NDArray[np.bool_]) -> float:
    """Return the chance that at least one candidate holds.

    Names are independent evidence. Descriptions are not: they compare one text with the whole catalogue, so
    only the best of the candidates that nothing names counts.

    Parameters
    ----------
    probabilities
        float64 ``(n,)``; empty gives 0.
    named
        bool ``(n,)``: whether a name speaks for the candidate.

    Returns
    -------
    float
        In [0, 1], at least the largest of them.
    """
    missed, described = 1.0, 0.0
    # A handful: a loop is quicker than arrays.
    for probability, is_named in zip(probabilities.tolist(), named.tolist(), strict=True):
        if is_named:
            missed *= 1 - probability
        else:
            described = max(described, probability)
    return 1 - missed * (1 - described)
