"""``ipguard train``: from labelled prompts to a bundle, and what it measures on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt

from ipguard.catalogue.store import Catalogue
from ipguard.classifier.bundle import Thresholds
from ipguard.classifier.head import Head
from ipguard.evaluation.clusters import balanced_folds, halves
from ipguard.evaluation.data import Example, join, public_texts, read_examples, read_labels
from ipguard.evaluation.run import KEYWORD_FOUND, Slice, slices
from ipguard.evidence.finder import Finder
from ipguard.text.keys import text_key
from ipguard.training.crossval import CrossValidated, cross_validate, far_from, inner_groups, join_tables
from ipguard.training.examples import Table, tabulate
from ipguard.training.fit import REAL_WEIGHT, Recipe, fit_head
from ipguard.training.synth import generate

Float = npt.NDArray[np.float64]
OWN_WEIGHT, GENERATED_WEIGHT = 1.0, 0.15
REVIEW_FPR, BLOCK_FPR = 0.01, 0.002
"""Share of clean real prompts that the default thresholds send to review and block."""


@dataclass(frozen=True)
class Sources:
    """Where training prompts come from.

    Attributes
    ----------
    own
        Folder of prompts of our own writing.
    labels
        Folder of labels stored under hashes.
    real
        Labelled file or folder of real prompts, or None.
    public
        Files, folders or hub datasets whose texts are joined to the labels.
    """

    own: Path
    labels: Path | None = None
    real: Path | None = None
    public: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A head with what was measured.

    Attributes
    ----------
    head
        Fitted on everything.
    thresholds
        Defaults.
    scores
        Cross-validated figures by slice.
    data
        Numbers and hashes of the training prompts.
    crossval
        Out-of-fold risks of the real prompts, or None without any.
    real
        Those prompts.
    """

    head: Head
    thresholds: Thresholds
    scores: list[Slice]
    data: dict[str, Any]
    crossval: CrossValidated | None
    real: tuple[Example, ...]


def gather_examples(sources: Sources) -> tuple[list[Example], list[Example], list[Example]]:
    """Read real, public and own prompts.

    Parameters
    ----------
    sources
        Where from.

    Returns
    -------
    tuple of list
        Real evaluation prompts, labelled public prompts, prompts of our own.
    """
    real = read_examples(sources.real) if sources.real else []
    labels = read_labels(sources.labels) if sources.labels else {}
    public = join((row for name in sources.public for row in public_texts(name)), labels) if labels else []
    held = {text_key(example.text) for example in real}
    return real, [e for e in public if text_key(e.text) not in held], read_examples(sources.own)


def _weights(examples: tuple[Example, ...], public: int, own: int) -> Float:
    generated = len(examples) - public - own
    return np.concatenate(
        [np.full(public, REAL_WEIGHT), np.full(own, OWN_WEIGHT), np.full(generated, GENERATED_WEIGHT)]
    )


def digest(examples: list[Example]) -> str:
    """Return the SHA-256 over the sorted text hashes and labels of some prompts."""
    rows = sorted(f"{text_key(e.text)} {e.label}" for e in examples)
    return sha256("\n".join(rows).encode()).hexdigest()


def choose_thresholds(truth: npt.NDArray[np.bool_], risk: Float) -> Thresholds:
    """Choose thresholds by the share of clean prompts above them.

    Parameters
    ----------
    truth
        bool ``(n,)``.
    risk
        float64 ``(n,)``, out of fold.

    Returns
    -------
    Thresholds
        For :data:`REVIEW_FPR` and :data:`BLOCK_FPR`.
    """
    clean = np.sort(risk[~truth])[::-1]
    at = [min(int(np.floor(share * len(clean))), len(clean) - 1) for share in (REVIEW_FPR, BLOCK_FPR)]
    review, block = (float(np.nextafter(clean[place], 1)) for place in at)
    return Thresholds(review=round(min(review, block) + 5e-5, 4), block=round(block + 5e-5, 4))


