"""Description evidence: which subjects of the catalogue a prompt's clauses resemble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.encoding.base import Encoder, Vectors, unit_rows
from ipguard.encoding.codes import HIGHEST, Products, quantise, scan_of
from ipguard.text.clauses import Clause, clauses

TOP = 8
"""Descriptions kept of each text."""
_HEADS = 512
_TOGETHER = 16
_SLACK = 0.012
"""How far codes may be off: seven standard deviations of the error that rounding makes in a similarity."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The description of a work that a prompt resembles most.

    Attributes
    ----------
    subject
        Index into the subjects.
    similarity
        Cosine, less what a prompt of that language has with any description.
    clause
        The piece of the prompt.
    """

    subject: int
    similarity: float
    clause: Clause


@dataclass(frozen=True, slots=True)
class DescriptionEvidence:
    """Similarities of one prompt.

    Attributes
    ----------
    nearest
        Work index to its nearest description, among the best of each clause.
    whole
        float32 ``(dimensions,)``: vector of the whole prompt.
    """

    nearest: dict[int, Nearest]
    whole: npt.NDArray[np.float32]


class DescriptionIndex:
    """Exact search over the vectors of all descriptions.

    A scan of 8-bit codes ranks all descriptions; those that may be among the nearest are compared exactly.

    Parameters
    ----------
    compiled
        The catalogue.
    encoder
        Makes the vectors of prompts.
    vectors
        float32 ``(descriptions, dimensions)``, unit rows, in the order of the catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue, encoder: Encoder, vectors: Vectors) -> None:
        self.encoder = encoder
        self._subject = compiled.description_subject
        self._work = compiled.subjects.works[self._subject] if len(self._subject) else np.zeros(0, dtype=np.int32)
        self._means = language_means(vectors, compiled.description_lang)
        self._overall = vectors.mean(0) if len(vectors) else np.zeros(encoder.dimensions, dtype=np.float32)
        self._vectors = centre(vectors, compiled.description_lang, self._means)
        self._scale = HIGHEST / float(np.abs(self._vectors).max(initial=1e-6))
        self._scan = scan_of(quantise(self._vectors, self._scale))
        order = np.argsort(self._work, kind="stable")
        bounds = np.searchsorted(self._work[order], np.arange(len(compiled.meta.works) + 1))
        self._of_work = [order[s:e] for s, e in pairwise(bounds.tolist())]
        self._lang_of = {code: at for at, code in enumerate(compiled.meta.langs)}

    def search(
        self, prompts: Sequence[str], langs: Sequence[str | None], wanted: Sequence[set[int]]
    ) -> list[DescriptionEvidence]:
        """Compare prompts with the catalogue.

        Parameters
        ----------
        prompts
            Original texts.
        langs
            Plain language of each, or None.
        wanted
            Works of each prompt whose similarity is needed although they may not be among the nearest.

        Returns
        -------
        list of DescriptionEvidence
            One a prompt.
        """
        pieces = [clauses(prompt) for prompt in prompts]
        # A prompt of one clause is that clause.
        spans = [[Clause(p, 0, len(p)), *(cut if len(cut) > 1 else ())] for p, cut in zip(prompts, pieces, strict=True)]
        raw = self.encoder.encode([span.text for own in spans for span in own])
        firsts = [0, *accumulate(map(len, spans))]
        whole = raw[firsts[:-1]]
        if not len(self._subject):
            return [DescriptionEvidence({}, vector) for vector in whole]
        rows = self._centred(raw, langs, [len(own) for own in spans])
        peaks = np.maximum.reduceat(np.abs(rows).max(1), firsts[:-1]) if prompts else np.zeros(0)
        scales = HIGHEST / np.maximum(peaks, 1e-6)
        codes = quantise(rows, np.repeat(scales, [len(own) for own in spans])[:, None].astype(np.float32))
        out: list[DescriptionEvidence] = []
        for group in _groups(firsts):
            products = self._scan.products(codes[firsts[group.start] : firsts[group.stop]])
            for number in group:
                first, last = firsts[number], firsts[number + 1]
                found = products[first - firsts[group.start] : last - firsts[group.start]]
                slack = int(_SLACK * self._scale * scales[number])
                places = np.concatenate([_highest(found, 2 * TOP), self._best_of(wanted[number], found, slack)])
                nearest = self._nearest(rows[first:last], spans[number], places)
                out.append(DescriptionEvidence(nearest, whole[number]))
        return out

    def _centred(self, rows: Vectors, langs: Sequence[str | None], counts: Sequence[int]) -> Vectors:
        """Rows less what prompts of their language have in common with any text."""
        means = [self._means.get(self._lang_of.get(lang or "en", -1), self._overall) for lang in langs]
        centred = unit_rows(rows - np.repeat(np.stack(means), counts, axis=0))
        centred[~rows.any(1)] = 0
        return centred

    def _best_of(self, works: set[int], products: Products, slack: int) -> npt.NDArray[np.intp]:
        """Descriptions of works that may be the nearest of their work."""
        owned = [own for work in works if len(own := self._of_work[work])]
        if not owned:
            return np.zeros(0, dtype=np.intp)
        places = np.concatenate(owned)
        best = products[:, places].max(0)
        counts = [len(own) for own in owned]
        peaks = np.maximum.reduceat(best, [0, *accumulate(counts[:-1])])
        near: npt.NDArray[np.intp] = places[best >= np.repeat(peaks - slack, counts)]
        return near

    def _nearest(self, rows: Vectors, spans: list[Clause], places: npt.NDArray[np.intp]) -> dict[int, Nearest]:
        """The nearest description of each work that is among the first or was asked for."""
        similarity = rows @ self._vectors[places].T
        best, clause = similarity.max(0), similarity.argmax(0).tolist()
        count = min(2 * TOP, len(self._subject))
        first = np.argsort(-best[:count])[:TOP].tolist()
        values, works, subjects = best.tolist(), self._work[places].tolist(), self._subject[places].tolist()
        nearest: dict[int, Nearest] = {}
        for at in (*first, *range(count, len(places))):
            known = nearest.get(works[at])
            if known is None or known.similarity < values[at]:
                nearest[works[at]] = Nearest(subjects[at], values[at], spans[clause[at]])
        return nearest


