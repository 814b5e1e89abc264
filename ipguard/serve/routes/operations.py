"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ipguard.serve.routes.common import ERRORS, KEY, Reader, TheService, json_response

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses={503: {"description": "To be started anew."}})
async def healthz(service: TheService) -> Response:
    """Say that the process runs and can score."""
    response = json_response({"status": "alive" if service.scorer.alive else "not scoring"})
    response.status_code = 200 if service.scorer.alive else 503
    return response


@router.get("/readyz", responses={503: {"description": "Not to be sent requests now."}})
async def readyz(service: TheService) -> Response:
    """Say whether requests are wanted, and how fresh the policy is."""
    now, policy, writer = service.live.in_force, service.live.policy_status, service.auditor.writer
    recorded = writer is None or not writer.required or writer.status.last_error is None
    troubles = {"stopping": service.draining, "not scoring": not service.scorer.alive, "not recording": not recorded}
    status = next((trouble for trouble, holds in troubles.items() if holds), "ready")
    state: dict[str, Any] = {
        "status": status,
        "model_version": now.guard.model_version,
        "catalogue_version": now.guard.catalogue_version,
        "policy_version": now.policy_version,
        "policy": policy and {"healthy": policy.healthy, "age_seconds": round(policy.age, 1)},
        "audit": writer and {"healthy": writer.status.last_error is None, "lost": writer.status.dropped},
    }
    response = json_response(state)
    response.status_code = 200 if status == "ready" else 503
    return response


@router.get("/metrics", dependencies=KEY, responses={**ERRORS, 200: {"content": {"text/plain": {}}}})
async def metrics(service: TheService, _: Reader) -> Response:
    """Show the figures in Prometheus's text format."""
    service.metrics.queue.set(service.scorer.pending)
    service.auditor.show()
    content, media = service.metrics.text()
    return Response(content, media_type=media)
