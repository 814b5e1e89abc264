"""Middleware that guards any ASGI application: FastAPI, Starlette, Litestar, Quart, Django."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

from ipguard.errors import InvalidArgumentError
from ipguard.integrations.check import Check, Language

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_BODIES = {
    "unreadable": (400, "The body is not JSON that can be read in one way only."),
    "no_prompt": (400, "The body holds no prompt where one is expected."),
    "too_large": (413, "The body is too large."),
    "unsupported": (415, "The body must be JSON, and not compressed."),
}
_POLICY_VIOLATION = 1008
"""Close code of WebSocket (RFC 6455)."""


class _BodyRefusedError(Exception):
    """A body that is not looked into any further; holds the code to answer with."""


class _ClientGoneError(Exception):
    """The client left before its body was complete."""


class PromptGuardMiddleware:
    """Refuses requests whose body holds a prompt that may not pass; all others reach the application unchanged.

    What cannot be checked does not get through: another content type than JSON, compressed or oversized bodies, none
    of the fields, names that occur twice in one object, WebSockets on a guarded path.

    Parameters
    ----------
    app
        The application.
    check
        What is refused; the default check if None.
    fields
        Where prompts are: names of members, with dots between levels (``"input.prompt"``). A list on the way stands
        for each of its entries. At least one field must be there, and hold text.
    paths
        Regular expressions; a path that matches one from end to end is guarded. Every path if empty.
    methods
        Requests with these methods are guarded.
    max_bytes
        Largest body.
    status
        Of the answer to a refused prompt, from 400 to 499.

    Raises
    ------
    InvalidArgumentError
        If an argument breaks its rule.
    """

    def __init__(
        self,
        app: App,
        *,
        check: Check | None = None,
        fields: Sequence[str] = ("prompt",),
        paths: Sequence[str] = (),
        methods: Sequence[str] = ("POST", "PUT", "PATCH"),
        max_bytes: int = 1_000_000,
        status: int = 400,
    ) -> None:
        for name, value in (("fields", fields), ("paths", paths), ("methods", methods)):
            if isinstance(value, str):
                raise InvalidArgumentError(name, "be a sequence of strings, not one string", value)
        if not fields:
            raise InvalidArgumentError("fields", "name at least one member", fields)
        if not 400 <= status <= 499:
            raise InvalidArgumentError("status", "lie from 400 to 499", status)
        self._app = app
        self._check = check or Check()
        self._fields = [field.split(".") for field in fields]
        self._paths = [re.compile(path) for path in paths]
        self._methods = frozenset(method.upper() for method in methods)
        self._max_bytes, self._status = max_bytes, status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if not self._guards(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await self._guarded(scope, receive, send)

    def _guards(self, scope: Scope) -> bool:
        if scope["type"] not in ("http", "websocket"):
            return False
        if scope["type"] == "http" and scope["method"] not in self._methods:
            return False
        path, root = scope["path"], scope.get("root_path", "")
        inner = path[len(root) :] if root and path.startswith(root) else path
        return not self._paths or any(pattern.fullmatch(inner) for pattern in self._paths)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        lang = _language(dict(headers).get(b"accept-language", ""), self._check.lang)
        try:
            _check_headers(headers)
            body = await self._body(receive)
            prompts = self._prompts(body)
        except _ClientGoneError:
            return
        except _BodyRefusedError as refused:
            status, sentence = _BODIES[str(refused)]
            await _answer(send, status, str(refused), sentence)
            return
        outcome = await self._check.arun_all(prompts)
        if outcome.allowed:
            await self._app(scope, _replaying(body, receive), send)
        else:
            status = self._status if outcome.http_status == 400 else outcome.http_status
            await _answer(send, status, outcome.reason_code, outcome.sentence(lang))

    async def _body(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientGoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                raise _BodyRefusedError("too_large")
            if not message.get("more_body", False):
                return b"".join(parts)

    def _prompts(self, body: bytes) -> list[Any]:
        try:
            data = json.loads(body, object_pairs_hook=_unambiguous)
        except (ValueError, RecursionError):
            raise _BodyRefusedError("unreadable") from None
        prompts = [found for path in self._fields for found in _at(data, path)]
        if not prompts:
            raise _BodyRefusedError("no_prompt")
        return prompts


def _check_headers(headers: Sequence[tuple[bytes, str]]) -> None:
    kinds = [value.partition(";")[0].strip().lower() for name, value in headers if name == b"content-type"]
    encodings = [value.strip().lower() for name, value in headers if name == b"content-encoding"]
    # Of two headers of one name the application may heed the other.
    if len(kinds) != 1 or not re.fullmatch(r"application/(?:[\w.+-]+\+)?json", kinds[0]):
        raise _BodyRefusedError("unsupported")
    if any(encoding != "identity" for encoding in encodings):
        raise _BodyRefusedError("unsupported")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Parsers differ in which of two members of one name they keep: one could be shown here, the other used."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return members


def _at(data: Any, path: Sequence[str]) -> list[Any]:  # noqa: ANN401 - any JSON
    """What stands at a path; in lists, at the path in each entry. A null is as good as nothing."""
    if not path:
        return [] if data is None else [data]
    if isinstance(data, list):
        return [found for entry in data for found in _at(entry, path)]
    return _at(data.get(path[0]), path[1:]) if isinstance(data, dict) else []


def _language(accepted: str, default: Language) -> Language:
    """The first of the two languages that a browser asks for; it lists them by preference."""
    for entry in accepted.split(","):
        tag = entry.partition(";")[0].strip().lower().partition("-")[0]
        if tag == "ja":
            return "ja"
        if tag == "en":
            return "en"
    return default


def _replaying(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body that was read, then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(send: Send, status: int, code: str, sentence: str) -> None:
    content = json.dumps({"error": {"code": code, "message": sentence}}, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
