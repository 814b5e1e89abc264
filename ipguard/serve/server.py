"""One process that serves, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvicorn
from threadpoolctl import threadpool_limits

from ipguard.serve.app import create_app
from ipguard.serve.loading import Loaded
from ipguard.serve.service import Service
from ipguard.serve.settings import ServeSettings

BACKLOG = 2048
"""Connections that may wait to be taken."""


class Server(uvicorn.Server):
    """Uvicorn's server, which takes its leave of open connections before it closes them.

    Parameters
    ----------
    config
        Of uvicorn.
    service
        Told of the end, so that answers ask clients to close.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and load everything anew at SIGHUP from then on."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._service.reload)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go on answering for a while, every answer closing its connection; then stop.

        A connection that is closed while a request is on its way loses that request. So clients are told first.
        """
        self._service.draining = True
        await asyncio.sleep(self._service.settings.drain)
        await super().shutdown(sockets)


def serve(settings: ServeSettings, sock: socket.socket, loaded: Loaded | None) -> None:
    """Serve in this process until told to stop by SIGTERM or SIGINT.

    Parameters
    ----------
    settings
        Of the service.
    sock
        Listens already.
    loaded
        Model and catalogue where they are loaded already.
    """
    # One core a worker: threads of the linear algebra would wait for each other, and for those of other workers.
    threadpool_limits(1)
    app = create_app(settings, loaded=loaded)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, date_header=True, backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(settings.stop_timeout)), timeout_keep_alive=75,
    )  # fmt: skip
    Server(config, app.state.service).run(sockets=[sock])
