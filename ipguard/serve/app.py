"""The application, for any ASGI server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from ipguard import __version__
from ipguard.serve import problems
from ipguard.serve.frame import Frame
from ipguard.serve.loading import Loaded
from ipguard.serve.routes import catalogue, litellm, moderation, operations, policy, scoring
from ipguard.serve.routes.common import KEY
from ipguard.serve.service import Service
from ipguard.serve.settings import ServeSettings

STATIC = Path(str(files("ipguard.serve").joinpath("static")))


def create_app(settings: ServeSettings | None = None, *, loaded: Loaded | None = None) -> FastAPI:
    """Return the service as an ASGI application.

    Parameters
    ----------
    settings
        Those of the environment if None.
    loaded
        Model and catalogue where they are loaded already, by :func:`~ipguard.serve.loading.load`.

    Returns
    -------
    FastAPI
        Its life cycle loads model and policy before the first request, and finishes what is in work at the end.

    Raises
    ------
    IpguardError
        If settings, keys, policy, model or catalogue cannot be used.
    """
    service = Service(settings or ServeSettings.from_environment(), loaded)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="ipguard", version=__version__, lifespan=life, docs_url=None, redoc_url=None, openapi_url="/openapi.json",
        description="Says how likely fulfilling a prompt is to reproduce a protected franchise, which one, and why.",
    )  # fmt: skip
    app.state.service = service
    problems.install(app)
    app.include_router(operations.router)
    for module in (scoring, moderation, litellm, catalogue, policy):
        app.include_router(module.router, dependencies=KEY)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    app.add_middleware(Frame, service=service)
    return app