def _groups(firsts: Sequence[int]) -> Iterator[range]:
    """Runs of prompts of some sixteen texts together: the table is read once for all of them."""
    start = 0
    for end in range(1, len(firsts)):
        if end + 1 == len(firsts) or firsts[end + 1] - firsts[start] > _TOGETHER:
            yield range(start, end)
            start = end


def _highest(products: Products, count: int) -> npt.NDArray[np.intp]:
    """Places of the largest values over all rows, in no order.

    Every :data:`_HEADS`-th value makes a block, so that heads of blocks are maxima of whole rows, and only blocks whose
    head is among the first are looked into: the same result for a fraction of the work.
    """
    total = products.shape[1]
    if total <= 2 * count * _HEADS:
        return largest(products.max(0), count)
    depth = total // _HEADS
    heads = products[:, : depth * _HEADS].reshape(len(products), depth, _HEADS).max((0, 1))
    blocks = largest(heads, count)
    places = np.concatenate(
        [(blocks[:, None] + np.arange(0, depth * _HEADS, _HEADS)).ravel(), np.arange(depth * _HEADS, total)]
    )
    return places[largest(products[:, places].max(0), count)]


def largest(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.intp]:
    """Return the places of the largest values, in no order.

    Parameters
    ----------
    values
        Numbers ``(n,)``.
    count
        How many.

    Returns
    -------
    numpy.ndarray
        int ``(min(count, n),)``.
    """
    return np.argpartition(values, -count)[-count:] if len(values) > count else np.arange(len(values))


def language_means(vectors: Vectors, langs: npt.NDArray[np.uint8]) -> dict[int, npt.NDArray[np.float32]]:
    """Return the mean vector of each language with at least fifty descriptions.

    Parameters
    ----------
    vectors
        float32 ``(n, d)``.
    langs
        uint8 ``(n,)``.

    Returns
    -------
    dict
        Language code of the catalogue to float32 ``(d,)``.
    """
    codes, counts = np.unique(langs, return_counts=True)
    return {int(c): vectors[langs == c].mean(0) for c, n in zip(codes, counts, strict=True) if n >= 50}


def centre(vectors: Vectors, langs: npt.NDArray[np.uint8], means: dict[int, npt.NDArray[np.float32]]) -> Vectors:
    """Subtract each language's mean, so that texts of different languages meet on equal terms.

    Parameters
    ----------
    vectors
        float32 ``(n, d)``.
    langs
        uint8 ``(n,)``.
    means
        As from :func:`language_means`.

    Returns
    -------
    numpy.ndarray
        float32 ``(n, d)``, unit rows.
    """
    if not len(vectors):
        return vectors
    overall = vectors.mean(0)
    shifts = np.stack([means.get(code, overall) for code in range(int(langs.max()) + 1)])
    return unit_rows(vectors - shifts[langs])
