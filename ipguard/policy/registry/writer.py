"""Recording decisions behind the back of scoring: a bounded queue, a thread, batches."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread

import sqlalchemy as sa

from ipguard.errors import RegistryError
from ipguard.policy.registry.audit import AuditLog, DecisionRecord

_log = logging.getLogger(__name__)

BATCH = 500
"""Records that one transaction takes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds after a failure until the next attempt: doubled each time, up to the longest."""
QUIET = 10.0
"""Seconds between two log lines about records that were lost."""
POLL = 0.1
_Entry = tuple[DecisionRecord, "Future[None] | None"]


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """How recording goes.

    Attributes
    ----------
    recorded, dropped, failures
        Records written, records lost, attempts that failed.
    queued
        Records that wait.
    last_error
        Of the last attempt, or None if it succeeded.
    """

    recorded: int
    dropped: int
    failures: int
    queued: int
    last_error: str | None


class AuditWriter:
    """Writes records in a thread of its own. Thread-safe.

    Parameters
    ----------
    log
        Where the records go.
    required
        Whether a request may not go on before its record is written. If not, :meth:`record` returns at once;
        a database that fails is tried again, and records that find the queue full are counted and lost.
    capacity
        Records that may wait.
    patience
        Seconds that a required record may take.
    """

    def __init__(
        self, log: AuditLog, *, required: bool = False, capacity: int = 10_000, patience: float = 10.0
    ) -> None:
        self.required, self._patience, self._audit = required, patience, log
        self._queue: Queue[_Entry] = Queue(capacity)
        self._waiting: list[_Entry] = []
        self._stop, self._lock = Event(), Lock()
        self._recorded = self._dropped = self._failures = 0
        self._last_error: str | None = None
        self._next_line = 0.0
        self._thread = Thread(target=self._run, name="ipguard-audit", daemon=True)
        self._thread.start()

    @property
    def status(self) -> AuditStatus:
        """Counters since the start."""
        queued = self._queue.qsize() + len(self._waiting)
        return AuditStatus(self._recorded, self._dropped, self._failures, queued, self._last_error)

    def record(self, record: DecisionRecord) -> None:
        """Record a decision.

        Parameters
        ----------
        record
            From :func:`~ipguard.policy.registry.audit.record_of`.

        Raises
        ------
        RegistryError
            If records are required and this one could not be written.
        """
        written = self._submit(record)
        if written is not None:
            try:
                written.result(self._patience)
            except TimeoutError:
                raise self._too_late() from None

    async def arecord(self, record: DecisionRecord) -> None:
        """Record a decision without holding up the event loop; see :meth:`record`.

        Parameters
        ----------
        record
            From :func:`~ipguard.policy.registry.audit.record_of`.

        Raises
        ------
        RegistryError
            If records are required and this one could not be written.
        """
        written = self._submit(record)
        if written is not None:
            try:
                await asyncio.wait_for(asyncio.wrap_future(written), self._patience)
            except TimeoutError:
                raise self._too_late() from None

    def _submit(self, record: DecisionRecord) -> Future[None] | None:
        written: Future[None] | None = Future() if self.required else None
        if self._stop.is_set():
            self._lose(1, "the writer is closed")
        else:
            try:
                self._queue.put_nowait((record, written))
            except Full:
                self._lose(1, "the queue is full")
            else:
                return written
        if self.required:
            raise RegistryError("The decision could not be recorded, which is required: the queue is full or closed.")
        return None

    def _too_late(self) -> RegistryError:
        return RegistryError(f"The decision was not recorded within {self._patience:g} s, which is required.")

    def _lose(self, count: int, why: str) -> None:
        with self._lock:
            self._dropped += count
            now = time.monotonic()
            if now < self._next_line:
                return
            self._next_line = now + QUIET
        _log.error("Decisions are not recorded: %s; %d lost so far.", why, self._dropped)

    def close(self, patience: float = 10.0) -> None:
        """Write what waits, and stop; what could not be written by then is counted as lost.

        Parameters
        ----------
        patience
            Seconds that it may take.
        """
        self._stop.set()
        self._thread.join(patience)
        left = self._queue.qsize() + len(self._waiting)
        if left:
            self._lose(left, "the writer was closed before it could write them")

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            if not self._waiting:
                self._waiting = self._batch()
            if not self._waiting:
                if self._stop.is_set():
                    return
                continue
            self._waiting = self._write(self._waiting)
            if not self._waiting:
                pause = FIRST_PAUSE
            elif self._stop.wait(pause):
                # The last attempt was made; close() counts what is left.
                return
            else:
                pause = min(2 * pause, LONGEST_PAUSE)

    def _batch(self) -> list[_Entry]:
        """What waits in the queue, up to a batch; empty after a moment without anything."""
        found: list[_Entry] = []
        try:
            found.append(self._queue.get(timeout=POLL))
            while len(found) < BATCH:
                found.append(self._queue.get_nowait())
        except Empty:
            pass
        return found

    def _write(self, batch: list[_Entry]) -> list[_Entry]:
        """Try to write a batch, and return what shall be tried again."""
        try:
            self._audit.append([record for record, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it was, the thread must live on and say so
            return self._failed(batch, error)
        self._recorded += len(batch)
        self._last_error = None
        _settle(batch, None)
        return []

    def _failed(self, batch: list[_Entry], error: Exception) -> list[_Entry]:
        refused = not isinstance(error.__cause__, (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError))
        if refused and len(batch) > 1:
            # One record that the database cannot hold must not keep the others waiting.
            return [left for entry in batch for left in self._write([entry])]
        self._failures += 1
        self._last_error = str(error)
        _log.error("A batch of %d decisions was not recorded: %s", len(batch), error)
        if self.required:
            _settle(batch, RegistryError(f"The decision could not be recorded, which is required: {error}"))
        elif refused:
            self._lose(1, str(error))
        return [] if refused or self.required else batch


def _settle(batch: list[_Entry], error: RegistryError | None) -> None:
    """Tell those who wait for their records."""
    for _, written in batch:
        if written is None or not written.set_running_or_notify_cancel():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
