"""Scoring in this process or in several, one thread each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Protocol

from ipguard.batch.results import Result
from ipguard.errors import BatchError
from ipguard.guard import Guard, Purpose

GuardMaker = Callable[[], Guard]
"""Makes the guard in each process; must be picklable, as :class:`functools.partial` over :class:`Guard` is."""

PIECE = 512
"""Texts that a worker takes at a time: enough to be fast, few enough that workers end together."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
            "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS")  # fmt: skip


def cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def results_of(guard: Guard, texts: Sequence[str], purpose: Purpose | None) -> list[Result]:
    """Score distinct texts.

    Parameters
    ----------
    guard
        Scores.
    texts
        Prompts.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.

    Returns
    -------
    list of Result
        In order.
    """
    return [Result.of(verdict) for verdict in guard.stream(texts, purpose=purpose)]


def maker(guard: Guard | GuardMaker) -> GuardMaker:
    """Return what makes a guard in each process: a guard itself travels as paths and settings."""
    return partial(_same, guard) if isinstance(guard, Guard) else guard


def _same(guard: Guard) -> Guard:
    return guard


def versions_of(guard: Guard) -> dict[str, str]:
    """Return the versions of model, catalogue and rules: guards that share them give the same verdicts."""
    return {"model": guard.model_version, "catalogue": guard.catalogue_version, "rules": guard.rules_version}


def distinct(texts: Iterable[str | None]) -> list[str]:
    """Return the different texts of a column in order of first appearance, missing ones left out."""
    return list(dict.fromkeys(text for text in texts if text is not None))


def column_results(guard: Guard, texts: Sequence[str | None], purpose: Purpose | None) -> list[Result | None]:
    """Score a column, each different text once.

    Parameters
    ----------
    guard
        Scores.
    texts
        Prompts; None where one is missing.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.

    Returns
    -------
    list of Result or None
        In order; None where the prompt is missing.
    """
    different = distinct(texts)
    return spread(texts, different, results_of(guard, different, purpose))


def spread(texts: Sequence[str | None], different: list[str], results: list[Result]) -> list[Result | None]:
    """Return the results of different texts as one a row of the column that they came from."""
    scored = dict(zip(different, results, strict=True))
    return [None if text is None else scored[text] for text in texts]


class Scorer(Protocol):
    """Takes texts now and gives results later."""

    depth: int

    def submit(self, texts: list[str]) -> Callable[[], list[Result]]:
        """Start scoring; the result waits."""
        ...

    def versions(self) -> dict[str, str]:
        """Return what verdicts depend on; see :func:`versions_of`."""
        ...


class _Here:
    """Scores when asked for the result."""

    depth = 1

    def __init__(self, make: GuardMaker, purpose: Purpose | None) -> None:
        self._guard, self._purpose = make(), purpose

    def submit(self, texts: list[str]) -> Callable[[], list[Result]]:
        return lambda: results_of(self._guard, texts, self._purpose)

    def versions(self) -> dict[str, str]:
        return versions_of(self._guard)


_guard: Guard | None = None
_purpose: Purpose | None = None


def _start(make: GuardMaker, purpose: Purpose | None) -> None:
    global _guard, _purpose
    Thread(target=_end_with_parent, daemon=True).start()
    _guard, _purpose = make(), purpose


def _end_with_parent() -> None:
    """A worker whose parent was killed waits for work for ever: its queue never closes."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(texts: list[str]) -> list[Result]:
    assert _guard is not None  # noqa: S101 - _start ran first
    return results_of(_guard, texts, _purpose)


def _versions() -> dict[str, str]:
    assert _guard is not None  # noqa: S101
    return versions_of(_guard)


class _Pool:
    """Scores in other processes."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool = pool
        # While one chunk is being finished the next ones lie ready.
        self.depth = 2 + workers

    def submit(self, texts: list[str]) -> Callable[[], list[Result]]:
        try:
            futures = [self._pool.submit(_work, texts[at : at + PIECE]) for at in range(0, len(texts), PIECE)]
        except BrokenProcessPool:
            raise _gone() from None
        return lambda: [result for future in futures for result in _waited(future)]

    def versions(self) -> dict[str, str]:
        try:
            return self._pool.submit(_versions).result()
        except BrokenProcessPool:
            raise _gone() from None


def _waited(future: Future[list[Result]]) -> list[Result]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise _gone() from None


def _gone() -> BatchError:
    return BatchError(
        "A worker process vanished; the system may have ended it for want of memory. Finished chunks are kept: "
        "run again with --resume, with fewer --workers if memory is short."
    )


@contextmanager
def scorer(make: GuardMaker, workers: int, purpose: Purpose | None) -> Iterator[Scorer]:
    """Open a scorer.

    Parameters
    ----------
    make
        Makes the guard.
    workers
        Processes; 0 scores in this one.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.

    Yields
    ------
    Scorer
        Ready to take texts. Each process computes with one thread, so that workers do not contend for cores.
    """
    if workers == 0:
        yield _Here(make, purpose)
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    # Children read these when they load numpy; a thread pool that is already running would not.
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(make, purpose)) as pool:
            try:
                yield _Pool(pool, workers)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
