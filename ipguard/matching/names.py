"""One automaton over all names: raw occurrences, filtered by boundaries, resolved to the longest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ipguard.catalogue.automaton import Occurrence, automaton
from ipguard.catalogue.compiled import PERSON, SWAPPED, CompiledCatalogue
from ipguard.matching.boundaries import ends_word, how_gaps_differ, inner_gaps, inside_words, starts_word
from ipguard.matching.fuzzy import FuzzyMatcher
from ipguard.text.frequency import is_ordinary, zipf
from ipguard.text.language import plain_language
from ipguard.text.normalize import BREAK, NO_GAP, Folded, fold
from ipguard.text.scripts import Script, script_of
from ipguard.text.views import evasion_views, signed_reading

ONLY, USUALLY, SOMETIMES, RARELY = range(4)
_MIN_INFLECTED, _MIN_GLUED, _MIN_SPLIT, _MIN_KANA_FOLD = 4, 6, 6, 5
_INFLECTIONS = ("s", "es")

COMMON, VERY_COMMON = 3.3, 4.5
"""Zipf frequencies from which a word counts as common, and as very common."""

MAX_HITS = 400
"""Hits kept of one prompt, in order of appearance; more are only met in lists of names."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one string may mean: a subject of the catalogue with the sense that the string has for it."""

    subject: int
    sense: int
    flags: int
    text: str
    zipf: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found in a prompt.

    Attributes
    ----------
    start, end
        Code points of the original, on grapheme boundaries.
    how
        ``exact``, ``joined``, ``split``, ``spaced``, ``glued``, ``inflected``, ``leet``, ``signs``,
        ``repeats``, ``kana`` or ``fuzzy``.
    distance
        Edits between the text and the name; 0 unless fuzzy.
    length
        Folded characters of the name.
    readings
        Subjects that the string may mean.
    person_roles
        Roles of the real persons that bear exactly this name.
    inside_person
        Roles of the real person whose longer name holds this span, or empty.
    """

    start: int
    end: int
    how: str
    distance: int
    length: int
    readings: tuple[Reading, ...]
    person_roles: tuple[str, ...] = ()
    inside_person: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    """An accepted occurrence before the longest are chosen."""

    start: int
    end: int
    pattern: int
    how: str
    distance: int = 0


class NameMatcher:
    """Finds the names of a compiled catalogue in prompts. Stateless after construction; thread-safe.

    Parameters
    ----------
    compiled
        The catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self.compiled = compiled
        self._patterns, self._texts, self._gaps = compiled.patterns, compiled.texts, compiled.gaps
        # Items of a memoryview are Python integers, several times quicker to reach than numpy's.
        self._first, self._subject = compiled.first.data, compiled.subject.data
        self._sense, self._flags, self._lang = (a.data for a in (compiled.sense, compiled.flags, compiled.lang))
        self._zipf = compiled.zipf.data
        # Of each pattern the most specific sense; a real person's name has none.
        senses = np.where(compiled.flags & PERSON, RARELY, compiled.sense)
        self._best = np.minimum.reduceat(senses, compiled.first[:-1]).data if len(senses) else senses.data
        self._automaton = automaton(compiled.patterns, compiled.automaton.tobytes(), compiled.meta.automaton)
        self._fuzzy = FuzzyMatcher(compiled)

    def find(self, prompt: str, folded: Folded | None = None) -> list[Hit]:
        """Find names in a prompt.

        Parameters
        ----------
        prompt
            The original text.
        folded
            Its exact view, if it was made already.

        Returns
        -------
        list of Hit
            In order of appearance; of overlapping ones those that no longer one holds.
        """
        exact = fold(prompt) if folded is None else folded
        if not exact.chars:
            return []
        raws = list(self._exact(exact))
        raws += self._evaded(prompt, exact)
        raws += self._misspelled(exact, raws)
        return self._resolve(prompt, raws)[:MAX_HITS]

    def _exact(self, folded: Folded) -> Iterator[_Raw]:
        gaps = folded.gap_bytes
        last = len(folded.chars)
        for start, end, pattern in self._possible(folded):
            inside = (start > 0 and gaps[start] == NO_GAP) or (end < last and gaps[end] == NO_GAP)
            how = self._accept(folded, pattern, start, end) if inside else self._spelling(folded, pattern, start, end)
            if how and not self._in_longer_word(folded, pattern, start, end):
                shown_end = end + 1 if how == "inflected" else end
                yield _Raw(*folded.span(start, shown_end), pattern, how)

    def _possible(self, folded: Folded) -> Iterator[Occurrence]:
        """Occurrences but for those that lie inside a word, as most do, and can be no inflected or glued name."""
        no_begin, no_end = inside_words(folded)
        scripts = folded.scripts
        for occurrence in self._automaton.find(folded.chars):
            start, end, _ = occurrence
            if no_begin[start] and (no_end[end] or end - start < _MIN_GLUED):
                continue
            if no_end[end] and end - start < _MIN_INFLECTED and scripts[start] != Script.HAN:
                continue
            yield occurrence

    def _accept(self, folded: Folded, pattern: int, start: int, end: int) -> str:
        """How an occurrence that touches other characters counts, or the empty string."""
        length = end - start
        begins, ends = starts_word(folded, start, length), ends_word(folded, end, length)
        if begins and ends:
            return self._spelling(folded, pattern, start, end)
        if length < 3 or not ("a" <= folded.chars[start] <= "z"):
            return self._free_chinese(folded, pattern, start, end)
        if begins and length >= _MIN_INFLECTED and self._best_sense(pattern) <= USUALLY:
            for ending in _INFLECTIONS:
                if (
                    self._inflects(pattern, ending)
                    and folded.chars.startswith(ending, end)
                    and ends_word(folded, end + len(ending), length + len(ending))
                ):
                    inner = NO_GAP in folded.gap_bytes[end : end + len(ending)]
                    return "inflected" if inner and self._spelling(folded, pattern, start, end) == "exact" else ""
        if length >= _MIN_GLUED and self._best_sense(pattern) == ONLY:
            return self._glued(folded, pattern, start, end, begins=begins, ends=ends)
        return ""

    def _inflects(self, pattern: int, ending: str) -> bool:
        """Whether a name with an ending is its plural: not of abbreviations, nor if it makes a commoner word."""
        text = self._texts[self._first[pattern]]
        return not text.isupper() and zipf(self._patterns[pattern] + ending) <= self._zipf[pattern] + 0.5

    def _free_chinese(self, folded: Folded, pattern: int, start: int, end: int) -> str:
        """Two-character names of Chinese need no boundary in Chinese text, which has none."""
        if end - start != 2 or script_of(folded.chars[start]) != Script.HAN or plain_language(folded.original) != "zh":
            return ""
        entries = range(self._first[pattern], self._first[pattern + 1])
        langs = self.compiled.meta.langs
        specific = any(langs[self._lang[e]] == "zh" and self._sense[e] == ONLY for e in entries)
        return self._spelling(folded, pattern, start, end) if specific else ""

    def _glued(self, folded: Folded, pattern: int, start: int, end: int, *, begins: bool, ends: bool) -> str:
        """A name at the beginning or end of a longer word that no ordinary text holds."""
        if not (begins or ends) or any(folded.gap_bytes[start + 1 : end]):
            return ""
        low, high = start, end
        while low > 0 and folded.gap_bytes[low] == NO_GAP and folded.chars[low - 1].isascii():
            low -= 1
        while high < len(folded.chars) and folded.gap_bytes[high] == NO_GAP and folded.chars[high].isascii():
            high += 1
        rest = folded.chars[low:start] + folded.chars[end:high]
        whole = folded.chars[low:high]
        if is_ordinary(whole) or len(rest) < 2:
            return ""
        return "glued" if self._zipf[pattern] < 3.8 else ""

    def _best_sense(self, pattern: int) -> int:
        return self._best[pattern]

    def _spelling(self, folded: Folded, pattern: int, start: int, end: int) -> str:
        """How the separators inside an occurrence differ from those of the name; empty if too much."""
        found = inner_gaps(folded, start, end)
        best = ""
        order = ("exact", "joined", "spaced", "split")
        for entry in range(self._first[pattern], self._first[pattern + 1]):
            own = _gap_bytes(self._gaps[entry])
            how = how_gaps_differ(found, own)
            if how == "joined" and all(own) and zipf(self._patterns[pattern]) >= COMMON:
                continue  # "shield" is not S.H.I.E.L.D.
            if how in order and (not best or order.index(how) < order.index(best)):
                best = how
        if best == "split":
            return best if self._splittable(folded, pattern, start, end) else ""
        if best == "spaced" and end - start <= 4 and self._best_sense(pattern) > USUALLY:
            return ""
        return best

    def _splittable(self, folded: Folded, pattern: int, start: int, end: int) -> bool:
        """Whether separators inside a name may be overlooked: not where they make ordinary words."""
        if script_of(folded.chars[start]) not in (Script.LATIN, Script.DIGIT):
            return BREAK not in inner_gaps(folded, start, end)
        if end - start < _MIN_SPLIT or self._best_sense(pattern) > USUALLY:
            return False
        pieces: list[str] = []
        at = start
        for place in range(start + 1, end + 1):
            if place == end or folded.gap_bytes[place] != NO_GAP:
                pieces.append(folded.chars[at:place])
                at = place
        # One letter is no part of a name that was split: "knight's helmet" is not Shelmet.
        return min(map(len, pieces)) > 1 and not all(is_ordinary(piece) for piece in pieces)

    def _in_longer_word(self, folded: Folded, pattern: int, start: int, end: int) -> bool:
        """Whether the occurrence lies in one of the strings in which the name does not count."""
        entries = range(self._first[pattern], self._first[pattern + 1])
        longer = {text for e in entries for text in self.compiled.meta.not_in.get(e, ())}
        for text in longer:
            low = max(0, end - len(text))
            if folded.chars.find(text, low, start + len(text)) >= 0:
                return True
        return False

    def _evaded(self, prompt: str, exact: Folded) -> Iterator[_Raw]:
        for view in evasion_views(exact):
            kana = view.name in ("katakana", "hiragana")
            for start, end, pattern in self._automaton.find(view.folded.chars):
                if view.words is not None and not any(s < end and start < e for s, e in view.words):
                    continue
                if self._evasion_counts(view.folded, exact, pattern, start, end, kana=kana):
                    yield _Raw(*view.folded.span(start, end), pattern, "kana" if kana else view.name)
        signed = signed_reading(prompt)
        if signed is not None:
            turned = fold(signed)
            for start, end, pattern in self._automaton.find(turned.chars):
                span = turned.span(start, end)
                changed = prompt[slice(*span)] != signed[slice(*span)]
                if changed and self._evasion_counts(turned, exact, pattern, start, end, kana=False):
                    yield _Raw(*span, pattern, "signs")

    def _evasion_counts(self, folded: Folded, exact: Folded, pattern: int, start: int, end: int, *, kana: bool) -> bool:
        length = end - start
        sense = self._best_sense(pattern)
        if not (starts_word(folded, start, length) and ends_word(folded, end, length)):
            return False
        if self._spelling(folded, pattern, start, end) not in ("exact", "joined"):
            return False
        if kana:
            text = self._patterns[pattern]
            pure = all(script_of(c) in (Script.KATAKANA, Script.HIRAGANA) for c in text)
            return sense == ONLY and length >= _MIN_KANA_FOLD and pure and exact.chars[start:end] != text
        return sense <= USUALLY and length >= 4

    def _misspelled(self, exact: Folded, raws: list[_Raw]) -> Iterator[_Raw]:
        taken = [(raw.start, raw.end) for raw in raws if raw.how != "split"]
        for start, end, pattern, distance in self._fuzzy.find(exact):
            span = exact.span(start, end)
            if not any(s < span[1] and span[0] < e for s, e in taken):
                yield _Raw(*span, pattern, "fuzzy", distance)

    def _readings(self, prompt: str, raw: _Raw) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
        """Readings by subject, and the roles of real persons of that name."""
        by_subject: defaultdict[int, list[int]] = defaultdict(list)
        roles: list[str] = []
        for entry in range(self._first[raw.pattern], self._first[raw.pattern + 1]):
            if self._flags[entry] & PERSON:
                roles += self.compiled.meta.roles[self._subject[entry]]
            elif raw.how == "exact" or not (self._flags[entry] & SWAPPED and raw.how in ("split", "fuzzy")):
                by_subject[self._subject[entry]].append(entry)
        readings = []
        for subject, entries in by_subject.items():
            sense = self._shared_sense(prompt, raw.pattern, entries)
            entry = entries[0]
            readings.append(
                Reading(
                    subject,
                    sense,
                    self._flags[entry],
                    self._texts[entry],
                    self._zipf[raw.pattern],
                )
            )
        return tuple(readings), tuple(roles)

    def _shared_sense(self, prompt: str, pattern: int, entries: Iterable[int]) -> int:
        """The sense in the prompt's language if that is plain, else the least specific of the languages'."""
        langs = self.compiled.meta.langs
        senses = {langs[self._lang[e]]: self._sense[e] for e in entries}
        plain = plain_language(prompt) if len(senses) > 1 or "en" not in senses else None
        if plain in senses:
            return senses[plain]
        sense = max(senses.values())
        # A foreign title that is a common word elsewhere ("Red", Spanish) says little outside its language.
        if "en" not in senses and self._patterns[pattern].isascii() and self._zipf[pattern] >= COMMON:
            return max(sense, RARELY if self._zipf[pattern] >= VERY_COMMON else SOMETIMES)
        return sense

    def _resolve(self, prompt: str, raws: list[_Raw]) -> list[Hit]:
        """Keep the longest: a hit inside a longer one goes, unless the longer is only a person's name."""
        raws = sorted(set(raws), key=lambda r: (r.start, -r.end, r.how != "exact", r.distance))
        hits: list[Hit] = []
        reach: list[Hit] = []
        seen: set[tuple[int, int, int]] = set()
        for raw in raws:
            if (raw.start, raw.end, raw.pattern) in seen:
                continue
            seen.add((raw.start, raw.end, raw.pattern))
            readings, roles = self._readings(prompt, raw)
            reach = [hit for hit in reach if hit.end > raw.start]
            holders = [
                h
                for h in reach
                if h.start <= raw.start and raw.end <= h.end and (h.start, h.end) != (raw.start, raw.end)
            ]
            if any(h.readings and not _weaker(h, readings, raw) for h in holders):
                continue
            persons = next((h.person_roles for h in holders if h.person_roles), ())
            if not readings and not roles:
                continue
            length = len(self._patterns[raw.pattern])
            hit = Hit(raw.start, raw.end, raw.how, raw.distance, length, readings, roles, persons)
            reach.append(hit)
            hits.append(hit)
        return [hit for hit in hits if hit.readings or hit.person_roles]


@lru_cache(maxsize=1 << 14)
def _gap_bytes(digits: str) -> bytes:
    return bytes(map(int, digits))


def _weaker(holder: Hit, readings: tuple[Reading, ...], raw: _Raw) -> bool:
    """Whether a longer hit is too doubtful to hide a plain one inside it."""
    sure = min((r.sense for r in readings), default=RARELY) <= USUALLY and raw.how == "exact"
    return sure and holder.how in ("split", "fuzzy", "spaced", "glued", "leet", "signs", "repeats", "kana")
