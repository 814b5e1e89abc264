"""Rows on their way through a batch, in the shape of the file that they came from."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 4096
CHUNK_CHARS = 1 << 22
"""A chunk ends with whichever is reached first, so that long prompts do not swell it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be scored and is not in the output.

    Attributes
    ----------
    row
        Number of the row in its file, from 1, the header not counted.
    reason
        What is wrong with it.
    content
        The row as it was read, as far as it could be.
    """

    row: int
    reason: str
    content: str

    def __post_init__(self) -> None:
        """Show bytes that did not decode as such."""
        if not self.content.isascii():
            object.__setattr__(self, "content", legible(self.content))

    def line(self) -> str:
        """Return a line for the rejects file."""
        entry = {"row": self.row, "reason": self.reason, "content": self.content}
        return json.dumps(entry, ensure_ascii=True) + "\n"


class Rows(Protocol):
    """Rows of one chunk; they can be given in each shape that an output may want."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def cells(self, columns: Sequence[str]) -> list[list[str]]:
        """Return the rows as text cells."""
        ...

    def objects(self) -> list[bytes]:
        """Return the rows as JSON objects on one line each, without the closing brace and what follows."""
        ...

    def table(self, schema: pa.Schema | None) -> pa.Table:
        """Return the rows as an Arrow table, of a schema if one is given."""
        ...

    def fields(self, row: int) -> Iterable[str]:
        """Return the names of a row's fields."""
        ...

    def without(self, places: Container[int]) -> Rows:
        """Return the rows that do not stand at these places."""
        ...

    def shown(self, row: int) -> str:
        """Return a row for the rejects file."""
        ...

    def digest(self) -> bytes:
        """Return a hash of the content, by which a resumed run knows its input again."""
        ...


