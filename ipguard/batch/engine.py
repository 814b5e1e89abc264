"""The run: chunks are read, scored somewhere, written in order, and survive a crash."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from ipguard.batch.files import STANDARD, FileKind, kind_of
from ipguard.batch.journal import Done, Journal
from ipguard.batch.results import COLUMNS, Result
from ipguard.batch.rows import Chunk, Reject
from ipguard.batch.sinks import Sink, atomic, sink_for, writing
from ipguard.batch.sources import Source, open_file
from ipguard.batch.workers import GuardMaker, Scorer, cores, distinct, maker, scorer, spread
from ipguard.errors import BatchError, InvalidArgumentError
from ipguard.guard import Guard, Purpose

SMALL = 1 << 18
"""Bytes of input up to which starting workers costs more than it saves."""


class Progress(NamedTuple):
    """How far a run is.

    Attributes
    ----------
    position, total
        In bytes or rows of the input; total is 0 where it is not known.
    rows
        Rows done.
    """

    position: int
    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    Attributes
    ----------
    column
        Where the prompts are.
    encoding
        Of a text input; None to find out.
    purpose
        As for :meth:`ipguard.guard.Guard.score`.
    workers
        Processes; None for one a core, or none for a small file; 0 to score in this process.
    resume
        Take up an earlier run of the same settings.
    excel_safe
        For CSV: disarm cells that a spreadsheet would take for formulas, and mark the file as UTF-8.
    rejects
        File for rows that cannot be scored; None for the output's name with ``.rejects.jsonl`` behind.
    """

    column: str = "prompt"
    encoding: str | None = None
    purpose: Purpose | None = None
    workers: int | None = None
    resume: bool = False
    excel_safe: bool = False
    rejects: Path | None = None


@dataclass
class Summary:
    """What a run did.

    Attributes
    ----------
    rows
        Rows written.
    decisions
        Rows by decision; ``unscored`` are those whose prompt is missing.
    rejected
        Rows that went to the rejects file.
    """

    rows: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    rejected: int = 0

    def add(self, decisions: dict[str, int], rejected: int) -> None:
        """Count a chunk."""
        self.decisions.update(decisions)
        self.rows += sum(decisions.values())
        self.rejected += rejected

    @property
    def whole(self) -> bool:
        """Whether every row was scored."""
        return not self.rejected and not self.decisions["unscored"]


def score_file(
    guard: Guard | GuardMaker,
    source: str | Path,
    target: str | Path,
    options: Options | None = None,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    progress: Callable[[Progress], None] = lambda _state: None,
) -> Summary:
    """Score a file.

    Parameters
    ----------
    guard
        A guard, or what makes one in each process.
    source, target
        Files, or ``-`` for standard input and output. The target appears only when it is whole.
    options
        How to run.
    source_format, target_format
        ``csv``, ``tsv``, ``jsonl`` or ``parquet`` where the name does not say it.
    progress
        Called after each chunk.

    Returns
    -------
    Summary
        What was done.

    Raises
    ------
    BatchError
        If a file cannot be read or written, the column is not there, or a worker vanished.
    InvalidArgumentError
        If an option is out of range.
    """
    path, out, options = Path(source), Path(target), options or Options()
    kind = kind_of(path, source_format)
    # Standard output has the format of the input.
    target_kind = kind_of(out, target_format or (kind.format if out == STANDARD else None))
    if path != STANDARD and not path.is_file():
        raise BatchError(f"{path} cannot be read: no such file.")
    if out.exists() and path.exists() and out.samefile(path):
        raise BatchError(f"{out} must be another file than the input.")
    stamp = path.stat() if path != STANDARD else None
    known = {"source": str(path.resolve()), "size": stamp.st_size} if stamp else {"source": "-"}
    opening = partial(open_file, path, kind, options.column, options.encoding)
    workers = _workers(options.workers, stamp.st_size if stamp else None)
    job = Job(opening, out, target_kind, replace(options, workers=workers), known)
    return run(guard, job, progress)


def _workers(wanted: int | None, size: int | None) -> int:
    if wanted is None:
        return 0 if size is not None and size <= SMALL else cores()
    if wanted < 0:
        raise InvalidArgumentError("workers", "be at least 0", wanted)
    return wanted


@dataclass(frozen=True)
class Job:
    """One input to one output.

    Attributes
    ----------
    opening
        Opens the source.
    target, kind
        The output and its kind.
    options
        With the number of workers settled.
    known
        Facts of the input by which a resumed run is told from another.
    """

    opening: Callable[[], AbstractContextManager[Source]]
    target: Path
    kind: FileKind
    options: Options
    known: dict[str, Any]

    @property
    def rejects(self) -> Path | None:
        """Where rejects go; None for standard error."""
        if self.options.rejects is not None:
            return self.options.rejects
        return None if self.target == STANDARD else self.target.with_name(self.target.name + ".rejects.jsonl")


