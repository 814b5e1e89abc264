"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ipguard.serve.routes.common import ERRORS, Reader, TheService, json_response

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process runs."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not to be sent requests now."}})
async def readyz(service: TheService) -> Response:
    """Say whether requests are wanted, and how fresh the policy is."""
    now = service.live.in_force
    ready = not service.draining
    state: dict[str, Any] = {
        "status": "ready" if ready else "stopping",
        "model_version": now.guard.model_version,
        "catalogue_version": now.guard.catalogue_version,
        "policy_version": now.policy_version,
        "policy_age_seconds": round(service.live.policy_age, 1),
    }
    response = json_response(state)
    response.status_code = 200 if ready else 503
    return response


@router.get("/metrics", responses=ERRORS)
async def metrics(service: TheService, _: Reader) -> Response:
    """Show the figures in Prometheus's text format."""
    service.metrics.queue.set(service.scorer.pending)
    content, media = service.metrics.text()
    return Response(content, media_type=media)
