"""Which encoding and delimiter a text file of unknown origin has."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from ipguard.errors import BatchError, InvalidArgumentError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = 0.2
"""Share of zero bytes from which a text without a mark is taken for UTF-16."""
_TRUSTED = 20
"""A file is UTF-8 with faults if so many lines decode for each that does not: other encodings do so by chance only."""
DELIMITERS = (",", ";", "\t", "|")


@dataclass
class _Lines:
    good_utf8: int = 0
    bad_utf8: int = 0
    bad_cp932: int = 0

    def add(self, line: bytes) -> None:
        if line.isascii():
            return
        try:
            line.decode("utf-8")
            self.good_utf8 += 1
        except UnicodeDecodeError:
            self.bad_utf8 += 1
        try:
            line.decode("cp932")
        except UnicodeDecodeError:
            self.bad_cp932 += 1


def detect(head: bytes, lines: Iterable[bytes], name: str) -> str:
    """Return the encoding of a text.

    Parameters
    ----------
    head
        The first bytes, some thousands if there are so many.
    lines
        All of its lines, or as many as can be had.
    name
        Of the file, for the error.

    Returns
    -------
    str
        By its mark; else UTF-16 by its zero bytes; else UTF-8 if all lines decode or all but few; else cp932
        (Excel in Japan writes it).

    Raises
    ------
    BatchError
        If it is none of these.
    """
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(head) >= 2 and max(even, odd) > _ZEROS * len(head) / 2 and min(even, odd) < max(even, odd) / 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    seen = _Lines()
    for line in lines:
        seen.add(line)
    if not seen.bad_utf8 or seen.good_utf8 >= _TRUSTED * seen.bad_utf8:
        return "utf-8"
    if not seen.bad_cp932:
        return "cp932"
    raise BatchError(f"{name} is neither UTF-8, UTF-16 nor cp932; name its encoding with --encoding.")


def known(encoding: str) -> str:
    """Return the name of an encoding after checking that there is one of that name.

    Parameters
    ----------
    encoding
        As a person writes it.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InvalidArgumentError
        If no codec of that name decodes bytes to text.
    """
    try:
        if codecs.lookup(encoding)._is_text_encoding:  # noqa: SLF001 - what bytes.decode itself asks
            return encoding
    except LookupError:
        pass
    raise InvalidArgumentError("encoding", "be the name of a text encoding", encoding)


def delimiter(sample: str) -> str:
    """Return the delimiter of a CSV file, by what its header holds most of outside quotes.

    Parameters
    ----------
    sample
        The beginning of the file.

    Returns
    -------
    str
        One character; a comma if there is nothing to go by.
    """
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for char in sample:
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "\r\n":
            break
        elif not quoted and char in counts:
            counts[char] += 1
    return max(DELIMITERS, key=lambda mark: counts[mark])
