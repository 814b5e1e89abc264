"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from ipguard.serve.routes.common import ERRORS, Reader, TheService, json_response

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process runs."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not to be sent requests now."}})
async def readyz(service: TheService) -> Response:
    """Say whether requests are wanted, and how fresh the policy is."""
    now, policy, writer = service.live.in_force, service.live.policy_status, service.auditor.writer
    recorded = writer is None or not writer.required or writer.status.last_error is None
    ready = recorded and not service.draining
    state: dict[str, Any] = {
        "status": "ready" if ready else "stopping" if service.draining else "not recording",
        "model_version": now.guard.model_version,
        "catalogue_version": now.guard.catalogue_version,
        "policy_version": now.policy_version,
        "policy": policy and {"healthy": policy.healthy, "age_seconds": round(policy.age, 1)},
        "audit": writer and {"healthy": writer.status.last_error is None, "lost": writer.status.dropped},
    }
    response = json_response(state)
    response.status_code = 200 if ready else 503
    return response


@router.get("/metrics", response_class=PlainTextResponse, responses=ERRORS)
async def metrics(service: TheService, _: Reader) -> Response:
    """Show the figures in Prometheus's text format."""
    service.metrics.queue.set(service.scorer.pending)
    service.auditor.show()
    content, media = service.metrics.text()
    return Response(content, media_type=media)
