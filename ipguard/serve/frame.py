"""What every request passes: its id, who asks, the size of its body, its time, its line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ipguard.serve.keys import Caller
from ipguard.serve.metrics import Metrics
from ipguard.serve.problems import Problem, answer
from ipguard.serve.service import Service
from ipguard.serve.workers import is_loopback

logger = logging.getLogger("ipguard.serve.access")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that figures tell apart: others are made up, and there is no end to them."""
_OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
_SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Frame:
    """Middleware around the whole application.

    Parameters
    ----------
    app
        What it is put around.
    service
        Settings, keys and figures.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; other kinds of connections are passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Exchange(self._app, self._service, scope, receive, send).run()


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._service, self._scope, self._receive, self._raw_send = app, service, scope, receive, send
        self._headers = Headers(scope=scope)
        given = self._headers.get("x-request-id", "")
        self._id = given if _ID.fullmatch(given) else uuid4().hex
        self._notes: dict[str, Any] = {}
        self._status = 0
        self._unread = "transfer-encoding" in self._headers or self._headers.get("content-length", "0") != "0"
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["notes"] = self._id, self._notes

    async def run(self) -> None:
        start = perf_counter()
        try:
            async with asyncio.timeout(self._service.settings.timeout):
                await self._answer()
        except TimeoutError:
            await self._refuse(Problem(504, "timeout", f"No answer within {self._service.settings.timeout:g} seconds."))
        except Problem as problem:
            await self._refuse(problem)
        except Exception:
            logger.exception("request failed", extra={"request_id": self._id})
            await self._refuse(Problem(500, "internal", "The service failed; nothing was decided."))
        finally:
            self._record(perf_counter() - start)

    async def _answer(self) -> None:
        if not (self._scope["path"] in _OPEN or self._scope["path"].startswith("/static/")):
            caller = self._caller()
            self._scope["state"]["caller"] = caller
            self._notes["key"] = caller.name
        body = await self._body()
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await self._receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(self._scope, replay, self._send)

    def _caller(self) -> Caller:
        keys = self._service.keys
        if keys is None:
            client = self._scope.get("client")
            # The name is checked too: a page in a browser on this machine may have its own name point here.
            if (client and not is_loopback(client[0])) or not is_loopback(_host_name(self._headers.get("host", ""))):
                message = "Without a file of keys only callers on this machine are answered, under its local name."
                raise Problem(403, "keys_needed", message)
            return Caller("", "read")
        scheme, _, key = self._headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else self._headers.get("x-api-key", "")
        caller = keys.caller(key) if key else None
        if caller is None:
            message = (
                "The key is not valid." if key else "A key is needed: Authorization: Bearer KEY, or X-API-Key: KEY."
            )
            raise Problem(401, "invalid_key" if key else "key_needed", message, headers={"WWW-Authenticate": "Bearer"})
        return caller

    async def _body(self) -> bytes:
        limit = self._service.settings.max_body
        if self._scope["method"] in ("POST", "PUT", "PATCH"):
            self._check_type()
        problem = Problem(413, "too_large", f"The body must hold at most {limit} bytes.")
        length = self._headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > limit:
            raise problem
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "disconnected", "The body ended early.")
            part: bytes = message.get("body", b"")
            size, more = size + len(part), message.get("more_body", False)
            if size > limit:
                raise problem
            parts.append(part)
        self._unread = False
        return b"".join(parts)

    def _check_type(self) -> None:
        media = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Problem(415, "not_json", "The body must be JSON, sent with Content-Type: application/json.")

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._id
            for name, value in _SECURITY.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["cache-control"] = "no-store"
            if self._service.draining or self._unread:
                # Who sends a body slowly, or one too large, does not keep the connection.
                headers["connection"] = "close"
        await self._raw_send(message)

    async def _refuse(self, problem: Problem) -> None:
        if self._status:
            return
        self._notes["code"] = problem.code
        await answer(problem, self._id)(self._scope, self._receive, self._send)

    def _record(self, seconds: float) -> None:
        metrics: Metrics = self._service.metrics
        found = self._scope.get("route")
        route = getattr(found, "path_format", None) or getattr(found, "path", None) or "other"
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        metrics.requests.labels(route, method, str(self._status)).inc()
        metrics.seconds.labels(route).observe(seconds)
        if code := self._notes.get("code"):
            metrics.errors.labels(code).inc()
        logger.info(
            "request",
            extra={
                "request_id": self._id, "method": self._scope["method"], "path": self._scope["path"],
                "status": self._status, "ms": round(1000 * seconds, 1), **self._notes,
            },
        )  # fmt: skip


def _host_name(header: str) -> str:
    """The name in a Host header, without its port; empty where there is none to be read."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
