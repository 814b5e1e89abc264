"""Strict reading of JSON bodies."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from ipguard.serve.problems import Problem


class StrictRequest(Request):
    """A request whose body is read by a parser that bounds depth and refuses NaN and lone surrogates."""

    async def json(self) -> Any:  # noqa: ANN401 - the signature of the base class
        """Return the body; a :class:`Problem` says what is wrong with it."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise Problem(400, "invalid_json", f"The body is not JSON: {error}.") from None


class StrictRoute(APIRoute):
    """A route that reads bodies with :class:`StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler of the base class."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("text must not hold the character NUL")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""Any text but NUL, which no prompt needs and PostgreSQL cannot store."""


class Strict(BaseModel):
    """A request of ours: unknown fields are refused, and values are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
