"""The HTTP service: an ASGI application, and the command that runs it (extra ``serve``)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ipguard.errors import MissingExtraError

if TYPE_CHECKING:
    from ipguard.serve.app import create_app
    from ipguard.serve.settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]

_PACKAGES = ("fastapi", "prometheus_client", "sqlalchemy", "alembic", "threadpoolctl", "uvicorn")


def require_extra() -> None:
    """Check that the extra is installed, without importing any of it.

    Raises
    ------
    MissingExtraError
        If a package of it is not there.
    """
    if not all(find_spec(package) for package in _PACKAGES):
        raise MissingExtraError("The HTTP service", "serve")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load a public name on first use."""
    if name == "ServeSettings":
        from ipguard.serve.settings import ServeSettings

        return ServeSettings
    if name != "create_app":
        raise AttributeError(f"module 'ipguard.serve' has no attribute {name!r}")
    require_extra()
    from ipguard.serve.app import create_app

    return create_app
