"""Reading CSV as people have it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ipguard.batch.rows import Bag, Chunk, CsvRows, Reject, undecoded
from ipguard.errors import BatchError

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CELL = 1 << 24
"""Characters of one CSV cell; more is a quote that was never closed."""


class CsvSource:
    """A CSV or TSV file.

    Parameters
    ----------
    stream
        Its text; bytes that do not decode as lone surrogates.
    mark
        The delimiter.
    column
        Heading of the prompts.
    position, total
        Place in the file, and its size.
    """

    schema: pa.Schema | None = None
    delimiter: str | None

    def __init__(self, stream: Iterable[str], mark: str, column: str, position: Any, total: int) -> None:  # noqa: ANN401
        self.delimiter, self._mark, self.total, self._position = mark, mark, total, position
        self.sample: list[dict[str, Any]] = []
        csv.field_size_limit(min(MAX_CELL, sys.maxsize))
        self._lines = _Remembering(stream)
        self._reader = csv.reader(self._lines, delimiter=mark)
        header = self._next()
        if header is None or column not in header:
            found = ", ".join(header or ["none"])
            raise BatchError(f"The input has no column {column!r}; it has {found}.")
        if header.count(column) > 1:
            raise BatchError(f"The input has more than one column {column!r}.")
        self.columns, self._at = tuple(header), header.index(column)

    def _next(self) -> list[str] | None:
        """The next row that is not an empty line."""
        for row in self._reader:
            if row:
                return row
            self._lines.forget()
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; an empty cell is a missing one, as for every reader of CSV."""
        bag, number, count = Bag.empty(), 0, 0
        width = len(self.columns)
        self._lines.forget()
        while (row := self._guarded()) is not None:
            count += 1
            fault = self._fault(row, width)
            content = "".join(self._lines.held) if fault else ""
            self._lines.forget()
            if fault:
                bag.rejects.append(Reject(count, fault, content))
                continue
            row += [""] * (width - len(row))
            if bag.add(count, row[self._at] or None, row):
                yield self._chunk(bag, number)
                bag, number = Bag.empty(), number + 1
        if bag.rows or bag.rejects:
            yield self._chunk(bag, number)

    def _guarded(self) -> list[str] | None:
        try:
            return self._next()
        except csv.Error as error:
            raise BatchError(
                f"Line {self._lines.number} of the input is not CSV: {error}. Is a quote open since an earlier line?"
            ) from None

    def _fault(self, row: list[str], width: int) -> str:
        if len(row) > width:
            return f"has {len(row)} cells where the header has {width}"
        if any(not cell.isascii() and undecoded(cell) for cell in row):
            return "holds bytes that are not of the input's encoding"
        if self._lines.ended and _open_quote(self._lines.held, self._mark):
            return "opens a quote that is never closed"
        return ""

    def _chunk(self, bag: Bag, number: int) -> Chunk:
        return Chunk(number, bag.texts, bag.numbers, CsvRows(self.columns, bag.rows), bag.rejects, self._position())


class _Remembering:
    """Lines, with those of the row being read kept for a reject."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.held, self.ended, self.number = iter(lines), list[str](), False, 0

    def __iter__(self) -> _Remembering:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.held.append(line)
        return line

    def forget(self) -> None:
        self.held.clear()


def _open_quote(lines: list[str], mark: str) -> bool:
    try:
        for _ in csv.reader(lines, delimiter=mark, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False
