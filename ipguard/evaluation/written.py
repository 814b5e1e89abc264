"""Figures of written test sets: by slice, language and medium, and over pairs of prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.store import Catalogue, resolve_label
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import Figure, wilson
from ipguard.evaluation.metrics import MIN_SLICE, recall_at, with_interval
from ipguard.evaluation.run import Slice
from ipguard.evaluation.scores import Scores

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Answers = tuple[frozenset[str], ...]
SLICE_COLUMNS = ("recall@1%", "recall@3%", "reviewed", "blocked", "right work", "right work of flagged")
PAIR_COLUMNS = ("yes higher", "told apart")
FREE = ("no", "brand")
"""Labels of prompts that ask for nothing of a franchise, not even its style."""


@dataclass(frozen=True)
class Ruler:
    """What scores are held against.

    Attributes
    ----------
    clean
        float64 ``(m,)``: scores of clean prompts, which set the thresholds of ``recall@1%`` and ``recall@3%``.
    review, block
        Thresholds in use.
    rounds
        Bootstrap samples of the intervals.
    """

    clean: Float
    review: float
    block: float
    rounds: int = 500


def answers(catalogue: Catalogue, examples: Sequence[Example]) -> Answers:
    """Return the ids of the works that answer each label: the labelled ones and their relatives.

    Parameters
    ----------
    catalogue
        Where labels are looked up.
    examples
        Labelled prompts.

    Returns
    -------
    tuple of frozenset of str
        Empty where the label names no work, or none that the catalogue has.
    """
    return tuple(
        frozenset(
            relative
            for label in example.works
            for work in resolve_label(catalogue, label)
            for relative in catalogue.relatives[work]
        )
        for example in examples
    )


def right_work(scores: Scores, accepted: Answers) -> Bool:
    """Return whether the work named first is a labelled one or a relative of it, bool ``(n,)``."""
    return np.array([work in known for work, known in zip(scores.works, accepted, strict=True)], dtype=bool)


def _recall(positives: Float, ruler: Ruler, fpr: float) -> Figure:
    truth = np.concatenate([np.ones(len(positives), dtype=bool), np.zeros(len(ruler.clean), dtype=bool)])
    score = np.concatenate([positives, ruler.clean])
    return with_interval(
        lambda t, s: recall_at(t, s, fpr), truth, score, np.arange(len(score)), rounds=ruler.rounds
    )  # fmt: skip


def part(name: str, scores: Scores, accepted: Answers, ruler: Ruler, *, positive: bool) -> Slice:
    """Return the figures of rows of one label.

    Parameters
    ----------
    name
        Of the slice.
    scores
        Answers for its rows.
    accepted
        Works that answer each row.
    ruler
        Thresholds and clean prompts.
    positive
        Whether the rows are labelled yes: then recall and the right work are measured too.

    Returns
    -------
    Slice
        Without figures where there are fewer than :data:`~ipguard.evaluation.metrics.MIN_SLICE` rows.
    """
    count = len(scores.risk)
    if count < MIN_SLICE:
        return Slice(name, count, count if positive else 0, None)
    flagged = scores.risk >= ruler.review
    found = {"reviewed": wilson(int(flagged.sum()), count)}
    found["blocked"] = wilson(int((scores.risk >= ruler.block).sum()), count)
    if positive:
        if len(ruler.clean):
            found |= {f"recall@{share:.0%}": _recall(scores.risk, ruler, share) for share in (0.01, 0.03)}
        if any(work is not None for work in scores.works):
            right = right_work(scores, accepted)
            found["right work"] = wilson(int(right.sum()), count)
            if flagged.any():
                found["right work of flagged"] = wilson(int(right[flagged].sum()), int(flagged.sum()))
    return Slice(name, count, count if positive else 0, found)


def written_slices(
    examples: Sequence[Example], scores: Scores, accepted: Answers, ruler: Ruler, *, by_language: bool = True
) -> list[Slice]:
    """Return figures of each slice and label, in all and by language.

    Parameters
    ----------
    examples
        Rows of written test sets; elsewhere the kind stands for the slice.
    scores
        Answers for all of them.
    accepted
        From :func:`answers`.
    ruler
        Thresholds and clean prompts.
    by_language
        Whether each slice is shown by language too.

    Returns
    -------
    list of Slice
        Named "described", "described, ja" and so on; "homograph (no)" where a slice has both labels.
    """
    labels: defaultdict[str, set[str]] = defaultdict(set)
    langs: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples:
        labels[example.part].add(example.label)
        langs[example.part].add(example.lang)
    found: list[Slice] = []
    for name, own in sorted(labels.items()):
        for label in sorted(own, reverse=True):
            title = f"{name} ({label})" if len(own) > 1 else name
            groups = [("", None), *((f", {lang}", lang) for lang in sorted(langs[name]) if len(langs[name]) > 1)]
            for suffix, lang in groups if by_language else groups[:1]:
                rows = np.array(
                    [e.part == name and e.label == label and lang in (None, e.lang) for e in examples], dtype=bool
                )
                if rows.any():
                    found.append(_taken(title + suffix, scores, accepted, ruler, rows, positive=label == "yes"))
    return found


def _taken(name: str, scores: Scores, accepted: Answers, ruler: Ruler, rows: Bool, *, positive: bool) -> Slice:
    own = tuple(known for known, kept in zip(accepted, rows.tolist(), strict=True) if kept)
    return part(name, scores.take(rows), own, ruler, positive=positive)


def works_slices(
    examples: Sequence[Example], scores: Scores, accepted: Answers, ruler: Ruler, catalogue: Catalogue
) -> list[Slice]:
    """Return figures of the positives by whether the catalogue has their works, and by medium.

    Parameters
    ----------
    examples, scores, accepted, ruler
        As for :func:`written_slices`.
    catalogue
        Tells the media of a work.

    Returns
    -------
    list of Slice
        A work of several media counts in each.
    """
    yes = np.array([e.label == "yes" for e in examples], dtype=bool)
    known = np.array([bool(own) for own in accepted], dtype=bool)
    media = [_media(catalogue, example) for example in examples]
    parts = [("works of the catalogue", yes & known), ("works absent from the catalogue", yes & ~known)]
    parts += [
        (f"medium={medium}", yes & np.array([medium in own for own in media], dtype=bool))
        for medium in sorted(set().union(*media))
    ]
    return [
        _taken(name, scores, accepted, ruler, rows, positive=True) for name, rows in parts if rows.any()
    ]  # fmt: skip


def _media(catalogue: Catalogue, example: Example) -> set[str]:
    works = {work for label in example.works for work in resolve_label(catalogue, label)}
    return {medium for work in works for medium in catalogue.works[work].media}


def pair_slices(examples: Sequence[Example], scores: Scores, review: float) -> list[Slice]:
    """Return how often the asking prompt of a pair scores higher than its clean counterpart.

    Parameters
    ----------
    examples
        Rows of written test sets: ``pair`` joins a described prompt to its look-alike, and both uses of a homograph.
    scores
        Answers for all of them.
    review
        Threshold that parts them: the asking prompt reaches it, the clean one does not.

    Returns
    -------
    list of Slice
        Of look-alikes and homographs, in all and by language; equal scores do not count as higher.
    """
    sides: defaultdict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for example, risk in zip(examples, scores.risk.tolist(), strict=True):
        if example.pair and example.label in ("yes", "no"):
            kind = "homograph" if example.part == "homograph" else "look-alike"
            sides[kind, example.lang, example.pair][example.label] = risk
    found: list[Slice] = []
    for kind in ("look-alike", "homograph"):
        whole = {key: two for key, two in sides.items() if key[0] == kind and len(two) == 2}
        langs = sorted({lang for _, lang, _ in whole})
        for lang in [None, *(langs if len(langs) > 1 else [])]:
            values = [(two["yes"], two["no"]) for key, two in whole.items() if lang in (None, key[1])]
            if values:
                found.append(_pairs(f"{kind} pairs" + (f", {lang}" if lang else ""), values, review))
    return found


def _pairs(name: str, values: list[tuple[float, float]], review: float) -> Slice:
    count = len(values)
    if count < MIN_SLICE:
        return Slice(name, count, count, None)
    higher = sum(yes > no for yes, no in values)
    apart = sum(yes >= review > no for yes, no in values)
    return Slice(name, count, count, {"yes higher": wilson(higher, count), "told apart": wilson(apart, count)})