def opened(text: str) -> bytes:
    """Return a JSON object ready for more fields: without its closing brace, with a comma unless it is empty."""
    head = text.rstrip().removesuffix("}").rstrip()
    return (head if head == "{" else head + ",").encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Rows of a CSV file, padded to the width of the header."""

    header: tuple[str, ...]
    rows: list[list[str]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def cells(self, columns: Sequence[str]) -> list[list[str]]:  # noqa: ARG002 - a CSV file has its columns
        """Return the rows as they are."""
        return self.rows

    def objects(self) -> list[bytes]:
        """Return objects with a string for every cell."""
        return [opened(json.dumps(dict(zip(self.header, row, strict=True)), ensure_ascii=False)) for row in self.rows]

    def table(self, schema: pa.Schema | None) -> pa.Table:  # noqa: ARG002
        """Return a table of strings."""
        import pyarrow as pa

        columns = [pa.array([row[at] for row in self.rows], pa.string()) for at in range(len(self.header))]
        return pa.Table.from_arrays(columns, schema=pa.schema([(name, pa.string()) for name in self.header]))

    def fields(self, row: int) -> Iterable[str]:  # noqa: ARG002 - the same for all
        """Return the header."""
        return self.header

    def without(self, places: Container[int]) -> CsvRows:
        """Return the other rows."""
        return CsvRows(self.header, [row for at, row in enumerate(self.rows) if at not in places])

    def shown(self, row: int) -> str:
        """Return the cells as JSON."""
        return json.dumps(self.rows[row], ensure_ascii=False)

    def digest(self) -> bytes:
        """Hash the cells."""
        return _digest("\0".join("\x1f".join(row) for row in self.rows).encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Lines of a JSON Lines file, as written and as parsed."""

    lines: list[str]
    parsed: list[dict[str, Any]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def cells(self, columns: Sequence[str]) -> list[list[str]]:
        """Return the fields as text; nested ones as JSON."""
        return [[as_text(row.get(column)) for column in columns] for row in self.parsed]

    def objects(self) -> list[bytes]:
        """Return the lines to the letter."""
        return [opened(line) for line in self.lines]

    def table(self, schema: pa.Schema | None) -> pa.Table:
        """Return a table; a field that no schema names gets the type of its values."""
        import pyarrow as pa

        return pa.Table.from_pylist(self.parsed, schema=schema)

    def fields(self, row: int) -> Iterable[str]:
        """Return the keys of a row."""
        return self.parsed[row]

    def without(self, places: Container[int]) -> JsonRows:
        """Return the other rows."""
        kept = [at for at in range(len(self)) if at not in places]
        return JsonRows([self.lines[at] for at in kept], [self.parsed[at] for at in kept])

    def shown(self, row: int) -> str:
        """Return the line."""
        return self.lines[row]

    def digest(self) -> bytes:
        """Hash the lines."""
        return _digest("\n".join(self.lines).encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class ArrowRows:
    """Rows of a Parquet file or a dataset."""

    rows: pa.Table

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.rows.num_rows)

    def cells(self, columns: Sequence[str]) -> list[list[str]]:
        """Return the fields as text."""
        return [[as_text(row.get(column)) for column in columns] for row in self.rows.to_pylist()]

    def objects(self) -> list[bytes]:
        """Return objects; what JSON does not know (dates, bytes) as text."""
        return [opened(json.dumps(row, ensure_ascii=False, default=as_text)) for row in self.rows.to_pylist()]

    def table(self, schema: pa.Schema | None) -> pa.Table:  # noqa: ARG002
        """Return the table itself."""
        return self.rows

    def fields(self, row: int) -> Iterable[str]:  # noqa: ARG002 - the same for all
        """Return the columns."""
        names: list[str] = self.rows.schema.names
        return names

    def without(self, places: Container[int]) -> ArrowRows:
        """Return the other rows."""
        return ArrowRows(self.rows.take([at for at in range(len(self)) if at not in places]))

    def shown(self, row: int) -> str:
        """Return the row as JSON."""
        return json.dumps(self.rows.slice(row, 1).to_pylist()[0], ensure_ascii=False, default=as_text)

    def digest(self) -> bytes:
        """Hash the content."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.rows.schema) as writer:
            writer.write_table(self.rows)
        return _digest(sink.getvalue())


@dataclass
class Bag:
    """Rows collected until they make a chunk."""

    texts: list[str | None]
    numbers: list[int]
    rows: list[Any]
    rejects: list[Reject]
    chars: int = 0

    @classmethod
    def empty(cls) -> Bag:
        """Return a bag without rows."""
        return cls([], [], [], [])

    def add(self, number: int, text: str | None, row: Any) -> bool:  # noqa: ANN401 - cells or a pair of line and object
        """Take a row; return whether the chunk is full."""
        self.texts.append(text)
        self.numbers.append(number)
        self.rows.append(row)
        self.chars += len(text or "")
        return len(self.rows) >= CHUNK_ROWS or self.chars >= CHUNK_CHARS


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is read, scored and written together.

    Attributes
    ----------
    number
        From 0, in the order of the input.
    texts
        A prompt a row; None where the cell is missing.
    numbers
        Number of each row in its file, from 1, the header not counted.
    rows
        The rows themselves.
    rejects
        Rows met on the way that are not among them.
    position
        How much of the input was read by now, in the unit of the source's total.
    """

    number: int
    texts: list[str | None]
    numbers: list[int]
    rows: Rows
    rejects: list[Reject]
    position: int


def legible(text: str) -> str:
    r"""Return a text with lone surrogates written out, ``\xe9`` for a byte that did not decode.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    str
        One that every encoding of Unicode can hold.
    """
    return "".join(
        char if not "\ud800" <= char <= "\udfff"
        else f"\\x{ord(char) - 0xDC00:02x}" if "\udc80" <= char <= "\udcff"
        else f"\\u{ord(char):04x}"
        for char in text
    )  # fmt: skip


def as_text(value: object) -> str:
    """Return a field as the text of a CSV cell: empty for None, JSON for what is nested.

    Parameters
    ----------
    value
        Any value of JSON or Arrow.

    Returns
    -------
    str
        Its text.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def undecoded(cell: str) -> bool:
    """Return whether a text holds bytes that did not decode, as lone surrogates (PEP 383)."""
    return any("\udc80" <= char <= "\udcff" for char in cell)
