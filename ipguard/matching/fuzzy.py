"""Misspelled names: words that no ordinary text holds, one or two edits away from a name."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA

from ipguard.catalogue.build import (
    MAX_FUZZY,
    MIN_FUZZY_KANA,
    MIN_FUZZY_LATIN,
    allowed_edits,
    deletion_key,
    deletions,
)
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.text.frequency import is_ordinary, zipf
from ipguard.text.normalize import BREAK, Folded
from ipguard.text.scripts import Script, script_of

MAX = "\U0010ffff"
MAX_WORDS, MAX_JOINED = 24, 3
"""Unknown words looked up of one prompt, and neighbouring words joined to one name."""
COMMON = 3.8
"""Zipf frequency from which both halves make a katakana word an ordinary compound, as in ヘッドショット.

Latin letters are left out: the short pieces of misspelled names are words of some language (pica, chu).
"""


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
        self._by_letter: dict[str, _Names] = {}

    def find(self, folded: Folded) -> Iterator[tuple[int, int, int, int]]:
        """Find misspelled names.

        Parameters
        ----------
        folded
            The exact view.

        Yields
        ------
        tuple of int
            Range of folded characters, pattern, and distance.
        """
        words = folded.words
        unknown = [at for at, (start, end) in enumerate(words) if self._unknown(folded.chars[start:end])]
        if not unknown:
            return
        windows = [list(self._windows(folded, words, at)) for at in unknown[:MAX_WORDS]]
        nearest = self._nearest({folded.chars[start:end] for own in windows for start, end in own})
        for own in windows:
            best: tuple[int, int, int, int] | None = None
            for start, end in own:
                found = nearest.get(folded.chars[start:end])
                if found and (best is None or (found[1], start - end) < (best[3], best[0] - best[1])):
                    best = (start, end, *found)
            if best:
                yield best

    @staticmethod
    def _unknown(word: str) -> bool:
        if len(word) > MAX_FUZZY + 2:
            return False
        if word.isascii():
            return len(word) >= 4 and word.isalpha() and not is_ordinary(word)
        katakana = all(script_of(c) == Script.KATAKANA for c in word)
        return katakana and len(word) >= MIN_FUZZY_KANA and not is_ordinary(word) and not _compound(word)

    @staticmethod
    def _windows(folded: Folded, words: Sequence[tuple[int, int]], at: int) -> Iterator[tuple[int, int]]:
        """Ranges of up to three words that hold the unknown one and cross no break."""
        for first in range(max(0, at - MAX_JOINED + 1), at + 1):
            for last in range(at, min(len(words), first + MAX_JOINED)):
                start, end = words[first][0], words[last][1]
                if end - start <= MAX_FUZZY + 2 and BREAK not in folded.gap_bytes[start + 1 : end]:
                    yield start, end

    def _nearest(self, texts: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Pattern and distance of the nearest name within the allowed edits, of the texts that have one."""
        edits = {text: allowed_edits(text) or (1 if _almost_long_enough(text) else 0) for text in texts}
        found = self._one_edit([text for text, allowed in edits.items() if allowed])
        for text, allowed in edits.items():
            if allowed > 1 and text not in found and (near := self._two_edits(text)) is not None:
                found[text] = near
        return found

    def _one_edit(self, texts: Sequence[str]) -> dict[str, tuple[int, int]]:
        forms = [deletions(text) for text in texts]
        keys = np.array([deletion_key(form) for own in forms for form in own], dtype=np.uint32)
        owners = [number for number, own in enumerate(forms) for _ in own]
        low = self._keys.searchsorted(keys)
        known = np.flatnonzero(self._keys[np.minimum(low, len(self._keys) - 1)] == keys) if len(self._keys) else low[:0]
        high = self._keys.searchsorted(keys[known], side="right")
        candidates: defaultdict[int, set[int]] = defaultdict(set)
        for at, start, end in zip(known.tolist(), low[known].tolist(), high.tolist(), strict=True):
            candidates[owners[at]].update(self._owners[start:end].tolist())
        found: dict[str, tuple[int, int]] = {}
        for number, patterns in candidates.items():
            text = texts[number]
            near = (p for p in sorted(patterns) if OSA.distance(text, self._patterns[p], score_cutoff=1) == 1)
            first = next(near, None)
            if first is not None:
                found[text] = (first, 1)
        return found

    def _two_edits(self, text: str) -> tuple[int, int] | None:
        """The first letter is almost never the one mistyped, so names of other letters are not looked at."""
        names = self._letter(text[0])
        low, high = names.lengths.searchsorted([len(text) - 2, len(text) + 3]).tolist()
        alike = np.flatnonzero(np.bitwise_count(names.letters[low:high] ^ _letters(text)) <= 4) + low
        near = [names.patterns[at] for at in alike if OSA.distance(text, names.texts[at], score_cutoff=2) <= 2]
        return (min(near), 2) if near else None

    def _letter(self, letter: str) -> _Names:
        """Long names that begin with a letter; they are read when one is first asked for."""
        held = self._by_letter.get(letter)
        if held is None:
            # Patterns are sorted, so those of a letter lie together.
            read = self._patterns.__getitem__
            bounds = [bisect_left(self._distant, mark, key=read) for mark in (letter, letter + MAX)]
            held = self._by_letter[letter] = _Names.of(self._patterns, self._distant[slice(*bounds)].tolist())
        return held


def _compound(word: str) -> bool:
    cuts = range(2, len(word) - 1)
    return any(zipf(word[:at]) >= COMMON and zipf(word[at:]) >= COMMON for at in cuts)


@dataclass(frozen=True, slots=True)
class _Names:
    """Names that share their first letter, the shortest first.

    Lengths and sets of letters tell at once that most are more than two edits away: an edit changes the length by one
    at most, and the set by two.
    """

    texts: list[str]
    patterns: list[int]
    lengths: npt.NDArray[np.int32]
    letters: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, patterns: Sequence[str], numbers: list[int]) -> _Names:
        named = sorted(((patterns[number], number) for number in numbers), key=lambda pair: len(pair[0]))
        texts = [text for text, _ in named]
        lengths = np.array([len(text) for text in texts], dtype=np.int32)
        letters = np.array([_letters(text) for text in texts], dtype=np.uint32)
        return cls(texts, [number for _, number in named], lengths, letters)


def _letters(text: str) -> int:
    """The set of Latin letters of a text, a bit a letter."""
    return sum(1 << (ord(char) - 97) for char in set(text))


def _almost_long_enough(text: str) -> bool:
    return len(text) == MIN_FUZZY_LATIN - 1 and text.isascii()
