"""One process that serves, until it is told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from threadpoolctl import threadpool_limits

from ipguard.serve.app import create_app
from ipguard.serve.loading import Loaded
from ipguard.serve.service import Service
from ipguard.serve.settings import ServeSettings
from ipguard.serve.workers import BACKLOG

_SETTLE_SECONDS = 0.25
"""Enough for connections that have begun to be taken and their requests to be read."""
_SO_ATTACH_FILTER = 26
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
"""Instructions of the classic packet filter (linux/filter.h)."""
_TCP_FLAGS, _ACK = 13, 0x10
"""Place of the flags in the head of a TCP segment, and the flag that every segment but the first has."""


class Server(uvicorn.Server):
    """Uvicorn's server, which takes its leave of open connections before it closes them.

    Parameters
    ----------
    config
        Of uvicorn.
    service
        Told of the end, so that answers ask clients to close.
    started
        Called when requests are taken.
    """

    def __init__(self, config: uvicorn.Config, service: Service, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._service, self._started = service, started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and load everything anew at SIGHUP from then on."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._service.reload)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go on answering for a while, every answer closing its connection; then stop.

        A connection that is closed while a request is on its way loses that request. So clients are told first, and
        at the end those that wait to be taken are taken, while no further ones come.
        """
        self._service.draining = True
        await asyncio.sleep(self._service.settings.drain)
        for sock in sockets or []:
            turn_away(sock)
        await asyncio.sleep(_SETTLE_SECONDS)
        await super().shutdown(sockets)


def turn_away(sock: socket.socket) -> None:
    """Let no further connection begin, without a word to those that have begun; only Linux can do that.

    A socket that is closed resets the connections that wait to be taken, whose requests are lost. Instead, packets
    that ask for a new connection are passed over; who sent them asks again in a second, and is then refused.

    Parameters
    ----------
    sock
        Listens.
    """
    # If the segment has the flag ACK set, it belongs to a connection that has begun: take all of it; else nothing.
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (_LOAD_BYTE, 0, 0, _TCP_FLAGS), (_JUMP_IF_SET, 0, 1, _ACK), (_RETURN, 0, 0, 0xFFFFFFFF), (_RETURN, 0, 0, 0),
        )
    )  # fmt: skip
    buffer = ctypes.create_string_buffer(program)
    if sys.platform == "linux":
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 4, ctypes.addressof(buffer)))


def serve(settings: ServeSettings, sock: socket.socket, loaded: Loaded | None, started: Callable[[], object]) -> None:
    """Serve in this process until told to stop by SIGTERM or SIGINT.

    Parameters
    ----------
    settings
        Of the service.
    sock
        Listens already.
    loaded
        Model and catalogue where they are loaded already.
    started
        Called when requests are taken.
    """
    # One core a worker: threads of the linear algebra would wait for each other, and for those of other workers.
    threadpool_limits(1)
    app = create_app(settings, loaded=loaded)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, date_header=True, backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(settings.stop_timeout)), timeout_keep_alive=75,
    )  # fmt: skip
    Server(config, app.state.service, started).run(sockets=[sock])
