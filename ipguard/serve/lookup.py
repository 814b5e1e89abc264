"""The catalogue in force, looked up by name and by id."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import PERSON, SENSE_CODES, SWAPPED, CompiledCatalogue
from ipguard.text.normalize import fold

_SENSES = {code: sense for sense, code in SENSE_CODES.items()}
_MIN_INNER = 2
"""Bytes from which a query is also looked for inside names."""


_Rank = tuple[int, int, str, int]
"""How well a name fits, its length unless it is the title, the work's id, and the entry."""


class Lookup:
    """Finds works of a compiled catalogue.

    Parameters
    ----------
    compiled
        The catalogue that prompts are matched against.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self._compiled = compiled

    @cached_property
    def _blob(self) -> bytes:
        return self._compiled.patterns.block.tobytes()

    @cached_property
    def _by_subject(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
        """Entries ordered by subject, and their subjects; a real person's name has none."""
        subject = np.where(self._compiled.flags & PERSON, -1, self._compiled.subject)
        order = np.argsort(subject, kind="stable")
        return order, subject[order]

    def search(self, query: str, medium: str = "") -> list[tuple[int, str | None]]:
        """Find works by a name of theirs or of their characters and things.

        Parameters
        ----------
        query
            In any language; empty for all works by title.
        medium
            Only works of this medium, where one is given.

        Returns
        -------
        list of tuple
            What :meth:`summary` takes: a work's index, and the name by which it was found where that is not its
            title. Whole names first, then beginnings, then any part.
        """
        found = self._by_name(fold(query).chars) if query else [(work, None) for work in self._by_title]
        infos = self._compiled.meta.works
        return [(work, name) for work, name in found if not medium or medium in infos[work].media]

    @cached_property
    def _by_title(self) -> list[int]:
        infos = self._compiled.meta.works
        return sorted(range(len(infos)), key=lambda work: (fold(infos[work].title).chars, infos[work].id))

    @cached_property
    def media(self) -> list[str]:
        """Media of the works, the most frequent first."""
        counts = Counter(medium for info in self._compiled.meta.works for medium in info.media)
        return [medium for medium, _ in counts.most_common()]

    def _by_name(self, needle: str) -> list[tuple[int, str | None]]:
        ranks: dict[int, _Rank] = {}
        if not needle:
            return []
        for pattern in self._beginning(needle):
            self._rank(ranks, pattern, needle)
        if len(needle.encode("utf-8", "surrogatepass")) >= _MIN_INNER:
            for pattern in self._holding(needle):
                self._rank(ranks, pattern, needle)
        order = sorted(ranks, key=ranks.__getitem__)
        return [(work, self._compiled.texts[ranks[work][3]] if ranks[work][1] else None) for work in order]

    def _beginning(self, needle: str) -> Iterator[int]:
        patterns = self._compiled.patterns
        for at in range(bisect_left(patterns, needle), len(patterns)):
            if not patterns[at].startswith(needle):
                return
            yield at

    def _holding(self, needle: str) -> Iterator[int]:
        wanted, starts = needle.encode("utf-8", "surrogatepass"), self._compiled.patterns.starts
        at = self._blob.find(wanted)
        while at >= 0:
            pattern = int(np.searchsorted(starts, at, side="right")) - 1
            end = int(starts[pattern + 1])
            if at + len(wanted) <= end:
                yield pattern
            at = self._blob.find(wanted, max(end - len(wanted) + 1, at + 1))

    def _rank(self, ranks: dict[int, _Rank], pattern: int, needle: str) -> None:
        compiled, name = self._compiled, self._compiled.patterns[pattern]
        kind = 0 if name == needle else 1 if name.startswith(needle) else 2
        for entry in range(int(compiled.first[pattern]), int(compiled.first[pattern + 1])):
            if compiled.flags[entry] & PERSON:
                continue
            work = int(compiled.subjects.works[compiled.subject[entry]])
            info = compiled.meta.works[work]
            own = fold(info.title).chars == name
            rank = (kind, 0 if own else len(name), info.id, entry)
            ranks[work] = min(ranks.get(work, rank), rank)

    def summary(self, work: int, name: str | None = None) -> dict[str, Any]:
        """Return what a list shows of a work, with the name by which it was found."""
        info, meta = self._compiled.meta.works[work], self._compiled.meta
        return {
            "id": info.id,
            "title": info.title,
            "name": name,
            "media": list(info.media),
            "country": info.country,
            "status": info.status,
            "brand": info.brand,
            "rights_holders": [{"id": party, "name": meta.parties.get(party, party)} for party in info.rights_holders],
            "items": int(self._compiled.depth[work]) - 1,
        }

    def work(self, work_id: str) -> dict[str, Any] | None:
        """Return all that the compiled catalogue holds of a work.

        Parameters
        ----------
        work_id
            Its id.

        Returns
        -------
        dict or None
            None if there is no such work.
        """
        work = self._compiled.work_index.get(work_id)
        if work is None:
            return None
        subjects = np.flatnonzero(self._compiled.subjects.works == work).tolist()
        parts = [self._subject(subject) for subject in subjects]
        own = next(part for part in parts if part["id"] is None)
        related = [self._compiled.meta.works[at] for at in self._compiled.meta.works[work].relatives if at != work]
        return {
            **self.summary(work),
            "names": own["names"],
            "descriptions": own["descriptions"],
            "generic": own["generic"],
            "relatives": [{"id": other.id, "title": other.title} for other in related],
            "items": [part for part in parts if part["id"] is not None],
        }

    def _subject(self, subject: int) -> dict[str, Any]:
        compiled, info = self._compiled, self._compiled.subjects[subject]
        texts = np.flatnonzero(compiled.description_subject == subject).tolist()
        return {
            "id": info.item,
            "title": info.title,
            "kind": info.kind,
            "status": info.status,
            "generic": info.generic,
            "names": self._names(subject),
            "descriptions": {
                compiled.meta.langs[compiled.description_lang[at]]: compiled.descriptions[at] for at in texts
            },
        }

    def _names(self, subject: int) -> list[dict[str, str]]:
        compiled = self._compiled
        order, subjects = self._by_subject
        start, stop = np.searchsorted(subjects, [subject, subject + 1])
        found: dict[tuple[str, str], dict[str, str]] = {}
        for entry in sorted(order[start:stop].tolist()):
            if compiled.flags[entry] & SWAPPED:
                continue
            text, lang = compiled.texts[entry], compiled.meta.langs[compiled.lang[entry]]
            found[text, lang] = {"text": text, "lang": lang, "sense": _SENSES[int(compiled.sense[entry])]}
        return sorted(found.values(), key=lambda name: (name["lang"], name["text"]))
