"""What routes ask of every request."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import Response

from ipguard.serve.keys import Caller, Role
from ipguard.serve.messages import Lang, language
from ipguard.serve.problems import ErrorAnswer, Problem
from ipguard.serve.service import Service
from ipguard.verdict import DECISIONS, Verdict

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The request breaks a rule; the message names it."},
    401: {"model": ErrorAnswer, "description": "A key is needed, or the one given is not valid."},
    403: {"model": ErrorAnswer, "description": "The key's role does not allow this."},
    413: {"model": ErrorAnswer, "description": "The body is too large."},
    415: {"model": ErrorAnswer, "description": "The body is not JSON."},
    503: {"model": ErrorAnswer, "description": "Too much is in work; see Retry-After. Nothing was decided."},
    504: {"model": ErrorAnswer, "description": "It took too long. Nothing was decided."},
}


KEY = [Depends(HTTPBearer(auto_error=False, description="A key; X-API-Key: KEY will do too."))]
"""Tells readers of the interface's document that a key is needed; the frame has checked it already."""


def the_service(request: Request) -> Service:
    """Return the service that an application runs on."""
    service: Service = request.app.state.service
    return service


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _needs(role: Role, request: Request) -> Caller:
    caller = _caller(request)
    if not caller.may(role):
        raise Problem(
            403, "role_needed", f"This needs a key of role {role}; {caller.name or 'no key'} is {caller.role}."
        )
    return caller


def _reader(request: Request) -> Caller:
    return _needs("read", request)


def _policy_maker(request: Request) -> Caller:
    return _needs("policy", request)


TheService = Annotated[Service, Depends(the_service)]
AnyCaller = Annotated[Caller, Depends(_caller)]
Reader = Annotated[Caller, Depends(_reader)]
PolicyMaker = Annotated[Caller, Depends(_policy_maker)]


def lang_of(request: Request, given: Lang | None) -> Lang:
    """Return the language of sentences: as asked for, else by the header."""
    return given or language(request.headers.get("accept-language"))


def json_response(content: object) -> Response:
    """Return a JSON response; quicker than the framework's for long answers."""
    return Response(msgspec.json.encode(content), media_type="application/json")


def check_count(service: Service, prompts: int, param: str) -> None:
    """Refuse more prompts than a request may hold.

    Parameters
    ----------
    service
        Knows the limit.
    prompts
        Of the request.
    param
        Where they stand in it.

    Raises
    ------
    Problem
        400, naming the limit.
    """
    limit = service.settings.max_prompts
    if prompts > limit:
        message = f"{param} must hold at most {limit} texts. Got {prompts}."
        raise Problem(400, "too_many_prompts", message, param=param)


def note(request: Request, service: Service, verdicts: list[Verdict], texts: tuple[str, ...]) -> None:
    """Put what was decided into the log line of the request.

    Parameters
    ----------
    request
        Has the line.
    service
        Says whether prompts may be logged.
    verdicts
        In order.
    texts
        The prompts.
    """
    notes: dict[str, Any] = request.state.notes
    decisions = [verdict.decision for verdict in verdicts]
    notes["prompts"] = len(verdicts)
    notes["decisions"] = {name: decisions.count(name) for name in DECISIONS if name in decisions}
    if service.settings.log_prompts:
        notes["texts"] = list(texts)
