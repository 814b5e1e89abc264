"""Scoring a CSV file in constant memory, with every column and the order of rows kept."""

from __future__ import annotations

import codecs
import csv
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO, cast

from ipguard.errors import BatchError, InvalidArgumentError
from ipguard.guard import BATCH, Guard, Purpose
from ipguard.verdict import Verdict

RESULTS = (
    "ipguard_risk",
    "ipguard_decision",
    "ipguard_works",
    "ipguard_rights_holders",
    "ipguard_matches",
    "ipguard_reason",
    "ipguard_model",
    "ipguard_catalogue",
)
"""Columns that are added, in this order."""
_SAMPLE = 1 << 16
_MAX_CELL = 1 << 24
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows read, by decision, and those that could not be scored."""

    rows: int
    allow: int
    review: int
    block: int
    unscored: int


def detect_encoding(path: Path) -> str:
    """Return the encoding of a file: by its mark, else UTF-8 if it decodes, else cp932.

    Parameters
    ----------
    path
        The file. Excel in Japan writes cp932.

    Returns
    -------
    str
        A codec name.

    Raises
    ------
    BatchError
        If the file cannot be read or is in none of these.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
            for mark, name in _BOMS:
                if head.startswith(mark):
                    return name
            stream.seek(0)
            for name in ("utf-8", "cp932"):
                if _decodes(stream, name):
                    return name
                stream.seek(0)
    except OSError as error:
        raise BatchError(f"{path} cannot be read: {error.strerror}.") from None
    raise BatchError(f"{path} is neither UTF-8, UTF-16 nor cp932; name its encoding with --encoding.")


def _decodes(stream: object, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    read = stream.read  # type: ignore[attr-defined]
    try:
        while chunk := read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(sample: str) -> str:
    header = sample.splitlines()[0] if sample.splitlines() else ""
    counts = {mark: header.count(mark) for mark in (",", ";", "\t")}
    return max(counts, key=counts.__getitem__)


@contextmanager
def _atomic(target: Path) -> Iterator[TextIO]:
    """A file that appears under its name only when it is whole."""
    try:
        handle = tempfile.NamedTemporaryFile(  # noqa: SIM115 - renamed below
            "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
        )
    except OSError as error:
        raise BatchError(f"{target} cannot be written: {error.strerror}.") from None
    temporary = Path(handle.name)
    try:
        with handle:
            yield cast("TextIO", handle)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise BatchError(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def result_cells(verdict: Verdict | None) -> list[str]:
    """Return the cells that are added to a row; empty ones for a row that was not scored."""
    if verdict is None:
        return [""] * len(RESULTS)
    named = [match for match in verdict.matches if match.risk >= 0.01]
    return [
        f"{verdict.risk:.6f}",
        verdict.decision,
        ";".join(dict.fromkeys(match.work_id for match in named)),
        ";".join(dict.fromkeys(holder for match in named for holder in match.rights_holders)),
        json.dumps([match.to_dict() for match in verdict.matches], ensure_ascii=False),
        verdict.reason_code,
        verdict.model_version,
        verdict.catalogue_version,
    ]


def _verdicts(guard: Guard, rows: list[list[str]], place: int, purpose: Purpose | None) -> list[Verdict | None]:
    """A verdict a row, None where the row is too short to hold a prompt; equal prompts are scored once."""
    texts = [row[place] if place < len(row) else None for row in rows]
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    scored = dict(zip(distinct, guard.score_many(distinct, purpose=purpose), strict=True))
    return [None if text is None else scored[text] for text in texts]


def score_csv(
    guard: Guard,
    source: str | Path,
    target: str | Path,
    *,
    column: str = "prompt",
    encoding: str | None = None,
    purpose: Purpose | None = None,
    progress: Callable[[int, int], None] = lambda _bytes, _rows: None,
) -> Counts:
    """Score a CSV file.

    Parameters
    ----------
    guard
        Scores the prompts.
    source, target
        Files. The target is UTF-8 with the source's delimiter, and appears only when it is whole.
    column
        Heading of the column that holds the prompts.
    encoding
        Of the source; None to find out.
    purpose
        As for :meth:`ipguard.guard.Guard.score`.
    progress
        Called with bytes read and rows done.

    Returns
    -------
    Counts
        What was done. A row without the column's cell is kept with empty results and counted as unscored.

    Raises
    ------
    BatchError
        If a file cannot be read or written, or the header lacks the column.
    InvalidArgumentError
        If the encoding is unknown.
    """
    path, out = Path(source), Path(target)
    if not path.is_file():
        raise BatchError(f"{path} cannot be read: no such file.")
    if out.exists() and out.samefile(path):
        raise BatchError(f"{out} must be another file than the input.")
    codec = encoding or detect_encoding(path)
    try:
        codecs.lookup(codec)
    except LookupError:
        raise InvalidArgumentError("encoding", "be the name of a codec", codec) from None
    csv.field_size_limit(min(_MAX_CELL, sys.maxsize))
    try:
        with path.open(encoding=codec, newline="") as reading, _atomic(out) as writing:
            delimiter = _delimiter(reading.read(_SAMPLE))
            reading.seek(0)
            return _copy(guard, reading, writing, delimiter, column, purpose, progress)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BatchError(f"{path} is not a CSV file in {codec}: {error}.") from None


def _copy(
    guard: Guard,
    reading: TextIO,
    writing: TextIO,
    delimiter: str,
    column: str,
    purpose: Purpose | None,
    progress: Callable[[int, int], None],
) -> Counts:
    rows = csv.reader(reading, delimiter=delimiter)
    writer = csv.writer(writing, delimiter=delimiter)
    header = next(rows, None)
    if header is None or column not in header:
        raise BatchError(f"The input has no column {column!r}; it has {', '.join(header or ['none'])}.")
    taken = [name for name in RESULTS if name in header]
    if taken:
        raise BatchError(f"The input already has a column {taken[0]!r}.")
    place, width = header.index(column), len(header)
    writer.writerow([*header, *RESULTS])
    decisions: Counter[str] = Counter()
    done = 0
    while chunk := list(islice(rows, 4 * BATCH)):
        for row, verdict in zip(chunk, _verdicts(guard, chunk, place, purpose), strict=True):
            writer.writerow([*row, *[""] * (width - len(row)), *result_cells(verdict)])
            decisions[verdict.decision if verdict else "unscored"] += 1
        done += len(chunk)
        progress(reading.buffer.tell() if hasattr(reading, "buffer") else 0, done)
    return Counts(done, *(decisions[name] for name in ("allow", "review", "block", "unscored")))
