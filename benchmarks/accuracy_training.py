"""Training prompts as tables, and guards made of a freshly fitted head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import numpy as np
import numpy.typing as npt

from ipguard import Catalogue, Guard, __version__
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.classifier.bundle import Thresholds
from ipguard.classifier.head import Head
from ipguard.encoding.static import StaticEncoder
from ipguard.evaluation.data import Example
from ipguard.evaluation.scores import Scorer, Scores, guard_scores
from ipguard.evaluation.unseen import Fold
from ipguard.evidence.finder import Finder
from ipguard.text.keys import text_key
from ipguard.training.crossval import far_from, inner_groups, join_tables
from ipguard.training.examples import Table, tabulate
from ipguard.training.fit import REAL_WEIGHT, Recipe, fit_head
from ipguard.training.run import GENERATED_WEIGHT, OWN_WEIGHT, Sources, digest, gather_examples
from ipguard.training.synth import generate

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Prompts:
    """Training prompts with their weights, real ones first.

    Attributes
    ----------
    real
        Labelled prompts of real users, which figures are cross-validated on.
    public
        Further real ones, whose labels are stored under hashes.
    own, generated
        Of our own writing, and made from the catalogue.
    """

    real: tuple[Example, ...]
    public: tuple[Example, ...]
    own: tuple[Example, ...]
    generated: tuple[Example, ...]

    @property
    def beside(self) -> list[Example]:
        """All but the real ones, in the order of :attr:`weight`."""
        return [*self.public, *self.own, *self.generated]

    @property
    def weight(self) -> Float:
        """Weight of each of :attr:`beside`."""
        sizes = (len(self.public), len(self.own), len(self.generated))
        return np.repeat([REAL_WEIGHT, OWN_WEIGHT, GENERATED_WEIGHT], sizes)

    @property
    def written(self) -> list[Example]:
        """What a baseline learns from: all but generated prompts, which share their frames."""
        return [*self.real, *self.public, *self.own]


def read_prompts(sources: Sources, catalogue: Catalogue, generated: int) -> Prompts:
    """Read training prompts and generate further ones, as ``ipguard train`` does.

    Parameters
    ----------
    sources
        Where they come from.
    catalogue
        What is generated from.
    generated
        About how many to generate.

    Returns
    -------
    Prompts
        In order.
    """
    real, public, own = gather_examples(sources)
    extra = generate(catalogue, named=generated * 6 // 10, ordinary=generated // 10, described=generated * 3 // 10)
    return Prompts(tuple(real), tuple(public), tuple(own), tuple(extra))


def _tabulate(finder: Finder, catalogue: Catalogue, examples: list[Example], stamp: str) -> Table:  # noqa: ARG001
    return tabulate(finder, catalogue, examples)


def tables(
    finder: Finder, catalogue: Catalogue, examples: list[Example], cache: Path
) -> Table:  # fmt: skip
    """Return features and targets; kept in a folder, keyed by catalogue, encoder, features and prompts."""
    kept = joblib.Memory(cache, verbose=0).cache(_tabulate, ignore=["finder", "catalogue"])
    return kept(finder, catalogue, examples, finder.fingerprint)


@dataclass(frozen=True)
class Material:
    """Everything that a head is fitted on, for one catalogue.

    Attributes
    ----------
    catalogue
        As records.
    finder
        Gives evidence from it.
    table
        Real prompts, then the others.
    weight
        Of each prompt.
    """

    catalogue: Catalogue
    finder: Finder
    table: Table
    weight: Float

    @classmethod
    def make(cls, finder: Finder, catalogue: Catalogue, prompts: Prompts, cache: Path) -> Material:
        """Tabulate all training prompts.

        Parameters
        ----------
        finder, catalogue
            One catalogue.
        prompts
            Training prompts.
        cache
            Folder that keeps features.

        Returns
        -------
        Material
            Ready to fit.
        """
        real = tables(finder, catalogue, list(prompts.real), cache)
        joined = join_tables(real, tables(finder, catalogue, prompts.beside, cache))
        weight = np.concatenate([np.full(len(prompts.real), REAL_WEIGHT), prompts.weight])
        return cls(catalogue, finder, joined, weight)

    def far_from(self, tested: Sequence[str], *, keep_first: int = 0) -> Material:
        """Return it without near-duplicates of test rows.

        Parameters
        ----------
        tested
            Texts of the test rows.
        keep_first
            So many prompts stay: they are test rows themselves, and folds part them.

        Returns
        -------
        Material
            In the same order.
        """
        keep = far_from(list(tested), self.table)
        keep[:keep_first] = True
        return replace(self, table=self.table.take(keep), weight=self.weight[keep])

    def apart_from(self, tested: Sequence[str], clean: Sequence[str]) -> Material:
        """Return it for a test on written rows, with thresholds set by clean prompts that folds part.

        Parameters
        ----------
        tested
            Texts of the test rows.
        clean
            Clean prompts: they stay, since a fold leaves its own out, but no other near-duplicate of them does.

        Returns
        -------
        Material
            In the same order.
        """
        own = {text_key(text) for text in clean}
        keep = far_from(list(tested), self.table)
        keep &= far_from(list(clean), self.table) | [text_key(e.text) in own for e in self.table.examples]
        return replace(self, table=self.table.take(keep), weight=self.weight[keep])

    def fit(self, keep: Bool, recipe: Recipe | None = None) -> Head:
        """Fit a head on some of the prompts, bool ``(n,)``."""
        part = self.table.take(keep)
        return fit_head(part, self.weight[keep], inner_groups(part.examples), recipe)


def scorer_of(head: Head, encoder: Path, catalogue: Path, thresholds: Thresholds) -> Scorer:
    """Return a guard of a head, through a bundle that is written and loaded as any other.

    Parameters
    ----------
    head
        Fitted.
    encoder
        Folder of the static encoder.
    catalogue
        Compiled file.
    thresholds
        Of the bundle.

    Returns
    -------
    callable
        Texts to scores.
    """
    from ipguard.training.package import write_bundle

    with TemporaryDirectory() as folder:
        write_bundle(folder, head, encoder, thresholds, bundle_version=__version__, data={}, scores={})
        guard = Guard(model=folder, catalogue=catalogue)
        guard.score("the bundle names its version while its folder is there")

    def score(texts: Sequence[str]) -> Scores:
        return guard_scores(guard, texts)

    return score


@dataclass(frozen=True)
class Encoders:
    """The static encoder of each fold.

    Attributes
    ----------
    shipped
        Folder of the encoder of the bundle that is measured.
    base
        Folder of the encoder that it was fine-tuned from; None if it was trained on no work, and serves every fold.
    epochs
        Passes of the fine-tuning.
    catalogue, prompts
        What it is fine-tuned on.
    cache
        Folder that keeps the encoders of folds.
    """

    shipped: Path
    base: Path | None
    epochs: int
    catalogue: Catalogue
    prompts: Prompts
    cache: Path

    def of(self, fold: Fold) -> Path:
        """Return the folder of an encoder that has seen neither works nor texts of a fold.

        Parameters
        ----------
        fold
            Test rows.

        Returns
        -------
        pathlib.Path
            Fine-tuned on first use.
        """
        if self.base is None:
            return self.shipped
        from ipguard.training.finetune import Recipe as Tuning
        from ipguard.training.finetune import finetune

        seen = [e for e in (*self.prompts.own, *self.prompts.public) if text_key(e.text) not in fold.texts]
        parts = [StaticEncoder(self.base).identity, str(self.epochs), digest(seen), *sorted(fold.works)]
        parts += [
            f"{lang} {text}"
            for w in self.catalogue.works.values()
            for i in (w, *w.items)
            for lang, text in i.descriptions.items()
        ]
        out = self.cache / "encoders" / sha256("\n".join(parts).encode()).hexdigest()[:16]
        if not (out / "modules.json").is_file():
            finetune(self.base, out, self.catalogue, seen, recipe=Tuning(epochs=self.epochs), without=fold.works)
        return out


def finder_of(compiled: CompiledCatalogue, encoder: Path) -> Finder:
    """Return what finds evidence in a catalogue by an encoder, its descriptions encoded afresh."""
    return Finder(compiled, StaticEncoder(encoder))


def masked(table: Table, columns: Sequence[int]) -> Table:
    """Return a table in which some features say nothing."""
    candidates = table.candidates.copy()
    candidates[:, list(columns)] = 0
    return replace(table, candidates=candidates)