def train(
    finder: Finder,
    catalogue: Catalogue,
    sources: Sources,
    *,
    recipe: Recipe | None = None,
    generated: int = 6000,
    folds: int = 5,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Trained:
    """Fit a head and measure it by cross-validation on real prompts.

    Parameters
    ----------
    finder
        Gives the evidence.
    catalogue
        The same catalogue as records.
    sources
        Training prompts.
    recipe
        Settings of the fit.
    generated
        About how many prompts to generate from the catalogue.
    folds
        Of the cross-validation.
    cache
        Folder in which joblib keeps the features, so that a second run with the same catalogue, encoder and
        prompts starts where they are.
    progress
        Called with steps done and in all.

    Returns
    -------
    Trained
        The head and its figures. Without real prompts there are no figures, and the thresholds are chosen on
        our own prompts.
    """
    real, public, own = gather_examples(sources)
    extra = generate(catalogue, named=generated * 6 // 10, ordinary=generated // 10, described=generated * 3 // 10)
    steps = folds + 3
    memory = joblib.Memory(cache, verbose=0)
    cached = memory.cache(_tabulate, ignore=["finder", "catalogue"])
    stamp = finder.fingerprint
    other = cached(finder, catalogue, [*public, *own, *extra], stamp)
    weight = _weights(other.examples, len(public), len(own))
    progress(1, steps)
    crossval: CrossValidated | None = None
    scores: list[Slice] = []
    joined, joined_weight = other, weight
    if real:
        table = cached(finder, catalogue, real, stamp)
        keep = far_from([e.text for e in real], other)
        progress(2, steps)
        crossval = cross_validate(
            table,
            other.take(keep),
            weight[keep],
            folds=folds,
            recipe=recipe,
            progress=lambda d, _: progress(2 + d, steps),
        )
        scores = slices(real, crossval.risk)
        looked = halves([e.text for e in real])
        for name, half in (("look", looked), ("measure", ~looked)):
            part = slices([e for e, k in zip(real, half, strict=True) if k], crossval.risk[half], by=())
            scores += [Slice(f"{name}, {p.name}", p.rows, p.positives, p.figures) for p in part]
        joined = join_tables(table, other.take(keep))
        joined_weight = np.concatenate([np.full(len(real), REAL_WEIGHT), weight[keep]])
    head = fit_head(joined, joined_weight, inner_groups(joined.examples), recipe)
    progress(steps, steps)
    return Trained(
        head=head,
        thresholds=_thresholds(other, weight, recipe, crossval, real),
        scores=scores,
        data={
            "real": {"rows": len(real), "sha256": digest(real)},
            "public": {
                "rows": len(public),
                "sha256": digest(public),
                "names": [Path(p).name for p in sources.public],
            },
            "own": {"rows": len(own), "sha256": digest(own)},
            "generated": {"rows": len(extra)},
            "catalogue": finder.compiled.version,
        },
        crossval=crossval,
        real=tuple(real),
    )


def _tabulate(finder: Finder, catalogue: Catalogue, examples: list[Example], stamp: str) -> Table:  # noqa: ARG001 - keys the cache
    return tabulate(finder, catalogue, examples)


def _thresholds(
    other: Table, weight: Float, recipe: Recipe | None, crossval: CrossValidated | None, real: list[Example]
) -> Thresholds:
    """Thresholds on out-of-fold risks: of real prompts, those of public ones included, else of our own."""
    risk, truth = own_crossval(other, weight, recipe)
    # Asking for a style is no clean prompt: it must not push the thresholds up.
    judged = other.labelled("yes", "no", "brand")
    is_real = (weight >= REAL_WEIGHT) & judged
    parts = [(truth[is_real], risk[is_real])] if is_real.any() else []
    if crossval is not None:
        plain = np.array([e.label in ("yes", "no", "brand") and KEYWORD_FOUND not in e.source for e in real])
        parts.append((np.array([e.label == "yes" for e in real])[plain], crossval.risk[plain]))
    if not parts:
        parts = [(truth[judged], risk[judged])]
    return choose_thresholds(np.concatenate([t for t, _ in parts]), np.concatenate([r for _, r in parts]))


def own_crossval(
    other: Table, weight: Float, recipe: Recipe | None, folds: int = 3
) -> tuple[Float, npt.NDArray[np.bool_]]:
    """Return out-of-fold risks of training prompts, and which are labelled yes.

    Parameters
    ----------
    other
        Training prompts.
    weight
        float64 ``(n,)``.
    recipe
        Settings.
    folds
        Number of folds.

    Returns
    -------
    tuple
        float64 ``(n,)`` and bool ``(n,)``.
    """
    from ipguard.training.fit import risks  # noqa: PLC0415 - beside its only use

    groups = inner_groups(other.examples)
    assigned = balanced_folds(groups, other.labelled("yes"), folds)
    risk = np.zeros(len(other.examples))
    for fold in range(folds):
        mask = assigned != fold
        part = other.take(mask)
        head = fit_head(part, weight[mask], groups[mask], recipe)
        risk[~mask] = risks(other.take(~mask), head)
    return risk, other.labelled("yes")
