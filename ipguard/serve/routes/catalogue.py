"""``/v1/catalogue/search`` and ``/v1/works/{id}``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from ipguard.serve.body import StrictRoute, Text
from ipguard.serve.problems import ErrorAnswer, Problem
from ipguard.serve.routes.common import ERRORS, Reader, TheService, json_response
from ipguard.serve.schemas import SearchAnswer, WorkAnswer

router = APIRouter(route_class=StrictRoute, tags=["catalogue"], responses=ERRORS)


@router.get("/v1/catalogue/search", responses={200: {"model": SearchAnswer}})
async def search(
    service: TheService,
    _: Reader,
    q: Annotated[Text, Query(max_length=200, description="A name in any language; empty for all works.")] = "",
    medium: Annotated[Text, Query(max_length=40, description="Only works of this medium.")] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Find works by the name of the work, a character or a thing."""
    now = service.live.in_force
    found = await asyncio.to_thread(now.lookup.search, q, medium)
    return json_response(
        {
            "works": [now.lookup.summary(work, name) for work, name in found[offset : offset + limit]],
            "total": len(found),
            "media": now.lookup.media,
            "catalogue_version": now.guard.catalogue_version,
        }
    )


@router.get(
    "/v1/works/{work_id}",
    responses={200: {"model": WorkAnswer}, 404: {"model": ErrorAnswer, "description": "There is no such work."}},
)
async def work(work_id: Text, service: TheService, _: Reader) -> Response:
    """Show a work with its names, characters and things."""
    found = await asyncio.to_thread(service.live.in_force.lookup.work, work_id)
    if found is None:
        raise Problem(404, "no_such_work", "The catalogue holds no work of that id.", param="work_id")
    return json_response(found)
