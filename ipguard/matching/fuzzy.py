"""Misspelled names: words that no ordinary text holds, one or two edits away from a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from rapidfuzz.distance import OSA

from ipguard.catalogue.build import MIN_FUZZY_KANA, MIN_FUZZY_LATIN, allowed_edits, deletion_key, deletions
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.text.frequency import is_ordinary
from ipguard.text.normalize import BREAK, Folded
from ipguard.text.scripts import Script, script_of

MAX_WORDS, MAX_JOINED = 24, 3
"""Unknown words looked up of one prompt, and neighbouring words joined to one name."""


class FuzzyMatcher:
    """Looks unknown words up in the deletion index of a compiled catalogue.

    A name and a misspelling of it share a form with few characters deleted (the symmetric delete scheme of
    SymSpell, W. Garbe 2012); candidates are then verified by optimal string alignment distance.

    Parameters
    ----------
    compiled
        The catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self._keys, self._owners = compiled.fuzzy_keys, compiled.fuzzy_patterns
        self._patterns = compiled.patterns

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
        if not edits or len(text) > 30:
            return None
        forms = np.array([deletion_key(form) for form in deletions(text, edits)], dtype=np.uint32)
        low = np.searchsorted(self._keys, forms, side="left")
        high = np.searchsorted(self._keys, forms, side="right")
        candidates = {int(p) for s, e in zip(low, high, strict=True) for p in self._owners[s:e]}
        best: tuple[int, int] | None = None
        for pattern in sorted(candidates):
            name = self._patterns[pattern]
            limit = min(allowed_edits(name), max(edits, 1))
            distance = OSA.distance(text, name, score_cutoff=limit)
            # The first letter is almost never the one mistyped; two edits there are another word.
            if 0 < distance <= limit and (distance == 1 or text[0] == name[0]) and (best is None or distance < best[1]):
                best = (pattern, int(distance))
        return best
