"""``/v1/score`` and ``/v1/rewrite``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ipguard.rewriting import rewrite
from ipguard.serve.answers import end_user_answer, operator_answer
from ipguard.serve.body import StrictRoute
from ipguard.serve.routes.common import (
    ERRORS,
    AnyCaller,
    Reader,
    TheService,
    check_count,
    json_response,
    lang_of,
    note,
)
from ipguard.serve.schemas import RewriteAnswer, RewriteRequest, ScoreAnswer, ScoreRequest
from ipguard.serve.scorer import Judgement, Options

router = APIRouter(route_class=StrictRoute, tags=["scoring"], responses=ERRORS)


@router.post("/v1/score", responses={200: {"model": ScoreAnswer}})
async def score(body: ScoreRequest, request: Request, service: TheService, caller: AnyCaller) -> Response:
    """Score one prompt or several."""
    texts = body.texts
    check_count(service, len(texts), "prompts")
    lang = lang_of(request, body.lang)
    answer = operator_answer if body.audience == "operator" and caller.may("read") else end_user_answer

    def render(judgement: Judgement) -> dict[str, Any]:
        return answer(judgement, lang)

    options = Options(body.purpose, body.allow, body.territory)
    request_id = request.state.request_id
    found = await service.judge(texts, options, render, caller=caller, request_id=request_id)
    note(request, service, [verdict for verdict, _ in found], texts)
    return json_response({"results": [result for _, result in found], "request_id": request_id})


@router.post("/v1/rewrite", responses={200: {"model": RewriteAnswer}})
async def reword(body: RewriteRequest, service: TheService, _: Reader) -> Response:
    """Replace what names or describes protected works by generic wording."""
    done = await service.scorer.call(lambda guard: rewrite(body.prompt, guard=guard, purpose=body.purpose))
    return json_response(done.to_dict())
