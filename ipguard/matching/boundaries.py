"""Where a name may begin and end; each script has rules of its own."""

from __future__ import annotations

import numpy as np

from ipguard.text.normalize import BREAK, NO_GAP, Folded
from ipguard.text.scripts import Script

_JA_SUFFIXES = frozenset("風似型様君氏役達等姿顔界達殿服戦編展版製祭")
_PARTICLES_BEFORE = frozenset("のとはがをにもやでへな、")
_PARTICLES_AFTER = (
    "の",
    "と",
    "は",
    "が",
    "を",
    "に",
    "も",
    "や",
    "で",
    "へ",
    "な",
    "っぽ",
    "み",
    "ら",
    "か",
    "さ",
    "ち",
    "く",
    "だ",
    "じ",
    "より",
    "から",
    "まで",
    "た",
)
_KO_PARTICLES = frozenset("이가은는을를의와과도로에랑풍만씨님")
_LATIN = (Script.LATIN, Script.DIGIT)


def _touches(folded: Folded, at: int) -> bool:
    """Whether nothing at all stands between folded characters ``at - 1`` and ``at``."""
    return 0 < at < len(folded.chars) and folded.gap_bytes[at] == NO_GAP


_LATIN_LIKE = np.array([script in _LATIN for script in Script])
# No name of such a script begins, or ends, where a character of the same script touches it.
_NEVER_BEGINS = np.array([s in (Script.KATAKANA, Script.HANGUL, Script.CYRILLIC, Script.GREEK) for s in Script])
_NEVER_ENDS = np.array([s in (Script.KATAKANA, Script.CYRILLIC, Script.GREEK) for s in Script])


def inside_words(folded: Folded) -> tuple[bytes, bytes]:
    """Return where :func:`starts_word`, and where :func:`ends_word`, is False for names of any length.

    Parameters
    ----------
    folded
        The text.

    Returns
    -------
    tuple of bytes
        For each place between characters 1 where no name may begin, and 1 where none may end.
    """
    touch = folded.gaps[1:-1] == NO_GAP
    if folded.chars.isascii() and folded.chars.isalpha():
        inside = b"\0" + touch.tobytes() + b"\0"
        return inside, inside
    scripts = np.frombuffer(folded.scripts, dtype=np.uint8)
    before, after = scripts[:-1], scripts[1:]
    same = before == after
    latin_before, latin_after = _LATIN_LIKE[before], _LATIN_LIKE[after]
    digit_may_follow = (after == Script.DIGIT) & (before == Script.LATIN)
    begins = (latin_after & (latin_before | (before == Script.CYRILLIC))) | (same & _NEVER_BEGINS[after])
    ends = (latin_before & ~digit_may_follow & (latin_after | (after == Script.CYRILLIC))) | (same & _NEVER_ENDS[after])
    return b"\0" + (touch & begins).tobytes() + b"\0", b"\0" + (touch & ends).tobytes() + b"\0"


def starts_word(folded: Folded, start: int, length: int) -> bool:
    """Return whether a name of so many characters may begin at a place.

    Parameters
    ----------
    folded
        The text.
    start
        Index of the name's first folded character.
    length
        Folded characters of the name.

    Returns
    -------
    bool
        False inside a Latin, Cyrillic or katakana word, a Korean word, and for short names of ideographs
        or hiragana inside longer runs.
    """
    if not _touches(folded, start):
        return True
    first, before = folded.scripts[start], folded.scripts[start - 1]
    if first in _LATIN:
        return before not in _LATIN and before != Script.CYRILLIC
    if first != before:
        return True
    if first == Script.HIRAGANA:
        return length >= 5 or folded.chars[start - 1] in _PARTICLES_BEFORE
    if first == Script.HAN:
        return length >= 3
    return first in (Script.THAI, Script.OTHER)


def ends_word(folded: Folded, end: int, length: int) -> bool:
    """Return whether a name of so many characters may end before a place.

    Parameters
    ----------
    folded
        The text.
    end
        Index behind the name's last folded character.
    length
        Folded characters of the name.

    Returns
    -------
    bool
        As :func:`starts_word`; Korean and Japanese names may be followed by particles and suffixes, a Latin
        name of four letters or more by digits ("goku2").
    """
    if not _touches(folded, end):
        return True
    last, after = folded.scripts[end - 1], folded.scripts[end]
    if last in _LATIN:
        if after == Script.DIGIT:
            return last == Script.LATIN and length >= 4
        return after not in _LATIN and after != Script.CYRILLIC
    if last != after:
        return True
    following = folded.chars[end : end + 3]
    if last == Script.HIRAGANA:
        return length >= 5 or following.startswith(_PARTICLES_AFTER)
    if last == Script.HAN:
        return length >= 3 or following[0] in _JA_SUFFIXES
    if last == Script.HANGUL:
        return length >= 3 or following[0] in _KO_PARTICLES
    return last in (Script.THAI, Script.OTHER)


def inner_gaps(folded: Folded, start: int, end: int) -> bytes:
    """Return the gap classes between the characters of a range, the first's own gap left out."""
    return folded.gap_bytes[start + 1 : end]


def how_gaps_differ(found: bytes, own: bytes) -> str:
    """Compare the gaps of a match with those of the name.

    Parameters
    ----------
    found
        Gap classes inside the matched range of the prompt.
    own
        Gap classes inside the name, of the same length.

    Returns
    -------
    str
        ``exact``; ``joined`` where separators of the name are missing; ``spaced`` where every character
        stands alone; ``split`` where separators were put into the name; ``broken`` where a comma, a bracket
        or a line end parts it.
    """
    extra = missing = broken = 0
    for here, there in zip(found, own, strict=True):
        if here == BREAK and there != BREAK:
            broken += 1
        elif here and not there:
            extra += 1
        elif there and not here:
            missing += 1
    if extra + broken and all(found) and len(found) >= 3:
        return "spaced"
    if broken:
        return "broken"
    if extra:
        return "split"
    return "joined" if missing else "exact"
