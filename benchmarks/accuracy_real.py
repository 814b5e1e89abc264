"""Real prompts, cross-validated: the head, baselines on the same folds, the head without a group of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from accuracy_baselines import Fit
from accuracy_training import Material, masked

from ipguard.classifier.head import Head, sigmoid
from ipguard.evaluation.clusters import balanced_folds, duplicate_clusters, fold_groups, halves
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import Figure, wilson
from ipguard.evaluation.metrics import METRICS, reliability, with_interval
from ipguard.evaluation.run import KEYWORD_FOUND, slices
from ipguard.evaluation.scores import Scores
from ipguard.evaluation.written import Ruler, written_slices
from ipguard.evidence.features import FEATURES
from ipguard.training.examples import Table
from ipguard.training.fit import Recipe, risks, style_risks

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]
SMALL = Recipe(trees=80, inner_folds=2)
"""For the ablation, which fits dozens of heads: the full set of features is measured with it too."""
HEADLINE = ("auroc", "ap", "recall@1%", "recall@3%")


@dataclass(frozen=True)
class OutOfFold:
    """Answers for real prompts from heads that saw neither them nor near-duplicates nor their works among them.

    Attributes
    ----------
    risk, style
        float64 ``(n,)``.
    right
        bool ``(n,)``: whether the candidate of the highest probability is a labelled work or a relative.
    """

    risk: Float
    style: Float
    right: Bool


def folds_of(real: Sequence[Example], count: int) -> tuple[Labels, Labels]:
    """Return clusters of near-duplicates and the fold of each prompt, as ``ipguard train`` cuts them."""
    clusters = duplicate_clusters([e.text for e in real])
    truth = np.array([e.label == "yes" for e in real], dtype=bool)
    return clusters, balanced_folds(fold_groups(real, clusters), truth, count)


def _first_is_right(table: Table, head: Head) -> Bool:
    chance = np.where(table.counts, sigmoid(head.franchise.decision(table.candidates)), -1.0)
    order = np.lexsort((-chance, table.owner))
    owners, first = np.unique(table.owner[order], return_index=True)
    right = np.zeros(len(table.examples), dtype=bool)
    right[owners] = table.right[order][first]
    return right


def cross_validate(
    material: Material, real: Sequence[Example], assigned: Labels, *, recipe: Recipe | None = None
) -> OutOfFold:
    """Score each fold of the real prompts by a head fitted on the other folds and all further training prompts.

    Parameters
    ----------
    material
        Real prompts, in order, then the others.
    real
        The real prompts.
    assigned
        int64 ``(n,)`` fold of each.
    recipe
        Settings of the fits.

    Returns
    -------
    OutOfFold
        One answer a real prompt.
    """
    count, table = len(real), material.table
    risk, style, right = np.zeros(count), np.zeros(count), np.zeros(count, dtype=bool)
    for fold in np.unique(assigned):
        test = np.zeros(len(table.examples), dtype=bool)
        test[:count] = assigned == fold
        head, part = material.fit(~test, recipe), table.take(test)
        rows = test[:count]
        risk[rows], style[rows] = risks(part, head), style_risks(part, head)
        right[rows] = _first_is_right(part, head)
    return OutOfFold(risk, style, right)


def baseline_scores(fit: Fit, real: Sequence[Example], other: Sequence[Example], assigned: Labels) -> Float:
    """Score each fold by a baseline fitted on the other folds and further training prompts."""
    scores = np.zeros(len(real))
    for fold in np.unique(assigned):
        test = assigned == fold
        train = [e for e, held in zip(real, test.tolist(), strict=True) if not held and e.label in ("yes", "no")]
        score = fit([*train, *(e for e in other if e.label in ("yes", "no"))])
        scores[test] = score([e.text for e, held in zip(real, test.tolist(), strict=True) if held])
    return scores


def cell(figure: Figure) -> list[float]:
    """Return a figure as value, lower and upper end."""
    return [round(figure.value, 4), round(figure.low, 4), round(figure.high, 4)]


def headline(real: Sequence[Example], score: Float, clusters: Labels, rounds: int) -> dict[str, Any]:
    """Return the ranking figures of a scorer, without the keyword-found rows and over all.

    Parameters
    ----------
    real
        Labelled prompts.
    score
        float64 ``(n,)``.
    clusters
        Of near-duplicates.
    rounds
        Bootstrap samples.

    Returns
    -------
    dict
        Name of the rows to their figures.
    """
    found: dict[str, Any] = {}
    truth = np.array([e.label == "yes" for e in real], dtype=bool)
    for name, rows in _headline_rows(real).items():
        found[name] = {"rows": int(rows.sum()), "yes": int(truth[rows].sum())} | {
            metric: cell(with_interval(METRICS[metric], truth[rows], score[rows], clusters[rows], rounds=rounds))
            for metric in HEADLINE
        }
    return found


def _headline_rows(real: Sequence[Example]) -> dict[str, Bool]:
    judged = np.array([e.label in ("yes", "no") for e in real], dtype=bool)
    plain = np.array([KEYWORD_FOUND not in e.source for e in real], dtype=bool)
    return {"without keyword-found rows": judged & plain, "all rows": judged}


def right_work_figures(real: Sequence[Example], found: OutOfFold, review: float) -> dict[str, list[float]]:
    """Return how often the right work stands first among the true positives, by rows."""
    truth = np.array([e.label == "yes" for e in real], dtype=bool)
    figures = {}
    for name, rows in _headline_rows(real).items():
        hits = rows & truth & (found.risk >= review)
        if hits.any():
            figures[name] = cell(wilson(int(found.right[hits].sum()), int(hits.sum())))
    return figures


def kind_figures(
    real: Sequence[Example], found: OutOfFold, thresholds: tuple[float, float], rounds: int
) -> list[dict[str, Any]]:
    """Return recall of the kinds that ask for a franchise, and the share flagged of the others.

    Parameters
    ----------
    real
        Labelled prompts.
    found
        Answers for them.
    thresholds
        Review and block.
    rounds
        Bootstrap samples.

    Returns
    -------
    list of dict
        A kind each; those found by keyword count too.
    """
    clean = np.array([e.label == "no" for e in real], dtype=bool)
    scores = Scores(found.risk, (None,) * len(real))
    ruler = Ruler(found.risk[clean], *thresholds, rounds)
    parts = written_slices(real, scores, (frozenset(),) * len(real), ruler, by_language=False)
    return [part.to_dict() for part in parts]


def head_figures(real: Sequence[Example], found: OutOfFold, rounds: int) -> dict[str, Any]:
    """Return all figures of the head: by kind and source, by half, calibration, and the curves that are drawn.

    Parameters
    ----------
    real
        Labelled prompts.
    found
        Answers for them.
    rounds
        Bootstrap samples.

    Returns
    -------
    dict
        JSON-ready; holds no text.
    """
    parts = slices(real, found.risk, rounds=rounds)
    looked = halves([e.text for e in real])
    for name, half in (("look", looked), ("measure", ~looked)):
        own = [e for e, kept in zip(real, half.tolist(), strict=True) if kept]
        parts += [
            type(p)(f"{name}, {p.name}", p.rows, p.positives, p.figures)
            for p in slices(own, found.risk[half], rounds=rounds, by=())
        ]
    rows = _headline_rows(real)["without keyword-found rows"]
    truth = np.array([e.label == "yes" for e in real], dtype=bool)
    return {
        "slices": [p.to_dict() for p in parts],
        "reliability": [[b.rows, round(b.risk, 4), *cell(b.share)] for b in reliability(truth[rows], found.risk[rows])],
        "style_auroc": style_figure(real, found.style, duplicate_clusters([e.text for e in real]), rounds),
    }


def style_figure(examples: Sequence[Example], style: Float, clusters: Labels, rounds: int) -> list[float] | None:
    """Return the AUROC of the style category, rows labelled style against rows labelled no.

    Parameters
    ----------
    examples
        Labelled prompts.
    style
        float64 ``(n,)``: style risks.
    clusters
        Of near-duplicates.
    rounds
        Bootstrap samples.

    Returns
    -------
    list of float or None
        None where there are none of either.
    """
    truth = np.array([e.label == "style" for e in examples], dtype=bool)
    judged = truth | np.array([e.label == "no" for e in examples], dtype=bool)
    if not truth.any() or truth[judged].all():
        return None
    return cell(
        with_interval(METRICS["auroc"], truth[judged], style[judged], clusters[judged], rounds=rounds)
    )  # fmt: skip


def ablation(
    material: Material,
    real: Sequence[Example],
    clusters: Labels,
    assigned: Labels,
    rounds: int,
    *,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Return what each group of features adds: the head with all of them, less the head without one group.

    Parameters
    ----------
    material, real, clusters, assigned
        As for :func:`cross_validate`.
    rounds
        Bootstrap samples.
    progress
        Told the name of each group.

    Returns
    -------
    dict
        Group to its number of features and the paired differences with their intervals.
    """
    rows = _headline_rows(real)["without keyword-found rows"]
    truth = np.array([e.label == "yes" for e in real], dtype=bool)[rows]
    full = cross_validate(material, real, assigned, recipe=SMALL).risk[rows]
    found: dict[str, Any] = {}
    for group in dict.fromkeys(feature.group for feature in FEATURES):
        progress(group)
        columns = [at for at, feature in enumerate(FEATURES) if feature.group == group]
        less = replace(material, table=masked(material.table, columns))
        risk = cross_validate(less, real, assigned, recipe=SMALL).risk[rows]
        found[group] = {"features": len(columns)} | {
            metric: cell(_difference(metric, truth, full, risk, clusters[rows], rounds)) for metric in HEADLINE
        }
    return found


def _difference(metric: str, truth: Bool, full: Float, less: Float, clusters: Labels, rounds: int) -> Figure:
    """Difference of a metric between two scorers on the same rows, drawn together."""
    index = np.arange(len(truth), dtype=np.float64)

    def gain(drawn: Bool, at: Float) -> float:
        places = at.astype(np.int64)
        return METRICS[metric](drawn, full[places]) - METRICS[metric](drawn, less[places])

    return with_interval(gain, truth, index, clusters, rounds=rounds)
