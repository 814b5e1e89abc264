"""Which script a character belongs to, as far as matching needs to know."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt


class Script(IntEnum):
    """Coarse classes of characters; the boundary rules differ between them."""

    OTHER = 0
    LATIN = 1
    DIGIT = 2
    KATAKANA = 3
    HIRAGANA = 4
    HAN = 5
    HANGUL = 6
    CYRILLIC = 7
    GREEK = 8
    THAI = 9


_RANGES: tuple[tuple[int, int, Script], ...] = (
    (0x30, 0x39, Script.DIGIT),
    (0x41, 0x5A, Script.LATIN),
    (0x61, 0x7A, Script.LATIN),
    (0xAA, 0xAA, Script.LATIN),
    (0xBA, 0xBA, Script.LATIN),
    (0xC0, 0x24F, Script.LATIN),
    (0x250, 0x2AF, Script.LATIN),
    (0x370, 0x3FF, Script.GREEK),
    (0x400, 0x52F, Script.CYRILLIC),
    (0xE00, 0xE7F, Script.THAI),
    (0x1100, 0x11FF, Script.HANGUL),
    (0x1D00, 0x1DBF, Script.LATIN),
    (0x1E00, 0x1EFF, Script.LATIN),
    (0x1F00, 0x1FFF, Script.GREEK),
    (0x2E80, 0x2FDF, Script.HAN),
    (0x3005, 0x3007, Script.HAN),
    (0x3041, 0x309F, Script.HIRAGANA),
    (0x30A1, 0x30FA, Script.KATAKANA),
    (0x30FC, 0x30FF, Script.KATAKANA),
    (0x3130, 0x318F, Script.HANGUL),
    (0x31F0, 0x31FF, Script.KATAKANA),
    (0x3400, 0x9FFF, Script.HAN),
    (0xAC00, 0xD7AF, Script.HANGUL),
    (0xF900, 0xFAFF, Script.HAN),
    (0x20000, 0x323AF, Script.HAN),
)


@lru_cache(maxsize=1 << 16)
def script_of(char: str) -> Script:
    """Return the script class of one character.

    Parameters
    ----------
    char
        One code point.

    Returns
    -------
    Script
        ``OTHER`` for whatever the rules do not tell apart.
    """
    code = ord(char)
    for first, last, script in _RANGES:
        if first <= code <= last:
            return script
    return Script.OTHER


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    table = np.full(_RANGES[-1][1] + 2, Script.OTHER, dtype=np.uint8)
    for first, last, script in reversed(_RANGES):
        table[first : last + 1] = script
    return table


@lru_cache(maxsize=1)
def _ascii() -> bytes:
    return _table()[:256].tobytes()


def scripts_of(text: str) -> bytes:
    """Return the script class of every character.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    bytes
        One :class:`Script` a character.
    """
    table = _table()
    if text.isascii():
        return text.encode().translate(_ascii())
    return table[np.minimum(code_points(text), len(table) - 1)].tobytes()


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text, lone surrogates too, as uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
