"""Description evidence: which subjects of the catalogue a prompt's clauses resemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.encoding.base import Encoder, Vectors, unit_rows
from ipguard.text.clauses import Clause, clauses

TOP = 8
"""Descriptions kept of each text."""
_BLOCK = 64
_TOGETHER = 32


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
        self._transposed = centre(vectors, compiled.description_lang, self._means).T
        self._overall = vectors.mean(0) if len(vectors) else np.zeros(encoder.dimensions, dtype=np.float32)
        order = np.argsort(self._work, kind="stable")
        bounds = np.searchsorted(self._work[order], np.arange(len(compiled.meta.works) + 1))
        self._of_work = [order[s:e] for s, e in pairwise(bounds)]
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
        texts = [*prompts, *(c.text for cs in pieces for c in cs if len(cs) > 1)]
        raw = self.encoder.encode(texts)
        jobs: list[tuple[Vectors, list[Clause]]] = []
        at = len(prompts)
        for number, (prompt, cut) in enumerate(zip(prompts, pieces, strict=True)):
            count = len(cut) if len(cut) > 1 else 0
            rows = np.concatenate([raw[number : number + 1], raw[at : at + count]])
            jobs.append((self._centred(rows, langs[number]), [Clause(prompt, 0, len(prompt)), *(cut if count else ())]))
            at += count
        out: list[DescriptionEvidence] = []
        for start in range(0, len(jobs), _TOGETHER):
            group = jobs[start : start + _TOGETHER]
            # One product for several prompts: the table is read from memory once, not once a prompt.
            similarity = np.concatenate([rows for rows, _ in group]) @ self._transposed
            first = 0
            for number, (rows, spans) in enumerate(group, start):
                nearest = self._nearest(similarity[first : first + len(rows)], spans, wanted[number])
                out.append(DescriptionEvidence(nearest, raw[number]))
                first += len(rows)
        return out

    def _centred(self, rows: Vectors, lang: str | None) -> Vectors:
        mean = self._means.get(self._lang_of.get(lang or "en", -1), self._overall)
        blank = ~rows.any(1)
        centred = unit_rows(rows - mean)
        centred[blank] = 0
        return centred

    def _nearest(self, similarity: Vectors, spans: list[Clause], wanted: set[int]) -> dict[int, Nearest]:
        if not len(self._subject):
            return {}
        best = similarity[0] if len(similarity) == 1 else similarity.max(0)
        top = largest(best, TOP)
        places = list(top[np.argsort(-best[top])])
        for work in wanted:
            own = self._of_work[work]
            if len(own):
                places.append(own[best[own].argmax()])
        nearest: dict[int, Nearest] = {}
        for place in places:
            work = int(self._work[place])
            value = float(best[place])
            if work not in nearest or nearest[work].similarity < value:
                nearest[work] = Nearest(int(self._subject[place]), value, spans[int(similarity[:, place].argmax())])
        return nearest


def largest(values: Vectors, count: int) -> npt.NDArray[np.intp]:
    """Return the places of the largest values, in no order.

    Parameters
    ----------
    values
        float32 ``(n,)``.
    count
        How many.

    Returns
    -------
    numpy.ndarray
        int ``(min(count, n),)``. Only blocks whose own largest value is among the first are looked into, which gives
        the same for a fraction of the work.
    """
    blocks = len(values) // _BLOCK
    if blocks <= 2 * count:
        return np.argpartition(values, -count)[-count:] if len(values) > count else np.arange(len(values))
    heads = values[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(1)
    chosen = np.argpartition(heads, -count)[-count:]
    places = (chosen[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    places = np.concatenate([places, np.arange(blocks * _BLOCK, len(values))])
    return places[np.argpartition(values[places], -count)[-count:]]


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
