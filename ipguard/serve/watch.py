"""Files that are read again when they change; a bad one leaves what was read before in force."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from ipguard.errors import IpguardError
from ipguard.serve.loading import stamp
from ipguard.serve.metrics import Metrics

T = TypeVar("T")
logger = logging.getLogger("ipguard.serve")


class Watched(Generic[T]):
    """A file and what was last read from it.

    Parameters
    ----------
    what
        Its name in logs and figures.
    path
        The file.
    load
        Reads it; raises an :class:`~ipguard.errors.IpguardError` if it cannot be used.
    metrics
        Where loads are counted.
    """

    def __init__(self, what: str, path: str | Path, load: Callable[[str | Path], T], metrics: Metrics) -> None:
        self._what, self._path, self._load, self._metrics = what, Path(path), load, metrics
        self._stamp = stamp(self._path)
        self.value = load(path)

    def look(self) -> None:
        """Read the file again if it has changed."""
        now = stamp(self._path)
        if now == self._stamp:
            return
        self._stamp = now
        try:
            self.value = self._load(self._path)
        except IpguardError as error:
            self._metrics.reloads.labels(self._what, "failed").inc()
            # One line says it all; the traceback would lead to the reader, not to the file.
            logger.error("%s kept as they were: %s", self._what, error)  # noqa: TRY400
            return
        self._metrics.reloads.labels(self._what, "done").inc()
        logger.warning("%s read again", self._what)
