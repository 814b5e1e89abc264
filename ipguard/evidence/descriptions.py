"""Description evidence: which subjects of the catalogue a prompt's clauses resemble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.encoding.base import Encoder, TokenEncoder, Vectors, unit_rows
from ipguard.encoding.codes import HIGHEST, Products, quantise, scan_of
from ipguard.evidence.table import DescriptionTable
from ipguard.text.clauses import Clause, clauses

TOP = 8
"""Descriptions kept of each text."""
_HEADS = 1024
_TOGETHER = 16
_SLACK = 0.012
"""How far the similarity of codes may be off: the largest error over 1,180 prompts and all descriptions was 0.0085."""


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
    coverage
        How much of the description the whole prompt holds, token by token, in [0, 1]; 0 where the encoder cannot
        tell.
    """

    subject: int
    similarity: float
    clause: Clause
    coverage: float = 0.0


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
    table
        Vectors of the catalogue's descriptions.
    """

    def __init__(self, compiled: CompiledCatalogue, encoder: Encoder, table: DescriptionTable) -> None:
        self.encoder = encoder
        self._compare = encoder.coverage if isinstance(encoder, TokenEncoder) else _nothing
        self._texts = compiled.descriptions
        self._subject = compiled.description_subject
        self._work = compiled.subjects.works[self._subject] if len(self._subject) else np.zeros(0, dtype=np.int32)
        self._table = table
        self._scan = scan_of(table.codes)
        self._order = np.argsort(self._work, kind="stable")
        self._bounds = np.searchsorted(self._work[self._order], np.arange(len(compiled.meta.works) + 1)).tolist()
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
        if not prompts:
            return []
        pieces = [clauses(prompt) for prompt in prompts]
        # A prompt of one clause is that clause.
        spans = [[Clause(p, 0, len(p)), *(cut if len(cut) > 1 else ())] for p, cut in zip(prompts, pieces, strict=True)]
        raw = self.encoder.encode([span.text for own in spans for span in own])
        firsts = [0, *accumulate(map(len, spans))]
        whole = raw[firsts[:-1]]
        if not len(self._subject):
            return [DescriptionEvidence({}, vector) for vector in whole]
        rows = self._centred(raw, langs, [len(own) for own in spans])
        peaks = np.maximum.reduceat(np.abs(rows).max(1), firsts[:-1])
        scales = HIGHEST / np.maximum(peaks, 1e-6)
        codes = quantise(rows, np.repeat(scales, [len(own) for own in spans])[:, None].astype(np.float32))
        out: list[DescriptionEvidence] = []
        for group in _groups(firsts):
            base = firsts[group.start]
            products = self._scan.products(codes[base : firsts[group.stop]])
            highest = _highest(products, [firsts[number] - base for number in group], 2 * TOP)
            for number, top in zip(group, highest, strict=True):
                first, last = firsts[number], firsts[number + 1]
                slack = int(_SLACK * self._table.scale * scales[number])
                own = self._best_of(wanted[number], products[first - base : last - base], slack)
                nearest = self._nearest(rows[first:last], spans[number], np.concatenate([top, own]))
                out.append(DescriptionEvidence(nearest, whole[number]))
        return out

    def _centred(self, rows: Vectors, langs: Sequence[str | None], counts: Sequence[int]) -> Vectors:
        """Rows less what prompts of their language have in common with any text."""
        means = [self._table.mean(self._lang_of.get(lang or "en", -1)) for lang in langs]
        centred = unit_rows(rows - np.repeat(np.stack(means), counts, axis=0))
        centred[~rows.any(1)] = 0
        return centred

    def _of(self, work: int) -> npt.NDArray[np.intp]:
        """Descriptions of a work and its items."""
        return self._order[self._bounds[work] : self._bounds[work + 1]]

    def _best_of(self, works: set[int], products: Products, slack: int) -> npt.NDArray[np.intp]:
        """Descriptions of works that may be the nearest of their work."""
        owned = [own for work in works if len(own := self._of(work))]
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
        similarity = self._table.similarity(rows, places)
        best, clause = similarity.max(0), similarity.argmax(0).tolist()
        count = min(2 * TOP, len(self._subject))
        first = np.argsort(-best[:count])[:TOP].tolist()
        values, works, subjects = best.tolist(), self._work[places].tolist(), self._subject[places].tolist()
        chosen: dict[int, int] = {}
        for at in (*first, *range(count, len(places))):
            known = chosen.get(works[at])
            if known is None or values[known] < values[at]:
                chosen[works[at]] = at
        covered = self._compare(spans[0].text, [self._texts[int(places[at])] for at in chosen.values()]).tolist()
        return {
            work: Nearest(subjects[at], values[at], spans[clause[at]], share)
            for (work, at), share in zip(chosen.items(), covered, strict=True)
        }


def _nothing(_text: str, others: Sequence[str]) -> Vectors:
    return np.zeros(len(others), dtype=np.float32)


def _groups(firsts: Sequence[int]) -> Iterator[range]:
    """Runs of prompts of some sixteen texts together: the table is read once for all of them."""
    start = 0
    for end in range(1, len(firsts)):
        if end + 1 == len(firsts) or firsts[end + 1] - firsts[start] > _TOGETHER:
            yield range(start, end)
            start = end


def _highest(products: Products, firsts: Sequence[int], count: int) -> npt.NDArray[np.intp]:
    """Places of the largest values of each prompt over its rows, in no order: ``(prompts, min(count, columns))``.

    Every :data:`_HEADS`-th column makes a block, so that heads of blocks are maxima of whole stretches of memory, and
    only blocks whose head is among the first are looked into: the same result for a fraction of the work.
    """
    total = products.shape[1]
    if total <= 2 * count * _HEADS:
        return _largest(np.maximum.reduceat(products, firsts, axis=0), count)
    depth = total // _HEADS
    heads = products[:, : depth * _HEADS].reshape(len(products), depth, _HEADS).max(1)
    blocks = _largest(np.maximum.reduceat(heads, firsts, axis=0), count)
    inside = (blocks[:, :, None] + np.arange(0, depth * _HEADS, _HEADS)).reshape(len(blocks), -1)
    beyond = np.broadcast_to(np.arange(depth * _HEADS, total), (len(blocks), total - depth * _HEADS))
    places = np.concatenate([inside, beyond], axis=1)
    counts = np.diff([*firsts, len(products)])
    values = np.take_along_axis(products, np.repeat(places, counts, axis=0), axis=1)
    return np.take_along_axis(places, _largest(np.maximum.reduceat(values, firsts, axis=0), count), axis=1)


def _largest(values: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.intp]:
    """Places of the largest values of each row, in no order."""
    if values.shape[1] <= count:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, -count, axis=1)[:, -count:]
