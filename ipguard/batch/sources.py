"""Reading CSV, JSON Lines, Parquet and datasets in chunks of constant size."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ipguard.batch import rows as limits
from ipguard.batch.csv_source import CsvSource
from ipguard.batch.encodings import delimiter, detect, known
from ipguard.batch.files import STANDARD, FileKind, reading
from ipguard.batch.rows import ArrowRows, Bag, Chunk, JsonRows, Reject, undecoded
from ipguard.errors import BatchError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

_HEAD = 1 << 16


class Source(Protocol):
    """An input that is open for reading.

    Attributes
    ----------
    columns
        Names of the columns; of JSON Lines those of the first rows.
    total
        What positions are measured against; 0 where it is not known.
    delimiter
        Of a CSV file; None of other inputs.
    schema
        Of a Parquet file or dataset; None of other inputs.
    sample
        The first rows of JSON Lines, by which types are told; empty of other inputs.
    """

    columns: tuple[str, ...]
    total: int
    delimiter: str | None
    schema: pa.Schema | None
    sample: list[dict[str, Any]]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows once, in order."""
        ...


class JsonSource:
    """A JSON Lines file: one object a line.

    Parameters
    ----------
    stream
        Its text.
    column
        Field of the prompts; a row without it has a missing prompt.
    position, total
        Place in the file, and its size.
    """

    schema: pa.Schema | None = None
    delimiter: str | None = None

    def __init__(self, stream: Iterable[str], column: str, position: Any, total: int) -> None:  # noqa: ANN401
        self.total, self._position, self._column = total, position, column
        chunks = self._read(iter(stream))
        first = next(chunks, None)
        self.sample = first.rows.parsed if first is not None and isinstance(first.rows, JsonRows) else []
        self.columns = tuple(dict.fromkeys(key for row in self.sample for key in row))
        if first is not None and column not in self.columns:
            raise BatchError(
                f"The first rows of the input have no field {column!r}; they have {', '.join(self.columns)}."
            )
        self._chunks = chain([first], chunks) if first is not None else chunks

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; null or no such field is a missing prompt."""
        yield from self._chunks

    def _read(self, stream: Iterator[str]) -> Iterator[Chunk]:
        bag, number, count = Bag.empty(), 0, 0
        for line in stream:
            if not line.strip():
                continue
            count += 1
            row, fault = self._parse(line)
            if row is None:
                bag.rejects.append(Reject(count, fault, line.rstrip("\n")))
            elif bag.add(count, row.get(self._column), (line, row)):
                yield self._chunk(bag, number)
                bag, number = Bag.empty(), number + 1
        if bag.rows or bag.rejects:
            yield self._chunk(bag, number)

    def _parse(self, line: str) -> tuple[dict[str, Any] | None, str]:
        if not line.isascii() and undecoded(line):
            return None, "holds bytes that are not of the input's encoding"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            return None, f"is not JSON: {error}"
        if not isinstance(row, dict):
            return None, "is not a JSON object"
        text = row.get(self._column)
        if text is not None and not isinstance(text, str):
            return None, f"has a {type(text).__name__} where the prompt should be a string"
        return row, ""

    def _chunk(self, bag: Bag, number: int) -> Chunk:
        rows = JsonRows([line.strip() for line, _ in bag.rows], [row for _, row in bag.rows])
        return Chunk(number, bag.texts, bag.numbers, rows, bag.rejects, self._position())


class ArrowSource:
    """A Parquet file or a dataset: Arrow tables one after another.

    Parameters
    ----------
    schema
        Of every table.
    tables
        The rows, in pieces of any size.
    column
        The prompts, a column of strings.
    total
        Number of rows; 0 if it is not known.
    """

    delimiter: str | None = None

    def __init__(self, schema: pa.Schema, tables: Iterable[pa.Table], column: str, total: int) -> None:
        import pyarrow as pa

        self.sample: list[dict[str, Any]] = []
        self.schema, self._tables, self._column, self.total = schema, tables, column, total
        self.columns = tuple(schema.names)
        if column not in self.columns:
            raise BatchError(f"The input has no column {column!r}; it has {', '.join(self.columns)}.")
        kind = schema.field(column).type
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner)):
            raise BatchError(f"The column {column!r} must hold strings; it holds {kind}.")

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; null is a missing prompt."""
        number, done = 0, 0
        for table in self._tables:
            for start in range(0, table.num_rows, limits.CHUNK_ROWS):
                rows = table.slice(start, limits.CHUNK_ROWS)
                numbers = list(range(done + 1, done + rows.num_rows + 1))
                done += rows.num_rows
                yield Chunk(number, rows.column(self._column).to_pylist(), numbers, ArrowRows(rows), [], done)
                number += 1


@contextmanager
def open_file(path: Path, kind: FileKind, column: str, encoding: str | None = None) -> Iterator[Source]:
    """Open a file for reading rows.

    Parameters
    ----------
    path
        The file, or ``-`` for standard input.
    kind
        Its format and compression.
    column
        Where the prompts are.
    encoding
        Of a text file; None to find out.

    Yields
    ------
    Source
        Its rows.

    Raises
    ------
    BatchError
        If it cannot be read, is of another format, or lacks the column.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    if kind.format == "parquet":
        yield _parquet(path, column)
        return
    codec = known(encoding) if encoding else _encoding(path, kind)
    with reading(path, kind.compression) as file:
        if codec is None:
            # Standard input is read once: its beginning must do.
            head = file.stream.peek(_HEAD)
            codec = detect(head, head.splitlines()[:-1] or [head], "Standard input")
        text = io.TextIOWrapper(
            file.stream, codec, errors=_errors(codec), newline="" if kind.format != "jsonl" else None
        )
        try:
            if kind.format == "jsonl":
                yield JsonSource(text, column, lambda: file.position, file.total)
            else:
                yield _csv(text, kind, column, file)
        except UnicodeError as error:
            raise BatchError(f"{path} is not text in {codec}: {error}.") from None
        finally:
            text.detach()


def _errors(codec: str) -> str:
    return "strict" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"


def _csv(text: io.TextIOWrapper, kind: FileKind, column: str, file: Any) -> CsvSource:  # noqa: ANN401
    first = text.readline()
    # A quoted heading may run over several lines.
    lines = [first]
    while lines[-1] and sum(line.count('"') for line in lines) % 2 and len(lines) < 100:
        lines.append(text.readline())
    mark = "\t" if kind.format == "tsv" else delimiter("".join(lines))
    return CsvSource(chain(lines if first else [], text), mark, column, lambda: file.position, file.total)


def _encoding(path: Path, kind: FileKind) -> str | None:
    if path == STANDARD:
        return None
    with reading(path, kind.compression) as file:
        head = file.stream.peek(_HEAD)[:_HEAD]
        return detect(head, file.stream, str(path))


def _parquet(path: Path, column: str) -> ArrowSource:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Reading Parquet", "batch") from None
    if path == STANDARD:
        raise BatchError("Parquet cannot be read from standard input: its index stands at the end.")
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise BatchError(f"{path} cannot be read as Parquet: {error}") from None
    schema = file.schema_arrow
    tables = (pa.Table.from_batches([batch], schema) for batch in file.iter_batches(limits.CHUNK_ROWS))
    return ArrowSource(schema, _reported(tables, path), column, file.metadata.num_rows)


def _reported(tables: Iterator[pa.Table], path: Path) -> Iterator[pa.Table]:
    import pyarrow as pa

    try:
        yield from tables
    except (OSError, pa.ArrowException) as error:
        raise BatchError(f"{path} cannot be read as Parquet: {error}") from None
