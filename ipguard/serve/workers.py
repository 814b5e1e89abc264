"""The service in one process, or in workers that share the memory of what was loaded before they began.

What reads figures (``prometheus_client``) must be told of several processes before it is imported. So this module
imports none of the application; each process does that for itself.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from ipguard.errors import InvalidArgumentError, ServeError
from ipguard.serve.loading import Loaded, load
from ipguard.serve.settings import ServeSettings

logger = logging.getLogger("ipguard.serve")
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
_RESTART_SECONDS = 1.0
"""A worker that ends by itself is replaced no sooner than this after it began."""
_POLL_SECONDS = 0.1
BACKLOG = 2048
"""Connections that may wait to be taken."""


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def run(settings: ServeSettings, *, host: str, port: int, workers: int) -> None:
    """Serve until told to stop by SIGTERM or SIGINT.

    Parameters
    ----------
    settings
        Of the service.
    host, port
        Where to listen.
    workers
        Processes; more than one needs a system that can fork.

    Raises
    ------
    ServeError
        If the address cannot be used, if others could reach it and there are no keys, or if a worker cannot start.
    InvalidArgumentError
        If there are more workers than the system can have.
    IpguardError
        If keys, policy, model or catalogue cannot be used.
    """
    if settings.keys is None and not is_loopback(host):
        raise ServeError(
            f"Without a file of keys the service listens on this machine only, not on {host}. Make one with "
            "ipguard serve-key new NAME >> FILE, and give it with --keys FILE."
        )
    if hasattr(signal, "SIGHUP"):
        # Until there is something to be loaded anew the signal must not end the process, as it does by default.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if workers < 1 or (workers > 1 and not hasattr(os, "fork")):
        raise InvalidArgumentError("workers", "be 1, or more where the system can fork", workers)
    with _listening(host, port) as sock:
        logger.warning("listening", extra={"host": host, "port": sock.getsockname()[1], "workers": workers})
        if workers == 1:
            _serve(settings, sock, None)
        else:
            _Supervisor(settings, sock, workers).run()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once instead of waiting for acknowledgements.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        sock.close()
        raise ServeError(f"{host}:{port} cannot be listened on: {error}.") from None
    return sock


def _serve(
    settings: ServeSettings,
    sock: socket.socket,
    loaded: Loaded | None,
    started: Callable[[], object] = lambda: None,
) -> None:
    from ipguard.serve.server import serve

    serve(settings, sock, loaded, started)


class _Supervisor:
    """Loads the model, forks workers, replaces those that end, and passes signals on."""

    def __init__(self, settings: ServeSettings, sock: socket.socket, workers: int) -> None:
        self._settings, self._sock, self._count = settings, sock, workers
        self._began: dict[int, float] = {}
        self._stopping = False
        self._failure = ""
        self._ready, self._say_ready = os.pipe()
        os.set_blocking(self._ready, False)
        self._was_ready = False

    def run(self) -> None:
        with TemporaryDirectory(prefix="ipguard-metrics-") as folder:
            # Read by prometheus_client when it is first imported, so workers are told before they are made.
            os.environ[MULTIPROCESS] = folder
            self._run()

    def _run(self) -> None:
        loaded = load(self._settings)
        # What was loaded moves out of the collector's sight: a walk over it would copy its pages in every worker.
        gc.collect()
        gc.freeze()
        for number in _SIGNALS:
            signal.signal(number, self._reload if number == signal.SIGHUP else self._stop)
        for _ in range(self._count):
            self._fork(loaded)
        deadline = None
        while self._began:
            self._reap(loaded)
            if self._stopping:
                # Else connections would wait here that no worker takes any more.
                self._sock.close()
                deadline = deadline or time.monotonic() + self._settings.drain + self._settings.stop_timeout + 5
                if time.monotonic() > deadline:
                    logger.error("workers that did not stop in time are killed")
                    self._pass_on(signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        if self._failure:
            raise ServeError(self._failure)

    def _fork(self, loaded: Loaded) -> None:
        # A signal that came in between would miss the worker, or find the supervisor's handlers in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child = os.fork()
        if child:
            self._began[child] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 1
        try:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            _serve(self._settings, self._sock, loaded, lambda: os.write(self._say_ready, b"1"))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            logger.exception("a worker failed")
        finally:
            sys.stderr.flush()
            # Nothing of the supervisor's own may run in the worker: neither its clean-up nor its loop.
            os._exit(code)

    def _reap(self, loaded: Loaded) -> None:
        """Replace workers that ended by themselves; give up if one fails before any could start."""
        with suppress(BlockingIOError):
            self._was_ready |= bool(os.read(self._ready, 1024))
        for child in list(self._began):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended:
                continue
            age = time.monotonic() - self._began.pop(child)
            self._forget(child)
            if self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            if not self._was_ready:
                self._failure = f"A worker ended with code {code} before it was ready; the log says why."
                self._stop()
                continue
            logger.error("worker %d ended with %d and is replaced", child, code)
            time.sleep(max(0.0, _RESTART_SECONDS - age))
            if not self._stopping:
                self._fork(loaded)

    def _stop(self, *_: object) -> None:
        self._stopping = True
        self._pass_on(signal.SIGTERM)

    def _reload(self, *_: object) -> None:
        self._pass_on(signal.SIGHUP)

    def _pass_on(self, number: int) -> None:
        for child in self._began:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    @staticmethod
    def _forget(worker: int) -> None:
        """Leave what a worker that has ended holds at the moment out of the figures; what it counted stays."""
        for file in Path(os.environ[MULTIPROCESS]).glob(f"gauge_live*_{worker}.db"):
            file.unlink(missing_ok=True)
