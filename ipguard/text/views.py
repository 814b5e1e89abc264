"""Evasion views: further readings of a prompt in which disguised names become plain.

Every view keeps the offset map of the exact view, so that what is found in it points into the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import regex

from ipguard.text.frequency import is_ordinary
from ipguard.text.normalize import BREAK, Folded

_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "6": "g", "2": "z"}
)
_LEET_L = str.maketrans({"1": "l"})
# Signs stand for letters only inside a word: "p@ssword", "p!kachu", "$onic".
_SIGNS = str.maketrans({"@": "a", "$": "s", "!": "i", "|": "l", "€": "e", "£": "l", "+": "t", "¡": "i"})
_SIGNED_WORD = regex.compile(
    r"(?<![\w@$!|€£+¡])(?=[\w@$!|€£+¡]*[a-z])(?=[\w@$!|€£+¡]*[@$!|€£+¡]\w|[@$€£]\w)[\w@$!|€£+¡]{5,}",
    regex.IGNORECASE,
)
# Units and tags are never leet: 4k, 3d, 1girl, 35mm, 1980s, f1.8, sd15, v2.
_UNIT_OR_TAG = regex.compile(r"\d+[a-z]{1,12}|[a-z]{1,3}\d+[a-z]?")
_MIN_LEET = 5
_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_HIRAGANA = {katakana: hiragana for hiragana, katakana in _TO_KATAKANA.items()}
_REPEAT = regex.compile(r"(\p{L})\1{2,}")


@dataclass(frozen=True, slots=True)
class View:
    """A reading of a prompt.

    Attributes
    ----------
    name
        ``exact``, ``leet``, ``repeats``, ``hiragana`` or ``katakana``.
    folded
        The text as this view reads it.
    words
        For views that change single words: half-open ranges of folded characters that were changed; a name
        found in the view counts only if it overlaps one. None: everywhere.
    """

    name: str
    folded: Folded
    words: tuple[tuple[int, int], ...] | None = None


def leet_word(word: str) -> tuple[str, ...]:
    """Return the readings of a word in which digits stand for letters.

    Parameters
    ----------
    word
        A folded word.

    Returns
    -------
    tuple of str
        Empty unless the word mixes letters and digits, has at least five of them and is no unit or tag;
        two readings where a 1 may be an i or an l.
    """
    if len(word) < _MIN_LEET or not _mixed(word) or _UNIT_OR_TAG.fullmatch(word):
        return ()
    return _readings(word)


def _leet(folded: Folded) -> Iterator[View]:
    if folded.chars.isalpha() or not any(c.isdigit() for c in folded.chars):
        return
    spans = folded.words
    readings = {span: found for span in spans if (found := leet_word(folded.chars[slice(*span)]))}
    if not readings:
        return
    # Beside a word that is plainly disguised, the short ones are read so too: "5p1d3r-m4n", "gh05t 1n th3".
    for order in (spans, spans[::-1]):
        for before, span in pairwise(order):
            text = folded.chars[slice(*span)]
            if (
                before in readings
                and span not in readings
                and _mixed(text)
                and BREAK not in _between(folded, before, span)
            ):
                readings[span] = _readings(text)
    for which in range(max(map(len, readings.values()))):
        chars = list(folded.chars)
        for (start, end), found in readings.items():
            chars[start:end] = found[min(which, len(found) - 1)]
        yield View("leet", replace(folded, chars="".join(chars)), tuple(sorted(readings)))


def _mixed(word: str) -> bool:
    return word.isascii() and not word.isalpha() and not word.isdigit()


def _readings(word: str) -> tuple[str, ...]:
    first = word.translate(_LEET)
    second = word.translate(_LEET_L).translate(_LEET)
    return (first,) if first == second else (first, second)


def _between(folded: Folded, one: tuple[int, int], two: tuple[int, int]) -> bytes:
    low, high = sorted((one, two))
    return folded.gap_bytes[low[1] : high[0] + 1]


def _repeats(folded: Folded) -> Iterator[View]:
    if not _REPEAT.search(folded.chars):
        return
    spans = [s for s in folded.words if _REPEAT.search(folded.chars, *s) and not is_ordinary(folded.chars[slice(*s)])]
    if not spans:
        return
    for kept in (1, 2):
        keep = np.ones(len(folded.chars), dtype=bool)
        for start, end in spans:
            for run in _REPEAT.finditer(folded.chars, start, end):
                keep[run.start() + kept : run.end()] = False
        places = np.flatnonzero(keep)
        moved = np.concatenate([np.cumsum(keep) - keep, [len(places)]])
        yield View(
            "repeats",
            Folded(
                "".join(folded.chars[i] for i in places),
                folded.starts[places],
                folded.ends[np.append(places[1:], len(folded.chars)) - 1] if len(places) else folded.ends[places],
                np.append(folded.gaps[:-1][places], folded.gaps[-1]).astype(np.uint8),
                folded.original,
            ),
            tuple((int(moved[s]), int(moved[e])) for s, e in spans),
        )


def _kana(folded: Folded) -> Iterator[View]:
    for name, table in (("katakana", _TO_KATAKANA), ("hiragana", _TO_HIRAGANA)):
        turned = folded.chars.translate(table)
        if turned != folded.chars:
            yield View(name, replace(folded, chars=turned))


def evasion_views(folded: Folded) -> Iterator[View]:
    """Yield the evasion views that differ from the exact view.

    Parameters
    ----------
    folded
        The exact view.

    Yields
    ------
    View
        Leet readings, repeated letters reduced to one and to two, hiragana as katakana and the reverse.
    """
    yield from _leet(folded)
    yield from _repeats(folded)
    if not folded.original.isascii():
        yield from _kana(folded)


def signed_reading(prompt: str) -> str | None:
    """Return the prompt with ``@ $ ! | € £ +`` inside words read as letters.

    Parameters
    ----------
    prompt
        The original text.

    Returns
    -------
    str or None
        A text of the same length, or None if nothing changes.
    """
    if not any(sign in prompt for sign in "@$!|€£+¡"):
        return None
    turned = _SIGNED_WORD.sub(lambda m: m.group()[:-1].translate(_SIGNS) + m.group()[-1], prompt)
    return turned if turned != prompt else None
