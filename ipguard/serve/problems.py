"""Errors as callers see them: one JSON shape, that of OpenAI's interface, with stable codes."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ipguard.errors import InvalidArgumentError, IpguardError

logger = logging.getLogger("ipguard.serve")
_HTTP = {
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not take that method."),
}
_SHOWN = 3
TAGS = frozenset({"one text", "list of texts", "list of parts"})
"""Names of the forms that a value may take, which are no part of its place."""


class Problem(HTTPException):
    """A request that is answered with an error.

    Parameters
    ----------
    status
        HTTP status.
    code
        Stable, for programs.
    message
        For people.
    param
        The part of the request that it is about.
    headers
        Of the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.code, self.param = code, param


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable code, such as invalid_request.")
    message: str = Field(description="For people; the wording may change.")
    type: str = Field(description="invalid_request_error, authentication_error or server_error.")
    param: str | None = Field(description="The part of the request that it is about.")
    request_id: str = Field(description="The X-Request-ID of the answer.")


class ErrorAnswer(BaseModel):
    """Every error of the service, in the shape of OpenAI's."""

    error: ErrorBody


def answer(problem: Problem, request_id: str) -> Response:
    """Return a problem as a response.

    Parameters
    ----------
    problem
        What is wrong.
    request_id
        Of the request.

    Returns
    -------
    Response
        JSON.
    """
    status = problem.status_code
    kind = "server_error" if status >= 500 else "authentication_error" if status in (401, 403) else ""
    body = {
        "code": problem.code,
        "message": problem.detail,
        "type": kind or "invalid_request_error",
        "param": problem.param,
        "request_id": request_id,
    }
    content = msgspec.json.encode({"error": body})
    return Response(content, status, problem.headers, media_type="application/json")


def _field(location: tuple[Any, ...]) -> str:
    """Where in a request a value stands, without the keys that the caller made up."""
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header", *TAGS)]
    return ".".join(part if part.isascii() and len(part) <= 40 else "…" for part in parts)


def _of_validation(errors: list[dict[str, Any]]) -> Problem:
    """What breaks the schema. What was sent is left out: it may be a prompt, and need not be text."""
    told = []
    for error in errors[:_SHOWN]:
        name = _field(tuple(error.get("loc", ())))
        text = str(error["msg"]).removeprefix("Value error, ")
        told.append(f"{name}: {text}" if name else text)
    more = f" ({len(errors) - _SHOWN} more)" if len(errors) > _SHOWN else ""
    param = _field(tuple(errors[0].get("loc", ()))) or None
    return Problem(400, "invalid_request", "; ".join(told) + more + ".", param=param)


def _of_http(error: HTTPException) -> Problem:
    if isinstance(error, Problem):
        return error
    code, message = _HTTP.get(error.status_code, ("invalid_request", f"{error.detail}."))
    return Problem(error.status_code, code, message, headers=dict(error.headers or {}))


def install(app: FastAPI) -> None:
    """Make every error of an application come in the one shape.

    Parameters
    ----------
    app
        The application.
    """

    def told(request: Request, problem: Problem) -> Response:
        request.state.notes["code"] = problem.code
        return answer(problem, request.state.request_id)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return told(request, _of_http(error))

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        return told(request, _of_validation(list(error.errors())))

    @app.exception_handler(InvalidArgumentError)
    async def argument(request: Request, error: InvalidArgumentError) -> Response:
        return told(request, Problem(400, "invalid_request", str(error), param=error.argument))

    @app.exception_handler(IpguardError)
    async def failure(request: Request, error: IpguardError) -> Response:
        logger.error("request failed: %s", error, extra={"request_id": request.state.request_id})
        return told(request, Problem(503, "unavailable", "The service cannot answer now; nothing was decided."))
