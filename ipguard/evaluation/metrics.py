"""Figures with intervals over clusters of near-duplicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.errors import InvalidArgumentError, MissingExtraError
from ipguard.evaluation.intervals import Figure, wilson

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
except ImportError as error:  # pragma: no cover - the bare install's test covers it
    feature = "evaluation"
    raise MissingExtraError(feature, "train") from error

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
MIN_SLICE = 50
"""Rows below which a slice is printed with its size and no target."""


def recall_at(truth: Bool, score: Float, fpr: float) -> float:
    """Return the largest recall at no more than a share of false positives.

    Parameters
    ----------
    truth
        bool ``(n,)``.
    score
        float64 ``(n,)``, higher for positives.
    fpr
        Allowed share of negatives above the threshold.

    Returns
    -------
    float
        In [0, 1].
    """
    false, true, _ = roc_curve(truth, score, drop_intermediate=False)
    return float(true[false <= fpr + 1e-12].max())


def calibration_line(truth: Bool, score: Float) -> tuple[float, float]:
    """Return slope and intercept of a logistic regression of the truth on the log-odds of the score.

    Parameters
    ----------
    truth, score
        bool and float64 ``(n,)``.

    Returns
    -------
    tuple of float
        1 and 0 for a calibrated score. Where positives are commoner than the prior that the score was calibrated
        for, the intercept lies above 0 by the difference of the log-odds.
    """
    clipped = np.clip(score, 1e-6, 1 - 1e-6)
    odds = np.log(clipped / (1 - clipped))[:, None]
    model = LogisticRegression(C=1e6, max_iter=1000).fit(odds, truth)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def calibration_slope(truth: Bool, score: Float) -> float:
    """Return the slope of :func:`calibration_line`; 1 is calibrated."""
    return calibration_line(truth, score)[0]


def calibration_intercept(truth: Bool, score: Float) -> float:
    """Return the intercept of :func:`calibration_line`; 0 is calibrated for the share of positives in the rows."""
    return calibration_line(truth, score)[1]


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of similar risk: their mean risk, and the share of positives among them."""

    rows: int
    risk: float
    share: Figure


def reliability(truth: Bool, score: Float, bins: int = 10) -> list[Bin]:
    """Return how often prompts of a risk are positive.

    Parameters
    ----------
    truth, score
        bool and float64 ``(n,)``, scores in [0, 1].
    bins
        Parts of equal width that [0, 1] is cut into.

    Returns
    -------
    list of Bin
        Of the parts that hold rows, by rising risk.
    """
    place = np.minimum((score * bins).astype(np.int64), bins - 1)
    found = []
    for at in range(bins):
        rows = place == at
        if rows.any():
            share = wilson(int(truth[rows].sum()), int(rows.sum()))
            found.append(Bin(int(rows.sum()), float(score[rows].mean()), share))
    return found


def calibration_error(truth: Bool, score: Float, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal count.

    Parameters
    ----------
    truth, score
        bool and float64 ``(n,)``.
    bins
        Number of bins.

    Returns
    -------
    float
        Mean absolute difference of predicted and observed share, weighted by bin size.
    """
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [abs(float(truth[p].mean() - score[p].mean())) * len(p) for p in parts if len(p)]
    return float(sum(gaps) / len(order))


def _brier(truth: Bool, score: Float) -> float:
    return float(np.mean((score - truth) ** 2))


def _log_loss(truth: Bool, score: Float) -> float:
    clipped = np.clip(score, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(truth, np.log(clipped), np.log(1 - clipped))))


_SLOW = ("slope", "intercept")
"""Metrics that fit a model; their intervals make do with fewer samples."""
METRICS: dict[str, Callable[[Bool, Float], float]] = {
    "auroc": lambda t, s: float(roc_auc_score(t, s)),
    "ap": lambda t, s: float(average_precision_score(t, s)),
    "recall@1%": lambda t, s: recall_at(t, s, 0.01),
    "recall@3%": lambda t, s: recall_at(t, s, 0.03),
    "brier": _brier,
    "log_loss": _log_loss,
    "slope": calibration_slope,
    "intercept": calibration_intercept,
    "ece": calibration_error,
}


def with_interval(
    metric: Callable[[Bool, Float], float],
    truth: Bool,
    score: Float,
    clusters: npt.NDArray[np.int64],
    *,
    rounds: int = 500,
    seed: int = 0,
) -> Figure:
    """Return a metric with a bootstrap interval over clusters.

    Parameters
    ----------
    metric
        Function of truth and score.
    truth, score
        bool and float64 ``(n,)``.
    clusters
        int64 ``(n,)``: rows of one cluster are drawn together.
    rounds
        Bootstrap samples.
    seed
        Of the generator.

    Returns
    -------
    Figure
        Value and the 2.5th and 97.5th percentile.
    """
    if not (len(truth) == len(score) == len(clusters)):
        raise InvalidArgumentError("clusters", "be as long as truth and score", len(clusters))
    names, place = np.unique(clusters, return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    alone = len(names) == len(truth)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        drawn = generator.integers(0, len(names), len(names))
        rows = order[drawn] if alone else np.concatenate([members[at] for at in drawn])
        if truth[rows].any() and not truth[rows].all():
            values.append(metric(truth[rows], score[rows]))
    low, high = np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan)
    return Figure(metric(truth, score), float(low), float(high))


def figures(
    truth: Bool, score: Float, clusters: npt.NDArray[np.int64], *, probability: bool = True, rounds: int = 500
) -> dict[str, Figure]:
    """Return all metrics with intervals.

    Parameters
    ----------
    truth, score, clusters
        As for :func:`with_interval`.
    probability
        Whether the score is a probability; if not, calibration is left out.
    rounds
        Bootstrap samples.

    Returns
    -------
    dict
        Name to figure.

    Raises
    ------
    InvalidArgumentError
        If the rows hold only one class.
    """
    if truth.all() or not truth.any():
        raise InvalidArgumentError("truth", "hold both classes", f"{int(truth.sum())} of {len(truth)}")
    names = [n for n in METRICS if probability or n in ("auroc", "ap", "recall@1%", "recall@3%")]
    return {
        name: with_interval(METRICS[name], truth, score, clusters, rounds=min(rounds, 100) if name in _SLOW else rounds)
        for name in names
    }