def run(guard: Guard | GuardMaker, job: Job, progress: Callable[[Progress], None]) -> Summary:
    """Do a job; see :func:`score_file`."""
    if job.options.purpose not in (None, "image", "video", "text"):
        raise InvalidArgumentError("purpose", 'be "image", "video", "text" or None', job.options.purpose)
    with (
        job.opening() as source,
        scorer(maker(guard), job.options.workers or 0, job.options.purpose) as scoring,
    ):
        taken = [name for name in COLUMNS if name in source.columns]
        if taken:
            raise BatchError(f"The input already has a column {taken[0]!r}.")
        sink = sink_for(job.kind, source, excel_safe=job.options.excel_safe)
        if job.target == STANDARD:
            return _streamed(job, source, sink, scoring, progress)
        return _journalled(job, source, sink, scoring, progress)


def _settled(chunk: Chunk, sink: Sink) -> Chunk:
    """The chunk without rows that the output cannot hold."""
    unfit = sink.unfit(chunk.rows)
    if not unfit:
        return chunk
    rejects = [Reject(chunk.numbers[at], reason, chunk.rows.shown(at)) for at, reason in unfit.items()]
    numbers = [number for at, number in enumerate(chunk.numbers) if at not in unfit]
    texts = [text for at, text in enumerate(chunk.texts) if at not in unfit]
    every = sorted([*chunk.rejects, *rejects], key=lambda reject: reject.row)
    return replace(chunk, texts=texts, numbers=numbers, rows=chunk.rows.without(unfit), rejects=every)


def _submit(chunk: Chunk, scoring: Scorer) -> Callable[[], list[Result | None]]:
    """Start scoring each distinct text of a chunk once."""
    different = distinct(chunk.texts)
    waiting = scoring.submit(different) if different else list
    return lambda: spread(chunk.texts, different, waiting())


def _counted(results: list[Result | None]) -> dict[str, int]:
    return dict(Counter("unscored" if result is None else result.decision for result in results))


class _Scored(NamedTuple):
    """A chunk with its bytes and counts, or with what an earlier run kept of it."""

    chunk: Chunk
    part: bytes
    decisions: dict[str, int]
    kept: Done | None


def _scored(
    chunks: Iterator[Chunk], sink: Sink, scoring: Scorer, finished: Callable[[Chunk], Done | None]
) -> Iterator[_Scored]:
    """Chunks in order, with a few always being scored ahead; finished ones are not scored again."""
    ahead: deque[tuple[Chunk, Callable[[], list[Result | None]], Done | None]] = deque()

    def first() -> _Scored:
        chunk, results, kept = ahead.popleft()
        if kept is not None:
            return _Scored(chunk, b"", {}, kept)
        found = results()
        return _Scored(chunk, sink.part(chunk.rows, found), _counted(found), None)

    for read in chunks:
        chunk = _settled(read, sink)
        kept = finished(chunk)
        ahead.append((chunk, list if kept is not None else _submit(chunk, scoring), kept))
        if len(ahead) >= scoring.depth:
            yield first()
    while ahead:
        yield first()


def _journalled(job: Job, source: Source, sink: Sink, scoring: Scorer, progress: Callable[[Progress], None]) -> Summary:
    settings = {
        **job.known, "format": f"{job.kind.format} {job.kind.compression}".strip(), "column": job.options.column,
        "encoding": job.options.encoding, "purpose": job.options.purpose, "excel_safe": job.options.excel_safe,
        "columns": list(source.columns), **scoring.versions(),
    }  # fmt: skip
    journal = Journal(job.target, settings, resume=job.options.resume)
    summary, rejects, count = Summary(), list[Reject](), 0
    for chunk, part, decisions, kept in _scored(source.chunks(), sink, scoring, journal.finished):
        done = kept or journal.finish(chunk, part, decisions)
        summary.add(done.decisions, len(done.rejects))
        rejects += done.rejected
        count += 1
        progress(Progress(chunk.position, source.total, summary.rows))
    _write_rejects(job, rejects)
    with writing(job.target, job.kind) as stream:
        sink.join(journal.parts(count), stream)
    journal.remove()
    return summary


def _streamed(job: Job, source: Source, sink: Sink, scoring: Scorer, progress: Callable[[Progress], None]) -> Summary:
    if job.options.resume:
        raise InvalidArgumentError("resume", "be used with an output file, not standard output", True)  # noqa: FBT003
    summary, rejects = Summary(), list[Reject]()

    def parts() -> Iterator[bytes]:
        for chunk, part, decisions, _ in _scored(source.chunks(), sink, scoring, lambda _chunk: None):
            summary.add(decisions, len(chunk.rejects))
            rejects.extend(chunk.rejects)
            yield part
            progress(Progress(chunk.position, source.total, summary.rows))

    stream = cast("BinaryIO", sys.stdout.buffer)
    sink.join(parts(), stream)
    stream.flush()
    _write_rejects(job, rejects)
    return summary


def _write_rejects(job: Job, rejects: list[Reject]) -> None:
    path = job.rejects
    if path is None:
        sys.stderr.writelines(reject.line() for reject in rejects)
    elif rejects:
        with atomic(path) as stream:
            stream.writelines(reject.line().encode() for reject in rejects)
    else:
        path.unlink(missing_ok=True)
