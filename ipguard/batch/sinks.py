"""Writing scored rows: one part a chunk, then the whole output from its parts."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from ipguard.batch.files import FileKind, zstandard
from ipguard.batch.results import COLUMNS, Result, cells, columns, fields, schema
from ipguard.batch.rows import Rows, legible
from ipguard.batch.sources import Source
from ipguard.errors import BatchError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters for which a spreadsheet takes a cell for a formula (OWASP, CSV injection)."""


class Sink(Protocol):
    """Gives the bytes of a chunk, and joins those of all chunks to a file."""

    def unfit(self, rows: Rows) -> dict[int, str]:
        """Return the places of rows that the output cannot hold, with the reason."""
        ...

    def part(self, rows: Rows, results: list[Result | None]) -> bytes:
        """Return the bytes of some scored rows."""
        ...

    def join(self, parts: Iterable[bytes], stream: BinaryIO) -> None:
        """Write the whole output."""
        ...


@dataclass(frozen=True, slots=True)
class CsvSink:
    """CSV in UTF-8.

    Attributes
    ----------
    header
        Columns of the input.
    mark
        The delimiter.
    excel_safe
        Disarm cells that a spreadsheet would run, and mark the file as UTF-8 for it.
    """

    header: tuple[str, ...]
    mark: str
    excel_safe: bool = False

    def unfit(self, rows: Rows) -> dict[int, str]:
        """Find rows with fields that no column stands for."""
        return _strange(rows, self.header)

    def part(self, rows: Rows, results: list[Result | None]) -> bytes:
        """Return lines."""
        pairs = zip(rows.cells(self.header), results, strict=True)
        return self._lines([*row, *cells(result)] for row, result in pairs)

    def _lines(self, rows: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.mark)
        writer.writerows([disarmed(cell) for cell in row] if self.excel_safe else row for row in rows)
        return legible(text.getvalue()).encode()

    def join(self, parts: Iterable[bytes], stream: BinaryIO) -> None:
        """Write the header and the lines."""
        if self.excel_safe:
            stream.write(b"\xef\xbb\xbf")
        stream.write(self._lines([[*self.header, *COLUMNS]]))
        for part in parts:  # noqa: FURB122 - zstandard has no writelines
            stream.write(part)


def disarmed(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell


@dataclass(frozen=True, slots=True)
class JsonSink:
    """JSON Lines: the input's objects to the letter, with the results behind."""

    def unfit(self, rows: Rows) -> dict[int, str]:  # noqa: ARG002 - a line holds anything
        """Find nothing."""
        return {}

    def part(self, rows: Rows, results: list[Result | None]) -> bytes:
        """Return lines."""
        pairs = zip(rows.objects(), results, strict=True)
        return b"".join(head + fields(result) + b"\n" for head, result in pairs)

    def join(self, parts: Iterable[bytes], stream: BinaryIO) -> None:
        """Write the lines."""
        for part in parts:  # noqa: FURB122 - zstandard has no writelines
            stream.write(part)


@dataclass(frozen=True, slots=True)
class ParquetSink:
    """Parquet with the types of the input; a row group a chunk.

    Attributes
    ----------
    schema
        Of the input.
    """

    schema: pa.Schema

    def unfit(self, rows: Rows) -> dict[int, str]:
        """Find rows whose values are not of the columns' types."""
        import pyarrow as pa

        found = _strange(rows, self.schema.names)
        try:
            rows.without(found).table(self.schema)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            for place in range(len(rows)):
                try:
                    rows.without(set(range(len(rows))) - {place}).table(self.schema)
                except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                    found.setdefault(place, f"does not fit the types of the first rows: {error}")
        return found

    def part(self, rows: Rows, results: list[Result | None]) -> bytes:
        """Return an Arrow stream."""
        import pyarrow as pa

        table, whole = rows.table(self.schema), self._whole()
        table = pa.Table.from_arrays([*table.columns, *columns(results)], schema=whole)
        out = pa.BufferOutputStream()
        with pa.ipc.new_stream(out, whole) as writer:
            writer.write_table(table)
        return cast("bytes", out.getvalue().to_pybytes())

    def _whole(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema([*self.schema, *schema()], metadata=self.schema.metadata)

    def join(self, parts: Iterable[bytes], stream: BinaryIO) -> None:
        """Write the file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetWriter(stream, self._whole(), compression="zstd") as writer:
            for part in parts:
                with pa.ipc.open_stream(part) as reader:
                    writer.write_table(reader.read_all())


def _strange(rows: Rows, names: Sequence[str]) -> dict[int, str]:
    known = set(names)
    found: dict[int, str] = {}
    for place in range(len(rows)):
        fields = rows.fields(place)
        if not known.issuperset(fields):
            strange = ", ".join(sorted(set(fields) - known))
            found[place] = f"has fields that the first rows lack: {strange}"
    return found


def sink_for(kind: FileKind, source: Source, *, excel_safe: bool = False) -> Sink:
    """Return what writes a kind of file from the rows of a source.

    Parameters
    ----------
    kind
        Of the output.
    source
        Gives the columns, the delimiter and the types.
    excel_safe
        For CSV: disarm formulas.

    Returns
    -------
    Sink
        For one output.

    Raises
    ------
    MissingExtraError
        If Parquet is wanted without pyarrow.
    """
    if kind.format == "jsonl":
        return JsonSink()
    if kind.format == "parquet":
        if find_spec("pyarrow") is None:
            raise MissingExtraError("Writing Parquet", "batch")
        return ParquetSink(_schema(source))
    mark = "\t" if kind.format == "tsv" else source.delimiter or ","
    return CsvSink(source.columns, mark, excel_safe)


def _schema(source: Source) -> pa.Schema:
    import pyarrow as pa

    if source.schema is not None:
        return source.schema
    if source.sample:
        return pa.Table.from_pylist(source.sample).select(list(source.columns)).schema
    return pa.schema([(name, pa.string()) for name in source.columns])


@contextmanager
def writing(path: Path, kind: FileKind) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when it is whole.

    Parameters
    ----------
    path
        The file.
    kind
        Its compression.

    Yields
    ------
    BinaryIO
        To write to. Equal contents give equal files: no time is stored.

    Raises
    ------
    BatchError
        If it cannot be written.
    """
    with atomic(path) as raw, ExitStack() as stack:
        stream: BinaryIO = raw
        if kind.compression == "gz":
            stream = cast("BinaryIO", stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0)))
        elif kind.compression == "zst":
            packing = zstandard(path).ZstdCompressor(level=3)
            stream = stack.enter_context(packing.stream_writer(raw, closefd=False))
        yield stream


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file for bytes that is synced and renamed to its name at the end; raises as :func:`writing`."""
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
            temporary = Path(stream.name)
            yield cast("BinaryIO", stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise BatchError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
