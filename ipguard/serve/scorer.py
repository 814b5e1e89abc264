"""One scoring thread, fed with what requests bring at the same time.

A prompt alone costs several times what it costs in a batch. While the thread works, further prompts gather; it then
takes all that have come, so that batches grow with the load and a prompt never waits for others to come.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any, TypeVar

from ipguard.errors import InvalidArgumentError
from ipguard.guard import Guard, Purpose
from ipguard.serve.lookup import Lookup
from ipguard.serve.problems import Problem
from ipguard.verdict import Verdict

T = TypeVar("T")
BATCH_PROMPTS, BATCH_CHARS = 64, 200_000
"""A batch of the thread ends at the first of these."""
PIECE_PROMPTS, PIECE_CHARS = 16, 50_000
"""A request is scored in pieces of at most so much, between which others have their turn."""
logger = logging.getLogger("ipguard.serve")


@dataclass(frozen=True, slots=True)
class Options:
    """What a request asks for beside its prompts."""

    purpose: Purpose | None = None
    allow: tuple[str, ...] = ()
    territory: str | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """A guard with what answers say of it.

    Attributes
    ----------
    guard
        Scores.
    policy_version
        Of its policy and thresholds.
    lookup
        Into its catalogue.
    """

    guard: Guard
    policy_version: str
    lookup: Lookup


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prompt, its verdict, and what gave it."""

    by: InForce
    prompt: str
    verdict: Verdict


Render = Callable[[Judgement], T]


@dataclass(frozen=True, slots=True)
class _Piece:
    prompts: tuple[str, ...]
    options: Options
    render: Render[Any]
    future: Future[list[tuple[Judgement, Any]]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[[Guard], Any]
    future: Future[Any] = field(default_factory=Future)


_Job = _Piece | _Call | None
_NOTHING = _Call(lambda _guard: None)
"""Stands for an empty queue, where None is the order to stop."""


class Scorer:
    """Scores in a thread of its own; its methods belong to one event loop.

    Parameters
    ----------
    in_force
        Gives what is in force; asked anew for each batch.
    capacity
        Prompts that may be in work at once.
    observe
        Called in the thread with the prompts and the seconds of a batch.
    """

    def __init__(
        self,
        in_force: Callable[[], InForce],
        *,
        capacity: int,
        observe: Callable[[int, float], None] = lambda _prompts, _seconds: None,
    ) -> None:
        self._in_force, self._capacity, self._observe = in_force, capacity, observe
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread = Thread(target=self._run, name="ipguard-scorer", daemon=True)
        self.pending = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._jobs.put(None)
        self._thread.join()

    async def score(self, prompts: Sequence[str], options: Options, render: Render[T]) -> list[tuple[Judgement, T]]:
        """Score the prompts of a request.

        Parameters
        ----------
        prompts
            In order.
        options
            For all of them.
        render
            Makes the answer for a judgement; called in the thread, so that long answers hold up nobody.

        Returns
        -------
        list of tuple
            A judgement and its answer a prompt.

        Raises
        ------
        Problem
            503 if too much is in work.
        InvalidArgumentError
            If an option breaks its rule.
        """
        async with self._room(len(prompts)):
            found: list[tuple[Judgement, T]] = []
            for part in pieces(prompts):
                piece = _Piece(part, options, render)
                self._jobs.put(piece)
                done: list[tuple[Judgement, T]] = await asyncio.wrap_future(piece.future)
                found += done
            return found

    async def call(self, function: Callable[[Guard], T]) -> T:
        """Call a function with the guard in force, in the thread."""
        async with self._room(1):
            job = _Call(function)
            self._jobs.put(job)
            done: T = await asyncio.wrap_future(job.future)
            return done

    @asynccontextmanager
    async def _room(self, prompts: int) -> AsyncIterator[None]:
        if self.pending + prompts > self._capacity:
            message = f"{self.pending} prompts are in work already; try again."
            raise Problem(503, "overloaded", message, headers={"Retry-After": "1"})
        self.pending += prompts
        try:
            yield
        finally:
            self.pending -= prompts

    def _run(self) -> None:
        job = self._jobs.get()
        while job is not None:
            if isinstance(job, _Call):
                _settle(job, self._in_force().guard)
                job = self._jobs.get()
            else:
                batch, job = self._gathered(job)
                self._score(batch)
                job = self._jobs.get() if job is _NOTHING else job

    def _gathered(self, piece: _Piece) -> tuple[list[_Piece], _Job]:
        """A piece with those that wait behind it, and the first job behind them that is none."""
        batch, prompts, chars = [piece], len(piece.prompts), sum(map(len, piece.prompts))
        while prompts < BATCH_PROMPTS and chars < BATCH_CHARS:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if not isinstance(job, _Piece):
                return batch, job
            batch.append(job)
            prompts, chars = prompts + len(job.prompts), chars + sum(map(len, job.prompts))
        return batch, _NOTHING

    def _score(self, batch: list[_Piece]) -> None:
        by, start = self._in_force(), perf_counter()
        groups: defaultdict[Options, list[_Piece]] = defaultdict(list)
        for piece in batch:
            # A request that was given up waits no more for its prompts.
            if piece.future.set_running_or_notify_cancel():
                groups[piece.options].append(piece)
        for options, group in groups.items():
            self._score_group(by, options, group)
        self._observe(sum(len(p.prompts) for group in groups.values() for p in group), perf_counter() - start)

    def _score_group(self, by: InForce, options: Options, group: list[_Piece]) -> None:
        try:
            verdicts = iter(_verdicts(by.guard, options, [prompt for piece in group for prompt in piece.prompts]))
        except Exception as error:
            if len(group) > 1:
                # One request must not fail for what another brought.
                for piece in group:
                    self._score_group(by, options, [piece])
                return
            if not isinstance(error, InvalidArgumentError):
                logger.exception("scoring failed")
            group[0].future.set_exception(error)
            return
        for piece in group:
            judged = [Judgement(by, prompt, next(verdicts)) for prompt in piece.prompts]
            try:
                piece.future.set_result([(judgement, piece.render(judgement)) for judgement in judged])
            except Exception as error:
                logger.exception("an answer could not be made")
                piece.future.set_exception(error)


def _verdicts(guard: Guard, options: Options, prompts: list[str]) -> list[Verdict]:
    return guard.score_many(prompts, purpose=options.purpose, allow=options.allow, territory=options.territory)


def _settle(call: _Call, guard: Guard) -> None:
    """Call and hand the result, or the error, to who waits."""
    if not call.future.set_running_or_notify_cancel():
        return
    try:
        call.future.set_result(call.function(guard))
    except Exception as error:
        if not isinstance(error, InvalidArgumentError):
            logger.exception("a call failed")
        call.future.set_exception(error)


def pieces(prompts: Sequence[str]) -> list[tuple[str, ...]]:
    """Part prompts into pieces that take about the same time.

    Parameters
    ----------
    prompts
        Any number.

    Returns
    -------
    list of tuple
        In order; a prompt longer than a piece stands alone.
    """
    parts: list[list[str]] = []
    chars = 0
    for prompt in prompts:
        if not parts or len(parts[-1]) >= PIECE_PROMPTS or chars + len(prompt) > PIECE_CHARS:
            parts.append([])
            chars = 0
        parts[-1].append(prompt)
        chars += len(prompt)
    return [tuple(part) for part in parts]
