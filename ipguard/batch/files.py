"""What kind of file a path names, and opening it through its compression."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from ipguard.errors import BatchError, InvalidArgumentError, MissingExtraError

Format = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["", "gz", "zst"]
FORMATS: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_COMPRESSIONS: dict[str, Compression] = {".gz": "gz", ".zst": "zst", ".zstd": "zst"}
STANDARD = Path("-")
"""Standard input or output."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """Format of a file's content, and what it is packed with."""

    format: Format
    compression: Compression = ""


def kind_of(path: Path, named: str | None = None) -> FileKind:
    """Return the kind of a file by the ending of its name.

    Parameters
    ----------
    path
        The file, or ``-``.
    named
        A format that goes before the ending.

    Returns
    -------
    FileKind
        ``.csv.gz`` is CSV packed with gzip.

    Raises
    ------
    InvalidArgumentError
        If neither the name nor the ending is one that is known.
    """
    if named is not None and named not in FORMATS:
        raise InvalidArgumentError("format", f"be one of {', '.join(FORMATS)}", named)
    suffixes = [suffix.casefold() for suffix in path.suffixes[-2:]]
    compression: Compression = _COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    inner = suffixes[:-1] if compression else suffixes
    found: Any = named or (_SUFFIXES.get(inner[-1]) if inner else None)
    if found is None:
        if path == STANDARD:
            return FileKind("csv")
        rule = f"end in {', '.join(_SUFFIXES)} (and .gz or .zst), or --format be given"
        raise InvalidArgumentError("path", rule, str(path))
    if found == "parquet" and compression:
        raise InvalidArgumentError("path", "not be packed again: Parquet is compressed inside", str(path))
    return FileKind(found, compression)


class _Counting(io.RawIOBase):
    """Bytes of a file with the place where reading is, whatever unpacks them above."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner, self.position = inner, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = cast("io.RawIOBase", self._inner).readinto(buffer) or 0  # type: ignore[arg-type]
        self.position += count
        return count


@dataclass(slots=True)
class Opened:
    """A file being read.

    Attributes
    ----------
    stream
        Its unpacked bytes.
    total
        Size of the packed file; 0 where that is not known.
    """

    stream: io.BufferedReader
    total: int
    _raw: _Counting

    @property
    def position(self) -> int:
        """Packed bytes read so far."""
        return self._raw.position


def _unpacked(raw: _Counting, compression: Compression, path: Path) -> io.BufferedReader:
    buffered: io.BufferedReader = io.BufferedReader(raw, 1 << 20)
    if compression == "gz":
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered, mode="rb")), 1 << 20)
    if compression == "zst":
        unpacking = zstandard(path).ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
        return io.BufferedReader(unpacking, 1 << 20)
    return buffered


def zstandard(path: Path) -> Any:  # noqa: ANN401 - a module without types
    """Return the module zstandard; raises :class:`~ipguard.errors.MissingExtraError` where it is not installed."""
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError(f"Reading or writing {path.name}", "batch") from None
    return zstandard


@contextmanager
def reading(path: Path, compression: Compression) -> Iterator[Opened]:
    """Open a file, or standard input, for its unpacked bytes.

    Parameters
    ----------
    path
        The file or ``-``.
    compression
        What it is packed with.

    Yields
    ------
    Opened
        Bytes and position.

    Raises
    ------
    BatchError
        If it cannot be read or unpacked.
    """
    damage: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
    if compression == "zst":
        damage = (*damage, zstandard(path).ZstdError)
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD else path.open("rb") as inner:
            raw = _Counting(inner)
            total = 0 if path == STANDARD else path.stat().st_size
            yield Opened(_unpacked(raw, compression, path), total, raw)
    except damage as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BatchError(f"{path} cannot be read: {reason}.") from None
