"""Works unseen in training: test rows cut into folds by their works, each scored by a model fitted without these."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.store import Catalogue, resolve_label
from ipguard.evaluation.clusters import balanced_folds, components, near_pairs
from ipguard.evaluation.data import Example
from ipguard.evaluation.scores import Scorer, Scores, join_scores
from ipguard.evaluation.written import Answers
from ipguard.text.keys import text_key

Bool = npt.NDArray[np.bool_]
_FANDOM = re.compile(
    r"\b(?:fan\s?art|fan[- ]made|cosplay(?:er|ing)?|crossover|fandom|franchise|official art|key visual|concept art|"
    r"(?:film|movie) still|still from|screen(?:cap|shot)|movie poster|box art|game cover|character sheet|anime|manga|"
    r"(?:in the |in )?styles? of|(?:art )?style|aesthetic|inspired by|season|episode|cinematic universe|universe)\b|"
    r"二次創作|コスプレ|ファンアート|同人|版権|公式|アニメ|漫画|マンガ|名シーン|風に|風の|っぽい|同人图|动漫|漫画|风格|팬아트|코스프레|애니|스타일",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fold:
    """Test rows, and what the model that scores them must not have been fitted on.

    Attributes
    ----------
    number
        From 0.
    rows
        bool ``(n,)``: test rows.
    clean
        bool ``(m,)``: clean prompts that set the thresholds.
    works
        Ids of the works that answer the test rows: no training prompt may ask for one of these.
    texts
        :func:`~ipguard.text.keys.text_key` of the test rows and clean prompts.
    """

    number: int
    rows: Bool
    clean: Bool
    works: frozenset[str]
    texts: frozenset[str]


Fit = Callable[[Fold], Scorer]
"""Fits on what a fold leaves and returns what scores it."""


@dataclass(frozen=True)
class Unseen:
    """Answers from models that had not seen the works: for the test rows, and for the clean prompts."""

    rows: Scores
    clean: Scores


def work_folds(
    examples: Sequence[Example], accepted: Answers, clean: Sequence[str], count: int, *, seed: int = 0
) -> list[Fold]:
    """Cut test rows into folds such that no franchise, pair or near-duplicate is in two of them.

    Parameters
    ----------
    examples
        Rows of written test sets.
    accepted
        Works that answer each, from :func:`~ipguard.evaluation.written.answers`.
    clean
        Clean real prompts; their near-duplicates stay together.
    count
        Folds.
    seed
        Orders groups of one size.

    Returns
    -------
    list of Fold
        Of about equal numbers of positives and of rows.
    """
    first: dict[object, int] = {}
    pairs = near_pairs([e.text for e in examples])
    for at, (example, known) in enumerate(zip(examples, accepted, strict=True)):
        # Not all works that answer: a comics publisher is kin to hundreds, and would tie everything into one fold. The
        # fit leaves out every one of them all the same.
        keys: list[object] = [work.partition(":")[0].strip().casefold() for work in example.works]
        keys += [(example.lang, example.pair)] if example.pair else []
        keys += known if len(known) == 1 else ()
        for key in keys:
            if key in first:
                pairs.append((first[key], at))
            first.setdefault(key, at)
    positive = np.array([e.label == "yes" for e in examples])
    rows = balanced_folds(components(len(examples), pairs), positive, count, seed=seed)
    groups = components(len(clean), near_pairs(clean))
    held = balanced_folds(groups, np.zeros(len(clean), dtype=bool), count, seed=seed)
    keys_of_rows, keys_of_clean = [text_key(e.text) for e in examples], [text_key(text) for text in clean]
    return [
        Fold(
            fold,
            rows == fold,
            held == fold,
            frozenset[str]().union(*(known for known, at in zip(accepted, rows.tolist(), strict=True) if at == fold)),
            frozenset(key for key, at in zip(keys_of_rows, rows.tolist(), strict=True) if at == fold)
            | frozenset(key for key, at in zip(keys_of_clean, held.tolist(), strict=True) if at == fold),
        )
        for fold in range(count)
    ]


def score_unseen(
    examples: Sequence[Example],
    clean: Sequence[str],
    folds: Sequence[Fold],
    fit: Fit,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Unseen:
    """Score each fold by a model that was fitted without it.

    Parameters
    ----------
    examples
        Test rows.
    clean
        Clean real prompts.
    folds
        From :func:`work_folds`.
    fit
        Called once a fold; an encoder that is trained too is fitted here.
    progress
        Called with folds done and in all.

    Returns
    -------
    Unseen
        Every row and every clean prompt is scored once.
    """
    rows: list[tuple[Bool, Scores]] = []
    held: list[tuple[Bool, Scores]] = []
    for fold in folds:
        scorer = fit(fold)
        rows.append((fold.rows, scorer([e.text for e, own in zip(examples, fold.rows.tolist(), strict=True) if own])))
        held.append((fold.clean, scorer([t for t, own in zip(clean, fold.clean.tolist(), strict=True) if own])))
        progress(fold.number + 1, len(folds))
    return Unseen(join_scores(rows), join_scores(held))


def asks_for(catalogue: Catalogue, example: Example, works: frozenset[str]) -> bool:
    """Return whether a training prompt asks for one of some works."""
    return any(not works.isdisjoint(resolve_label(catalogue, label)) for label in example.works)


def without_works(catalogue: Catalogue, works: frozenset[str]) -> Catalogue:
    """Return a catalogue that lacks some works, as it was before they were added.

    Parameters
    ----------
    catalogue
        All works.
    works
        Ids.

    Returns
    -------
    Catalogue
        Without these.
    """
    return replace(catalogue, works={i: work for i, work in catalogue.works.items() if i not in works})


def without_fandom(text: str) -> str:
    """Return a prompt without the words of fan art, film stills and styles.

    A work that the catalogue lacks may be guessed at from such words alone; what is left shows how much.

    Parameters
    ----------
    text
        A prompt.

    Returns
    -------
    str
        The prompt, or as much of it as is left.
    """
    return re.sub(r"\s{2,}", " ", _FANDOM.sub(" ", text)).strip()
