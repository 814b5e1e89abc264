"""The HTTP service: an ASGI application, and the command that runs it (extra ``serve``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipguard.errors import MissingExtraError

if TYPE_CHECKING:
    from ipguard.serve.app import create_app
    from ipguard.serve.settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load a public name on first use."""
    if name == "ServeSettings":
        from ipguard.serve.settings import ServeSettings

        return ServeSettings
    if name != "create_app":
        raise AttributeError(f"module 'ipguard.serve' has no attribute {name!r}")
    try:
        from ipguard.serve.app import create_app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "starlette", "pydantic", "prometheus_client"):
            raise
        raise MissingExtraError("The HTTP service", "serve") from None
    return create_app
