"""The written test sets: works known, unseen in training, added after it, and absent from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from accuracy_baselines import Fit as BaselineFit
from accuracy_training import Encoders, Material, finder_of, scorer_of

from ipguard import Catalogue
from ipguard.catalogue.build import compile_catalogue
from ipguard.classifier.bundle import Thresholds
from ipguard.evaluation.data import Example
from ipguard.evaluation.scores import Scorer, Scores
from ipguard.evaluation.unseen import (
    Fit,
    Fold,
    Unseen,
    asks_for,
    score_unseen,
    without_fandom,
    without_works,
)
from ipguard.evaluation.written import Answers, Ruler, pair_slices, works_slices, written_slices
from ipguard.text.keys import text_key


def held_out(fold: Fold, catalogue: Catalogue, examples: Sequence[Example]) -> np.ndarray:
    """Return which training prompts a fold leaves, bool ``(n,)``: none of its works, none of its texts."""
    known: dict[tuple[str, ...], bool] = {}
    keep = np.zeros(len(examples), dtype=bool)
    for at, example in enumerate(examples):
        if example.works not in known:
            known[example.works] = asks_for(catalogue, example, fold.works)
        keep[at] = not known[example.works] and text_key(example.text) not in fold.texts
    return keep


def unseen_fit(make: Callable[[Path], Material], encoders: Encoders, compiled: Path, thresholds: Thresholds) -> Fit:
    """Return what fits a head, and an encoder, without a fold's works; the catalogue holds these works.

    Parameters
    ----------
    make
        Training prompts as tables, by the encoder's folder.
    encoders
        Of each fold.
    compiled
        The whole catalogue, compiled.
    thresholds
        Of the bundle.

    Returns
    -------
    callable
        Fold to what scores it.
    """

    def fit(fold: Fold) -> Scorer:
        encoder = encoders.of(fold)
        material = make(encoder)
        keep = held_out(fold, material.catalogue, material.table.examples)
        return scorer_of(material.fit(keep), encoder, compiled, thresholds)

    return fit


def baseline_fit(fit: BaselineFit, prompts: Sequence[Example], catalogue: Catalogue) -> Fit:
    """Return what fits a baseline without the training rows of a fold's works."""

    def fitted(fold: Fold) -> Scorer:
        keep = held_out(fold, catalogue, prompts)
        score = fit([e for e, k in zip(prompts, keep.tolist(), strict=True) if k and e.label in ("yes", "no")])
        return lambda texts: Scores(score(texts), (None,) * len(texts))

    return fitted


@dataclass(frozen=True)
class Later:
    """Scorers of a fold whose works were added to the catalogue after training, and of one that never got them."""

    added: Scorer
    absent: Scorer


def fit_before(
    fold: Fold,
    encoders: Encoders,
    compiled: Path,
    thresholds: Thresholds,
    tested: Sequence[str],
    clean: Sequence[str],
) -> Later:
    """Fit a head on a catalogue that lacks a fold's works.

    Parameters
    ----------
    fold
        Test rows.
    encoders
        With the whole catalogue and all training prompts; generated ones of the works are left out with the works.
    compiled
        The whole catalogue, compiled.
    thresholds
        Of the bundle.
    tested, clean
        Texts of all test rows, and the clean prompts.

    Returns
    -------
    Later
        One head with both catalogues.
    """
    catalogue, encoder = encoders.catalogue, encoders.of(fold)
    smaller = without_works(catalogue, fold.works)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "smaller.bin"
        before = compile_catalogue(smaller)
        before.write(path)
        finder = finder_of(before, encoder)
        material = Material.make(finder, smaller, encoders.prompts, encoders.cache).apart_from(tested, clean)
        head = material.fit(held_out(fold, catalogue, material.table.examples))
        return Later(scorer_of(head, encoder, compiled, thresholds), scorer_of(head, encoder, path, thresholds))


def added_and_absent(
    examples: Sequence[Example], clean: Sequence[str], folds: Sequence[Fold], fit: Callable[[Fold], Later]
) -> dict[str, Unseen]:
    """Score each fold by a head whose catalogue lacked its works when it was fitted.

    Parameters
    ----------
    examples, clean, folds
        Test rows, clean prompts, and their folds.
    fit
        Called once a fold, as :func:`fit_before` with everything but the fold.

    Returns
    -------
    dict
        ``added``: the works are in the catalogue at test. ``absent``: they are not. ``absent, ablated``: nor are the
        words of fan art and styles in the prompts.
    """
    later = [fit(fold) for fold in folds]
    bare = [Example(without_fandom(e.text) or e.text, e.label) for e in examples]
    plain = [without_fandom(text) or text for text in clean]
    return {
        "added": score_unseen(examples, clean, folds, lambda fold: later[fold.number].added),
        "absent": score_unseen(examples, clean, folds, lambda fold: later[fold.number].absent),
        "absent, ablated": score_unseen(bare, plain, folds, lambda fold: later[fold.number].absent),
    }


def figures_of(
    examples: Sequence[Example],
    found: Unseen,
    accepted: Answers,
    catalogue: Catalogue,
    thresholds: tuple[float, float],
    rounds: int,
) -> dict[str, Any]:
    """Return the figures of answers by slice, language, medium and pair.

    Parameters
    ----------
    examples
        Test rows.
    found
        Answers for them and for the clean prompts.
    accepted
        Works that answer each row.
    catalogue
        Tells media.
    thresholds
        Review and block.
    rounds
        Bootstrap samples.

    Returns
    -------
    dict
        JSON-ready.
    """
    ruler = Ruler(found.clean.risk, *thresholds, rounds)
    return {
        "slices": [p.to_dict() for p in written_slices(examples, found.rows, accepted, ruler)],
        "works": [p.to_dict() for p in works_slices(examples, found.rows, accepted, ruler, catalogue)],
        "pairs": [p.to_dict() for p in pair_slices(examples, found.rows, thresholds[0])],
    }


def failures(examples: Sequence[Example], scores: Scores, review: float, each: int) -> dict[str, list[dict[str, Any]]]:
    """Return some wrong decisions of each slice: not the worst, but the first by the hash of their text.

    Parameters
    ----------
    examples
        Written test rows, all of our own writing.
    scores
        Answers for them.
    review
        Threshold in use.
    each
        How many of each slice.

    Returns
    -------
    dict
        Slice and label to texts with their risk.
    """
    wrong: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for example, risk in zip(examples, scores.risk.tolist(), strict=True):
        if example.label in ("yes", "no") and (risk >= review) != (example.label == "yes"):
            row = {"text": example.text, "risk": round(risk, 3)}
            wrong.setdefault(f"{example.part}, label {example.label}", []).append((text_key(example.text), row))
    return {name: [row for _, row in sorted(rows, key=lambda r: r[0])[:each]] for name, rows in sorted(wrong.items())}
