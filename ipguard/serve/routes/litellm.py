"""``/beta/litellm_basic_guardrail_api``: the guardrail that LiteLLM's proxy calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from ipguard.serve.body import StrictRoute
from ipguard.serve.messages import sentence
from ipguard.serve.routes.common import ERRORS, AnyCaller, TheService, check_count, json_response, lang_of, note
from ipguard.serve.schemas import GuardrailAnswer, GuardrailParams, GuardrailRequest
from ipguard.serve.scorer import Options
from ipguard.serve.settings import BlockOn
from ipguard.verdict import DECISIONS, Verdict

router = APIRouter(route_class=StrictRoute, tags=["adapters"], responses=ERRORS)


def texts_of(body: GuardrailRequest) -> tuple[str, ...]:
    """Return all that is to be checked.

    Parameters
    ----------
    body
        LiteLLM's request.

    Returns
    -------
    tuple of str
        Texts, and the strings in the arguments of tool calls, which may be prompts for images.
    """
    functions = (call.get("function") for call in body.tool_calls or ())
    arguments = (function.get("arguments") for function in functions if isinstance(function, dict))
    return (*(body.texts or ()), *(text for value in arguments for text in _strings_of_json(value) if text))


def _strings_of_json(arguments: object) -> Iterator[str]:
    """The strings of what should be a JSON text; all of it where it is none, so that nothing goes unread."""
    if not isinstance(arguments, str):
        yield from _strings(arguments)
        return
    try:
        value = from_json(arguments)
    except ValueError:
        yield arguments
    else:
        yield from _strings(value)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)


def settled(verdict: Verdict, threshold: float | None) -> Verdict:
    """Return a verdict by a threshold of the caller's.

    Parameters
    ----------
    verdict
        Of one text.
    threshold
        Takes the place of the thresholds in force; None for those. Rules of the policy, and what could not be
        read to its end, go before it.

    Returns
    -------
    Verdict
        With the decision that counts.
    """
    if threshold is None or not verdict.rule.startswith("threshold:"):
        return verdict
    if verdict.residual_risk < threshold:
        return replace(verdict, decision="allow", rule="threshold:request", reason_code="clear")
    code = "threshold" if verdict.reason_code == "clear" else verdict.reason_code
    return replace(verdict, decision="block", rule="threshold:request", reason_code=code)


def blocks(verdict: Verdict, block_on: BlockOn) -> bool:
    """Return whether a verdict blocks a call. A text that was not read to its end does: nobody looks at it later."""
    return verdict.truncated or DECISIONS.index(verdict.decision) >= DECISIONS.index(block_on)


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

    found = await service.judge(
        texts, Options(purpose, params.allow, params.territory), lambda _: None,
        caller=caller, request_id=request.state.request_id, settle=lambda verdict: settled(verdict, params.threshold),
    )  # fmt: skip
    verdicts = [verdict for verdict, _ in found]
    note(request, service, verdicts, texts)
    block_on = params.block_on or service.settings.block_on
    blocking = [verdict for verdict in verdicts if blocks(verdict, block_on)]
    if not blocking:
        return json_response({"action": "NONE"})
    worst = max(blocking, key=lambda verdict: (DECISIONS.index(verdict.decision), verdict.residual_risk))
    return json_response(_blocked(worst.reason_code, request, params))
