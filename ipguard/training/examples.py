"""From labelled prompts to rows that a classifier can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.catalogue.store import Catalogue, resolve_label
from ipguard.evaluation.data import Example
from ipguard.evidence.features import FEATURES, feature_rows, prompt_features
from ipguard.evidence.finder import Finder

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
UNKNOWN, NEGATIVE, POSITIVE = -1, 0, 1


@dataclass(frozen=True)
class Table:
    """Features and targets of some prompts.

    Attributes
    ----------
    candidates
        float32 ``(c, features)``.
    owner
        int64 ``(c,)``: prompt of each candidate.
    franchise, style
        int8 ``(c,)``: 1, 0, or -1 where the label does not tell.
    counts
        bool ``(c,)``: whether the candidate can raise the franchise risk.
    right
        bool ``(c,)``: whether it is a labelled work or a relative of one.
    named
        bool ``(c,)``: whether a name speaks for the candidate.
    prompts
        float32 ``(n, dimensions + 7)``.
    examples
        The prompts themselves.
    """

    candidates: Float
    owner: npt.NDArray[np.int64]
    franchise: npt.NDArray[np.int8]
    style: npt.NDArray[np.int8]
    counts: Bool
    right: Bool
    named: Bool
    prompts: Float
    examples: tuple[Example, ...]

    def take(self, rows: npt.NDArray[np.bool_]) -> Table:
        """Return the part of some prompts.

        Parameters
        ----------
        rows
            bool ``(n,)``.

        Returns
        -------
        Table
            Their candidates, renumbered.
        """
        inside = rows[self.owner]
        number = np.cumsum(rows) - 1
        return Table(
            self.candidates[inside],
            number[self.owner[inside]],
            self.franchise[inside],
            self.style[inside],
            self.counts[inside],
            self.right[inside],
            self.named[inside],
            self.prompts[rows],
            tuple(example for example, kept in zip(self.examples, rows.tolist(), strict=True) if kept),
        )

    def labelled(self, *labels: str) -> Bool:
        """Return which prompts have one of some labels, bool ``(n,)``."""
        return np.array([example.label in labels for example in self.examples], dtype=bool)


def _targets(example: Example, right: bool, resolved: bool) -> tuple[int, int]:
    """Franchise and style target of one candidate.

    A "yes" names the works that the labeller saw, not every one there is: another candidate of the same
    prompt is unknown. Where none of the labelled works is in the catalogue nothing is known of any.
    """
    if example.label == "yes":
        return (POSITIVE, UNKNOWN) if right else (UNKNOWN, UNKNOWN)
    if example.label == "style":
        return NEGATIVE, (POSITIVE if right else UNKNOWN if not resolved else NEGATIVE)
    return NEGATIVE, NEGATIVE


def tabulate(finder: Finder, catalogue: Catalogue, examples: Sequence[Example]) -> Table:
    """Compute features and targets.

    Parameters
    ----------
    finder
        Gives the evidence.
    catalogue
        Resolves the labels' works.
    examples
        Labelled prompts.

    Returns
    -------
    Table
        In the order of the examples.
    """
    compiled: CompiledCatalogue = finder.compiled
    rows: list[Float] = []
    owner: list[int] = []
    franchise: list[int] = []
    style: list[int] = []
    right: list[bool] = []
    named: list[bool] = []
    prompts: list[Float] = []
    counts: list[bool] = []
    for start in range(0, len(examples), 256):
        chunk = examples[start : start + 256]
        for offset, found in enumerate(finder.find([e.text for e in chunk])):
            example = chunk[offset]
            answers = right_works(compiled, catalogue, example)
            rows.append(feature_rows(compiled, found))
            prompts.append(prompt_features(found))
            for candidate in found.candidates:
                info = compiled.meta.works[candidate.work]
                fits = candidate.work in answers
                one, two = _targets(example, fits, bool(answers))
                owner.append(start + offset)
                franchise.append(one)
                style.append(two)
                right.append(fits)
                named.append(bool(candidate.hits))
                counts.append(info.status == "protected" and not info.brand)
    return Table(
        np.concatenate(rows) if rows else np.zeros((0, len(FEATURES)), np.float32),
        np.array(owner, dtype=np.int64),
        np.array(franchise, dtype=np.int8),
        np.array(style, dtype=np.int8),
        np.array(counts, dtype=bool),
        np.array(right, dtype=bool),
        np.array(named, dtype=bool),
        np.stack(prompts) if prompts else np.zeros((0, 0), np.float32),
        tuple(examples),
    )


def right_works(compiled: CompiledCatalogue, catalogue: Catalogue, example: Example) -> frozenset[int]:
    """Return the works that answer a label: the labelled ones and their relatives.

    Parameters
    ----------
    compiled, catalogue
        The same catalogue in both forms.
    example
        A labelled prompt.

    Returns
    -------
    frozenset of int
        Indices of works.
    """
    named = {work for label in example.works for work in resolve_label(catalogue, label)}
    index = compiled.work_index
    return frozenset(r for work in named if work in index for r in compiled.meta.works[index[work]].relatives)
