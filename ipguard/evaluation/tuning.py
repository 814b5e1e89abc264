"""Thresholds for a stated share of false positives or a stated precision, with what the prompts can support."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.errors import DataError, InvalidArgumentError
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import Figure, wilson
from ipguard.text.keys import text_key

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
RULE_OF_THREE = 3
"""Where no event is seen among n rows, its share is below 3/n with 95 % certainty: a share needs 3/share rows."""


@dataclass(frozen=True)
class Threshold:
    """A threshold, and what it does on the prompts that it was chosen on.

    Attributes
    ----------
    value
        Risk from which a prompt is flagged.
    false_positives
        Share of the clean prompts that are flagged.
    recall
        Share of the prompts labelled yes that are flagged, or None without any.
    precision
        Share of yes among the flagged, or None where none is flagged.
    """

    value: float
    false_positives: Figure
    recall: Figure | None
    precision: Figure | None

    def __str__(self) -> str:
        """Return the figures in one line."""
        clean, recall, precision = self.false_positives, self.recall, self.precision
        parts = [("of clean prompts flagged", clean), ("recall", recall), ("precision", precision)]
        return "; ".join(f"{figure} {name}" for name, figure in parts if figure is not None)


def distinct(examples: Sequence[Example]) -> list[Example]:
    """Return the prompts labelled yes, no or brand, each text once.

    A prompt that asks for a style only is neither clean nor guilty, and chooses no threshold.

    Parameters
    ----------
    examples
        Labelled prompts.

    Returns
    -------
    list of Example
        In order.
    """
    judged = {text_key(e.text): e for e in reversed(examples) if e.label in ("yes", "no", "brand")}
    return list(reversed(judged.values()))


def needed(share: float) -> int:
    """Return how many rows a share needs to be told from 0."""
    return math.ceil(RULE_OF_THREE / share - 1e-9)


def _describe(value: float, truth: Bool, risk: Float) -> Threshold:
    flagged = risk >= value
    hits, clean, asked = int((flagged & truth).sum()), int((~truth).sum()), int(truth.sum())
    return Threshold(
        value,
        wilson(int((flagged & ~truth).sum()), clean),
        wilson(hits, asked) if asked else None,
        wilson(hits, int(flagged.sum())) if flagged.any() else None,
    )


def _check_share(name: str, share: float) -> None:
    if not 0 < share < 1:
        raise InvalidArgumentError(name, "lie between 0 and 1", share)


def for_false_positives(truth: Bool, risk: Float, share: float, *, name: str = "fpr") -> Threshold:
    """Return the lowest threshold that flags no more than a share of the clean prompts.

    Parameters
    ----------
    truth
        bool ``(n,)``: labelled yes.
    risk
        float64 ``(n,)``.
    share
        Allowed share in (0, 1).
    name
        Of the argument, for errors.

    Returns
    -------
    Threshold
        With its figures.

    Raises
    ------
    InvalidArgumentError
        If the share is out of range.
    DataError
        If there are too few clean prompts to tell such a share from 0; says how many are missing.
    """
    _check_share(name, share)
    clean = np.sort(risk[~truth])[::-1]
    if len(clean) < needed(share):
        raise DataError(
            f"{name} {share:g} needs at least {needed(share)} different prompts labelled no or brand; there are "
            f"{len(clean)}: {needed(share) - len(clean)} are missing."
        )
    below = float(clean[math.floor(share * len(clean) + 1e-9)])
    return _describe(_between(below, risk), truth, risk)


def _between(below: float, risk: Float) -> float:
    """The shortest decimal above one risk and not above the next: a threshold that a person can read in a file."""
    higher = risk[risk > below]
    top = float(higher.min()) if len(higher) else 1.0
    if below >= top:
        raise DataError(f"No threshold of at most 1 lies above a risk of {below:g}.")
    for digits in range(2, 17):
        value: float = round((math.floor(below * 10**digits) + 1) / 10**digits, digits)
        if below < value <= top:
            return value
    return top


def for_precision(truth: Bool, risk: Float, precision: float) -> Threshold:
    """Return the lowest threshold from which a share of the flagged prompts is labelled yes.

    The precision is that of a stream with as many guilty prompts among the clean ones as here.

    Parameters
    ----------
    truth
        bool ``(n,)``: labelled yes.
    risk
        float64 ``(n,)``.
    precision
        Wanted share in (0, 1).

    Returns
    -------
    Threshold
        With its figures.

    Raises
    ------
    InvalidArgumentError
        If the precision is out of range.
    DataError
        If no threshold reaches it, or too few prompts lie above the one that does.
    """
    _check_share("precision", precision)
    if truth.all() or not truth.any():
        raise DataError(f"precision needs prompts labelled yes and prompts labelled no; {int(truth.sum())} are yes.")
    order = np.argsort(-risk, kind="stable")
    # The last of equal risks stands for all of them: a threshold cannot part them.
    last = np.append(np.diff(risk[order]) < 0, True)
    share = (np.cumsum(truth[order]) / np.arange(1, len(order) + 1))[last]
    flagged = np.flatnonzero(last) + 1
    reached = np.flatnonzero(share >= precision)
    if not len(reached):
        raise DataError(f"No threshold reaches precision {precision:g}; the best is {share.max():.3f}.")
    count, least = int(flagged[reached[-1]]), needed(1 - precision)
    if count < least:
        raise DataError(
            f"precision {precision:g} needs at least {least} prompts above the threshold; there are {count}: "
            f"{least - count} are missing."
        )
    lower = risk[order[count:]]
    return _describe(_between(float(lower[0]), risk) if len(lower) else 0.0, truth, risk)


def choose(
    truth: Bool, risk: Float, *, precision: float | None, fpr: float | None, block_fpr: float | None
) -> tuple[Threshold, Threshold | None]:
    """Choose a review threshold, and a block threshold if a share is given for it.

    Parameters
    ----------
    truth, risk
        bool and float64 ``(n,)``.
    precision, fpr
        One of them, for the review threshold.
    block_fpr
        Share of the clean prompts that may be blocked, or None.

    Returns
    -------
    tuple
        Review and block threshold.

    Raises
    ------
    InvalidArgumentError
        If neither or both of precision and fpr are given, or a share is out of range.
    DataError
        If there are too few prompts for a share, or the block threshold would lie below the one of review.
    """
    if precision is not None and fpr is None:
        review = for_precision(truth, risk, precision)
    elif fpr is not None and precision is None:
        review = for_false_positives(truth, risk, fpr)
    else:
        raise InvalidArgumentError("precision", "be given or fpr, and not both", (precision, fpr))
    block = None if block_fpr is None else for_false_positives(truth, risk, block_fpr, name="block-fpr")
    if block is not None and block.value < review.value:
        raise DataError(
            f"block-fpr {block_fpr:g} gives a block threshold ({block.value:g}) below the review threshold "
            f"({review.value:g}); ask for a smaller share."
        )
    return review, block
