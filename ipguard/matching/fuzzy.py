"""Misspelled names: words that no ordinary text holds, one or two edits away from a name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ipguard.catalogue.build import (
    MAX_FUZZY,
    MIN_FUZZY_KANA,
    MIN_FUZZY_LATIN,
    MIN_TWO_EDITS,
    allowed_edits,
    deletion_key,
    deletions,
)
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.text.frequency import is_ordinary
from ipguard.text.normalize import BREAK, Folded
from ipguard.text.scripts import Script, script_of

MAX = "\U0010ffff"
MAX_WORDS, MAX_JOINED = 24, 3
"""Unknown words looked up of one prompt, and neighbouring words joined to one name."""


class FuzzyMatcher:
    """Looks unknown words up in the deletion index of a compiled catalogue.

    A name and a misspelling of it by one edit share a form with one character deleted (the symmetric delete scheme
    of SymSpell, W. Garbe 2012); for two edits, names of the same first letter and nearly the same length are compared.
    Either way the optimal string alignment distance decides.

    Parameters
    ----------
    compiled
        The catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self._keys, self._owners = compiled.fuzzy_keys, compiled.fuzzy_patterns
        self._patterns = compiled.patterns
        self._distant = compiled.fuzzy_distant
        self._by_letter: dict[str, dict[int, tuple[list[str], list[int]]]] = {}

    def find(self, folded: Folded, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int, int]]:
        """Find misspelled names.

        Parameters
        ----------
        folded
            The exact view.
        spans
            Its words, as half-open ranges of folded characters.

        Yields
        ------
        tuple of int
            Range of folded characters, pattern, and distance.
        """
        words = list(spans)
        unknown = [at for at, (start, end) in enumerate(words) if self._unknown(folded.chars[start:end])]
        for at in unknown[:MAX_WORDS]:
            best: tuple[int, int, int, int] | None = None
            for first, last in self._windows(folded, words, at):
                start, end = words[first][0], words[last][1]
                found = self._nearest(folded.chars[start:end])
                if found and (best is None or (found[1], start - end) < (best[3], best[0] - best[1])):
                    best = (start, end, *found)
            if best:
                yield best

    @staticmethod
    def _unknown(word: str) -> bool:
        if word.isascii():
            return len(word) >= 4 and word.isalpha() and not is_ordinary(word)
        katakana = all(script_of(c) == Script.KATAKANA for c in word)
        return katakana and len(word) >= MIN_FUZZY_KANA and not is_ordinary(word)

    @staticmethod
    def _windows(folded: Folded, words: list[tuple[int, int]], at: int) -> Iterator[tuple[int, int]]:
        """Runs of up to three words that hold the unknown one and cross no break."""
        for first in range(max(0, at - MAX_JOINED + 1), at + 1):
            for last in range(at, min(len(words), first + MAX_JOINED)):
                inner = folded.gap_bytes[words[first][0] + 1 : words[last][1]]
                if BREAK not in inner:
                    yield first, last

    def _nearest(self, text: str) -> tuple[int, int] | None:
        """Pattern and distance of the nearest name within the allowed edits, or None."""
        edits = allowed_edits(text) or (1 if len(text) == MIN_FUZZY_LATIN - 1 and text.isascii() else 0)
        if not edits or len(text) > MAX_FUZZY + 2:
            return None
        return self._one_edit(text) or (self._two_edits(text) if edits > 1 else None)

    def _one_edit(self, text: str) -> tuple[int, int] | None:
        forms = np.array([deletion_key(form) for form in deletions(text)], dtype=np.uint32)
        low = self._keys.searchsorted(forms, side="left")
        high = self._keys.searchsorted(forms, side="right")
        places = np.flatnonzero(high > low)
        candidates = {int(p) for at in places for p in self._owners[low[at] : high[at]]}
        near = (p for p in sorted(candidates) if OSA.distance(text, self._patterns[p], score_cutoff=1) == 1)
        found = next(near, None)
        return None if found is None else (found, 1)

    def _two_edits(self, text: str) -> tuple[int, int] | None:
        """The first letter is almost never the one mistyped, so names of other letters are not looked at."""
        lengths = self._letter(text[0])
        near: list[int] = []
        for length in range(max(len(text) - 2, MIN_TWO_EDITS), len(text) + 3):
            names, owners = lengths.get(length, ((), ()))
            found = process.extract(text, names, scorer=OSA.distance, processor=None, score_cutoff=2, limit=None)
            near += [owners[place] for _, _, place in found]
        return (min(near), 2) if near else None

    def _letter(self, letter: str) -> dict[int, tuple[list[str], list[int]]]:
        """Long names that begin with a letter, by length; they are read when one is first asked for."""
        held = self._by_letter.get(letter)
        if held is None:
            held = {}
            # Patterns are sorted, so those of a letter lie together.
            read = self._patterns.__getitem__
            bounds = [bisect_left(self._distant, mark, key=read) for mark in (letter, letter + MAX)]
            for number in self._distant[slice(*bounds)].tolist():
                name = self._patterns[number]
                names, owners = held.setdefault(len(name), ([], []))
                names.append(name)
                owners.append(number)
            self._by_letter[letter] = held
        return held
