"""``/beta/litellm_basic_guardrail_api``: the guardrail that LiteLLM's proxy calls."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ipguard.serve.body import StrictRoute
from ipguard.serve.messages import sentence
from ipguard.serve.routes.common import ERRORS, AnyCaller, TheService, check_count, json_response, lang_of, note
from ipguard.serve.schemas import GuardrailAnswer, GuardrailParams, GuardrailRequest
from ipguard.serve.scorer import Judgement, Options
from ipguard.serve.settings import BlockOn
from ipguard.verdict import DECISIONS, Verdict

router = APIRouter(route_class=StrictRoute, tags=["adapters"], responses=ERRORS)


def texts_of(body: GuardrailRequest) -> tuple[str, ...]:
    """Return all that is to be checked: texts, and arguments of tool calls, which may hold prompts for images."""
    calls = (call.get("function") for call in body.tool_calls or ())
    arguments = (function.get("arguments") for function in calls if isinstance(function, dict))
    return (*(body.texts or ()), *(text for text in arguments if isinstance(text, str) and text))


def blocks(verdict: Verdict, params: GuardrailParams, block_on: BlockOn) -> bool:
    """Return whether a verdict blocks a call.

    Parameters
    ----------
    verdict
        Of one text.
    params
        Of the guardrail. A threshold of its own takes the place of those in force; rules of the policy, and what
        could not be read to its end, go before it.
    block_on
        Decision from which a call is blocked.

    Returns
    -------
    bool
        A text that was not read to its end is always blocked: nobody would look at it later.
    """
    if verdict.truncated:
        return True
    if params.threshold is not None and verdict.rule.startswith("threshold:"):
        return verdict.residual_risk >= params.threshold
    return DECISIONS.index(verdict.decision) >= DECISIONS.index(block_on)


def _blocked(code: str, request: Request, params: GuardrailParams) -> dict[str, Any]:
    reason = f"{sentence(code, 'block', lang_of(request, params.lang))} ({code})"
    return {"action": "BLOCKED", "blocked_reason": reason}


@router.post("/beta/litellm_basic_guardrail_api", responses={200: {"model": GuardrailAnswer}})
async def guardrail(body: GuardrailRequest, request: Request, service: TheService, caller: AnyCaller) -> Response:
    """Say whether LiteLLM may go on with a call."""
    params = body.additional_provider_specific_params or GuardrailParams()
    if body.images and service.settings.images == "refuse":
        request.state.notes["decisions"] = {"block": 1}
        return json_response(_blocked("images", request, params))
    texts = texts_of(body)
    if not texts:
        return json_response({"action": "NONE"})
    check_count(service, len(texts), "texts")
    purpose = params.purpose or ("text" if body.input_type == "response" else None)

    def render(judgement: Judgement) -> Verdict:
        return judgement.verdict

    verdicts = await service.judge(
        texts, Options(purpose, params.allow, params.territory), render,
        caller=caller, request_id=request.state.request_id,
    )  # fmt: skip
    note(request, service, verdicts, texts)
    block_on = params.block_on or service.settings.block_on
    blocking = [verdict for verdict in verdicts if blocks(verdict, params, block_on)]
    if not blocking:
        return json_response({"action": "NONE"})
    worst = max(blocking, key=lambda verdict: (DECISIONS.index(verdict.decision), verdict.residual_risk))
    code = worst.reason_code if worst.flagged else "threshold"
    return json_response(_blocked(code, request, params))
