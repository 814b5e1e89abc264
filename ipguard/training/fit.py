"""Fitting the head with scikit-learn and writing it as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ipguard.classifier.head import Aggregate, Head, Linear, Trees, logit, sigmoid
from ipguard.errors import DataError, MissingExtraError
from ipguard.evidence.features import FEATURES
from ipguard.training.examples import NEGATIVE, POSITIVE, UNKNOWN, Table
from ipguard.training.synth import GENERATED

try:
    from scipy.optimize import minimize
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
except ImportError as error:  # pragma: no cover - the bare install's test covers it
    feature = "training"
    raise MissingExtraError(feature, "train") from error

Float = npt.NDArray[np.float64]
STYLE_WEIGHT = 0.15
"""Weight of a prompt that asks for a style only, as a negative of the franchise category.

Such prompts name works as the guilty ones do; at full weight they teach the head to doubt every name in a list
of modifiers, at the cost of 10 points of recall among clean prompts. Their own category tells them apart.
"""
REAL_WEIGHT = 3.0
"""Weight of a real prompt beside one of our own writing: real ones show what is common."""
MIN_REAL = 500
PRIOR = 0.10
"""Share of prompts at risk for which a bundle is calibrated: ordinary users' prompts hold 6 to 22 %."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a fit.

    Attributes
    ----------
    trees, leaves, rate, min_leaf, l2
        Of the boosting.
    strength
        Inverse regularisation of the linear model.
    inner_folds
        Folds of the cross-fit that the aggregates are calibrated on.
    seed
        Of everything random.
    """

    trees: int = 200
    leaves: int = 16
    rate: float = 0.06
    min_leaf: int = 12
    l2: float = 2.0
    strength: float = 0.05
    inner_folds: int = 3
    seed: int = 0


def _boosting(recipe: Recipe) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=recipe.trees,
        max_leaf_nodes=recipe.leaves,
        max_depth=5,
        learning_rate=recipe.rate,
        min_samples_leaf=recipe.min_leaf,
        l2_regularization=recipe.l2,
        monotonic_cst=[column.monotone for column in FEATURES],
        early_stopping=False,
        random_state=recipe.seed,
    )


def export_trees(model: HistGradientBoostingClassifier) -> Trees:
    """Copy a fitted binary boosting model to arrays.

    Parameters
    ----------
    model
        Fitted; without categorical features.

    Returns
    -------
    Trees
        With the same decision function, up to the order of a float sum.
    """
    # scikit-learn has no public export; a test compares the copy with decision_function.
    trees: list[Any] = [stage[0].nodes for stage in model._predictors]  # noqa: SLF001
    width = max(len(nodes) for nodes in trees)
    shape = (len(trees), width)
    feature, left = np.zeros(shape, np.int32), np.tile(np.arange(width, dtype=np.int32), (len(trees), 1))
    right, threshold, value = left.copy(), np.zeros(shape), np.zeros(shape)
    depth = 1
    for at, nodes in enumerate(trees):
        inner = ~nodes["is_leaf"].astype(bool)
        count = len(nodes)
        value[at, :count] = np.where(inner, 0, nodes["value"])
        feature[at, :count] = np.where(inner, nodes["feature_idx"], 0)
        threshold[at, :count] = np.where(inner, nodes["num_threshold"], 0)
        left[at, :count] = np.where(inner, nodes["left"], left[at, :count])
        right[at, :count] = np.where(inner, nodes["right"], right[at, :count])
        depth = max(depth, int(nodes["depth"].max()))
    baseline = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001
    return Trees(feature, threshold, left, right, value, baseline, depth)


def _fit_trees(table: Table, target: npt.NDArray[np.int8], weight: Float, recipe: Recipe) -> Trees:
    known = target != UNKNOWN
    positive = target[known] == POSITIVE
    if not positive.any() or positive.all():
        return _constant(bool(positive.any()))
    model = _boosting(recipe)
    if target is table.franchise:
        weight = weight * np.where(table.labelled("style"), STYLE_WEIGHT, 1.0)
    model.fit(table.candidates[known], target[known], sample_weight=weight[table.owner[known]])
    return export_trees(model)


def _constant(positive: bool) -> Trees:
    """What a fold without both classes can say: that the one it saw is likely."""
    leaf = np.zeros((1, 1), np.int32)
    return Trees(leaf, np.zeros((1, 1)), leaf, leaf, np.zeros((1, 1)), 4.0 if positive else -4.0, 1)


def _fit_unlisted(table: Table, weight: Float, recipe: Recipe) -> Linear:
    # Generated prompts share their frames: a model over whole prompts would learn the frames.
    written = np.array([example.source != GENERATED for example in table.examples], dtype=bool)
    rows = table.labelled("yes", "no") & written
    truth = table.labelled("yes")[rows]
    if not truth.any() or truth.all():
        # Without written prompts of both classes nothing can be said of works that the catalogue lacks.
        return Linear(np.zeros(table.prompts.shape[1]), 0.0)
    model = LogisticRegression(C=recipe.strength, max_iter=2000, class_weight="balanced")
    model.fit(table.prompts[rows].astype(np.float64), truth, sample_weight=weight[rows])
    return Linear(model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def chances(table: Table, trees: Trees) -> Float:
    """Return :func:`~ipguard.classifier.head.combine` over the candidates of each prompt, float64 ``(n,)``."""
    probability = np.where(table.counts, sigmoid(trees.decision(table.candidates)), 0.0)
    missed = np.zeros(len(table.examples))
    np.add.at(missed, table.owner[table.named], np.log1p(-np.minimum(probability[table.named], 1 - 1e-12)))
    described = np.zeros(len(table.examples))
    np.maximum.at(described, table.owner[~table.named], probability[~table.named])
    out: Float = 1 - np.exp(missed) * (1 - described)
    return out


def fit_aggregate(
    chance: Float, unlisted: Float, truth: npt.NDArray[np.bool_], weight: Float, prior: float
) -> Aggregate:
    """Fit an aggregate by maximum likelihood, weights at least 0, then move it to the stated prior.

    Parameters
    ----------
    chance
        float64 ``(n,)``: noisy-or of each prompt, from models that did not see it.
    unlisted
        float64 ``(n,)``: log-odds of an unlisted work, likewise.
    truth, weight
        bool and float64 ``(n,)``.
    prior
        In (0, 1).

    Returns
    -------
    Aggregate
        Calibrated for that prior.
    """
    named = logit(chance)

    def loss(parameters: Float) -> float:
        decision = parameters[0] * named + parameters[1] * unlisted + parameters[2]
        margin = np.where(truth, decision, -decision)
        return float(np.average(np.logaddexp(0, -margin), weights=weight)) + 1e-4 * float(
            parameters[:2] @ parameters[:2]
        )

    best = minimize(loss, np.array([1.0, 0.3, 0.0]), bounds=[(0.05, 5), (0, 3), (-10, 10)], method="L-BFGS-B").x
    share = float(np.average(truth, weights=weight))
    return Aggregate(float(best[0]), float(best[1]), float(best[2] + logit(prior) - logit(share)))


def fit_head(table: Table, weight: Float, groups: npt.NDArray[np.int64], recipe: Recipe | None = None) -> Head:
    """Fit all parts of a head; the aggregates on predictions of models that did not see the prompt.

    Parameters
    ----------
    table
        Training prompts.
    weight
        float64 ``(n,)``: weight of each prompt.
    groups
        int64 ``(n,)``: prompts of one group are never on both sides of the cross-fit.
    recipe
        Settings.

    Returns
    -------
    Head
        Calibrated for :data:`PRIOR`.

    Raises
    ------
    DataError
        If the prompts hold only one class.
    """
    recipe = recipe or Recipe()
    for target in (NEGATIVE, POSITIVE):
        if not (table.franchise == target).any():
            raise DataError("The training prompts must hold candidates that are asked for and candidates that are not.")
    count = len(table.examples)
    franchise, style, other = np.zeros(count), np.zeros(count), np.zeros(count)
    for train, test in GroupKFold(recipe.inner_folds).split(np.zeros(count), groups=groups):
        mask = np.zeros(count, dtype=bool)
        mask[train] = True
        part, rest = table.take(mask), table.take(~mask)
        franchise[test] = chances(rest, _fit_trees(part, part.franchise, weight[mask], recipe))
        style[test] = chances(rest, _fit_trees(part, part.style, weight[mask], recipe))
        other[test] = _fit_unlisted(part, weight[mask], recipe).decision(rest.prompts)
    common = calibration_rows(weight)
    plain, asked = table.labelled("yes", "no") & common, table.labelled("style", "no") & common
    return Head(
        franchise=_fit_trees(table, table.franchise, weight, recipe),
        style=_fit_trees(table, table.style, weight, recipe),
        unlisted=_fit_unlisted(table, weight, recipe),
        risk=fit_aggregate(franchise[plain], other[plain], table.labelled("yes")[plain], weight[plain], PRIOR),
        style_risk=fit_aggregate(
            style[asked], np.zeros(int(asked.sum())), table.labelled("style")[asked], weight[asked], PRIOR
        ),
        prior=PRIOR,
    )


def calibration_rows(weight: Float) -> npt.NDArray[np.bool_]:
    """Return the prompts that the aggregates are calibrated on: real ones where there are enough of them.

    Prompts of our own are harder than what people type; a calibration on them would doubt every clear case.

    Parameters
    ----------
    weight
        float64 ``(n,)``: real prompts weigh most.

    Returns
    -------
    numpy.ndarray
        bool ``(n,)``.
    """
    real = weight >= REAL_WEIGHT
    return real if real.sum() >= MIN_REAL else np.ones(len(weight), dtype=bool)


def risks(table: Table, head: Head) -> Float:
    """Return the risk of each prompt, float64 ``(n,)``."""
    return sigmoid(head.risk.decision(chances(table, head.franchise), head.unlisted.decision(table.prompts)))


def style_risks(table: Table, head: Head) -> Float:
    """Return the style risk of each prompt, float64 ``(n,)``."""
    return sigmoid(head.style_risk.decision(chances(table, head.style), np.zeros(len(table.examples))))
