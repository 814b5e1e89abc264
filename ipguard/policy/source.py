"""A policy that may change while it is in use: read from a file or a registry, and looked at again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Protocol, Self

from ipguard.errors import InvalidArgumentError, IpguardError, PolicyError
from ipguard.policy.rules import Policy

_log = logging.getLogger(__name__)

REMINDER = 60.0
"""Seconds between two log lines about the same failure."""
STALE = 30.0
"""Seconds without the end of a look from which a thread that looks counts as stuck."""
_DATABASES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How it stands with a source.

    Attributes
    ----------
    version
        Revision of the registry, or hash of the file, that the policy in use was read from.
    reloads
        Policies taken over after the first.
    failures
        Looks that failed since the start.
    last_error
        Of the last look, or None if it succeeded.
    age
        Seconds since the last look that succeeded.
    """

    version: str
    reloads: int
    failures: int
    last_error: str | None
    age: float

    @property
    def healthy(self) -> bool:
        """Whether the policy in use is known to be the one that is asked for."""
        return self.last_error is None


class _Origin(Protocol):
    """Where a policy comes from."""

    def stamp(self) -> object:
        """Return something cheap that differs where the policy may have changed."""

    def read(self) -> tuple[str, Policy]:
        """Return version and policy."""

    def close(self) -> None:
        """Let go of what it holds."""


class _File:
    """A JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> object:
        return _stat(self._path)

    def read(self) -> tuple[str, Policy]:
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise PolicyError(f"{self._path} cannot be read: {error.strerror}.") from None
        return sha256(content).hexdigest()[:8], Policy.decode(content, str(self._path))

    def close(self) -> None:
        pass


class _Database:
    """A registry."""

    def __init__(self, where: str) -> None:
        from ipguard.policy.registry import Registry  # noqa: PLC0415 - behind an extra
        from ipguard.policy.registry.database import sqlite_file  # noqa: PLC0415

        self._file = sqlite_file(where)
        self._inode = self._inode_now()
        self._open: Callable[[], Registry] = lambda: Registry(where)
        self._registry = self._open()

    def stamp(self) -> object:
        inode = self._inode_now()
        if inode != self._inode:
            # A file that was put in the place of another is not seen through connections to the old one.
            self._registry.close()
            self._registry, self._inode = self._open(), inode
        return inode, self._registry.revision

    def read(self) -> tuple[str, Policy]:
        revision, policy = self._registry.snapshot()
        return str(revision), policy

    def close(self) -> None:
        self._registry.close()

    def _inode_now(self) -> int:
        # Opening a file that is not there would make an empty one, and an empty policy of it.
        return 0 if self._file is None else _stat(self._file)[2]


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}.") from None
    return found.st_mtime_ns, found.st_size, found.st_ino


class PolicySource:
    """A policy file or registry that is looked at again and again. Thread-safe.

    A look that fails keeps the last good policy and logs an error; the next one may succeed.

    Parameters
    ----------
    where
        A policy file (JSON), or a registry: an address with ``://``, or an SQLite file ending in ``.db``,
        ``.sqlite`` or ``.sqlite3``.
    interval
        Seconds between two looks.
    check
        Called with each new policy; what it raises counts as a failed look. A guard's ``with_policy`` refuses
        a policy that its catalogue does not know.
    background
        Whether a thread looks. If not, :meth:`current` does where the time has come.

    Raises
    ------
    PolicyError
        If there is no good policy to start with.
    """

    def __init__(
        self,
        where: str | Path,
        *,
        interval: float = 1.0,
        check: Callable[[Policy], object] | None = None,
        background: bool = False,
    ) -> None:
        if interval <= 0:
            raise InvalidArgumentError("interval", "be greater than 0", interval)
        self._interval, self._check = interval, check
        self._origin = _origin(where)
        self._lock, self._stop = Lock(), Event()
        self._reloads = self._failures = 0
        self._last_error: str | None = None
        self._reminded = 0.0
        self._looked = self._succeeded = time.monotonic()
        try:
            self._seen = self._origin.stamp()
            self._version, self._policy = self._checked()
        except BaseException:
            self._origin.close()
            raise
        self._thread: Thread | None = None
        if background:
            self._thread = Thread(target=self._run, name="ipguard-policy", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        """Return the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking."""
        self.close()

    def current(self) -> Policy:
        """Return the policy that holds now: the same object until it changes."""
        if self._thread is None and time.monotonic() - self._looked >= self._interval:
            self.refresh()
        return self._policy

    def refresh(self) -> bool:
        """Look now; return at once if another thread is looking.

        Returns
        -------
        bool
            Whether the policy changed.
        """
        if not self._lock.acquire(blocking=False):
            return False
        before = self._policy
        try:
            self._look()
        except IpguardError as error:
            self._bad(error)
        else:
            self._succeeded, self._last_error = time.monotonic(), None
        finally:
            self._looked = time.monotonic()
            self._lock.release()
        return self._policy is not before

    def _look(self) -> None:
        # The stamp first: what changes while it is read is seen again by the next look.
        stamp = self._origin.stamp()
        if stamp == self._seen:
            return
        version, policy = self._checked()
        if policy != self._policy:
            self._policy = policy
            self._reloads += 1
            _log.info("Policy %s taken over: %d rules.", version, len(policy.rules))
        self._seen, self._version = stamp, version

    def _checked(self) -> tuple[str, Policy]:
        version, policy = self._origin.read()
        if self._check is not None:
            self._check(policy)
        return version, policy

    def _bad(self, error: IpguardError) -> None:
        self._failures += 1
        message, now = str(error), time.monotonic()
        if message != self._last_error or now - self._reminded >= REMINDER:
            self._reminded = now
            _log.error("The policy cannot be read anew; version %s stays in force: %s", self._version, message)
        self._last_error = message

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.refresh()
            except Exception:  # noqa: BLE001
                # Whatever it was, the thread must live on: without it no change would ever arrive.
                self._failures += 1
                _log.exception("Looking for a new policy failed; version %s stays in force.", self._version)

    @property
    def status(self) -> SourceStatus:
        """Counters, the last error, and how old the last good look is."""
        now = time.monotonic()
        error = self._last_error
        if self._thread is not None and error is None and now - self._looked > STALE + self._interval:
            error = f"No look has come to an end for {now - self._looked:.0f} s."
        return SourceStatus(self._version, self._reloads, self._failures, error, now - self._succeeded)

    def close(self) -> None:
        """Stop looking; the last policy can still be asked for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._origin.close()


def _origin(where: str | Path) -> _Origin:
    is_database = "://" in str(where) or Path(where).suffix.lower() in _DATABASES
    return _Database(str(where)) if is_database else _File(Path(where))
