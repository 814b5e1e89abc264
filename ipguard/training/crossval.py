"""Cross-validation on real prompts, with every fitted part inside the fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.evaluation.clusters import balanced_folds, duplicate_clusters, fold_groups, near_pairs
from ipguard.evaluation.data import Example
from ipguard.training.examples import Table
from ipguard.training.fit import REAL_WEIGHT, Recipe, fit_head, risks, style_risks
from ipguard.training.synth import GENERATED

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CrossValidated:
    """Out-of-fold risks.

    Attributes
    ----------
    risk, style
        float64 ``(n,)``.
    clusters
        int64 ``(n,)`` clusters of near-duplicates.
    folds
        int64 ``(n,)``.
    """

    risk: Float
    style: Float
    clusters: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]


def far_from(texts: list[str], table: Table) -> npt.NDArray[np.bool_]:
    """Return which prompts of a table are no near-duplicate of some texts, bool ``(n,)``."""
    keep = np.ones(len(table.examples), dtype=bool)
    for own, _ in near_pairs([e.text for e in table.examples], texts):
        keep[own] = False
    return keep


def join_tables(first: Table, second: Table) -> Table:
    """Return the prompts of two tables in one."""
    return Table(
        np.concatenate([first.candidates, second.candidates]),
        np.concatenate([first.owner, second.owner + len(first.examples)]),
        np.concatenate([first.franchise, second.franchise]),
        np.concatenate([first.style, second.style]),
        np.concatenate([first.counts, second.counts]),
        np.concatenate([first.right, second.right]),
        np.concatenate([first.named, second.named]),
        np.concatenate([first.prompts, second.prompts]),
        first.examples + second.examples,
    )


def inner_groups(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """Return groups for the cross-fit inside a training set: near-duplicates stay together.

    Generated prompts share their frames on purpose; each is a group of its own.

    Parameters
    ----------
    examples
        Training prompts.

    Returns
    -------
    numpy.ndarray
        int64 ``(n,)``.
    """
    written = [at for at, example in enumerate(examples) if example.source != GENERATED]
    groups = np.arange(len(examples), dtype=np.int64) + len(examples)
    groups[written] = duplicate_clusters([examples[at].text for at in written])
    return groups


def cross_validate(
    real: Table,
    other: Table,
    other_weight: Float,
    *,
    folds: int = 5,
    recipe: Recipe | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> CrossValidated:
    """Score real prompts by heads that saw neither them, nor near-duplicates, nor their works among them.

    Parameters
    ----------
    real
        Evaluation prompts; each fold trains on the others.
    other
        Further training prompts; near-duplicates of the evaluation prompts must have been dropped.
    other_weight
        float64: weight of each of these.
    folds
        Number of folds.
    recipe
        Settings of the fits.
    seed
        Of the folds.
    progress
        Called with folds done and in all.

    Returns
    -------
    CrossValidated
        One risk a real prompt.
    """
    clusters = duplicate_clusters([e.text for e in real.examples])
    groups = fold_groups(real.examples, clusters)
    assigned = balanced_folds(groups, real.labelled("yes"), folds, seed=seed)
    risk, style = np.zeros(len(real.examples)), np.zeros(len(real.examples))
    beside = inner_groups(other.examples) + len(real.examples)
    for fold in range(folds):
        train, test = assigned != fold, assigned == fold
        joined = join_tables(real.take(train), other)
        weight = np.concatenate([np.full(int(train.sum()), REAL_WEIGHT), other_weight])
        inner = np.concatenate([clusters[train], beside])
        head = fit_head(joined, weight, inner, recipe)
        part = real.take(test)
        risk[test], style[test] = risks(part, head), style_risks(part, head)
        progress(fold + 1, folds)
    return CrossValidated(risk, style, clusters, assigned)
