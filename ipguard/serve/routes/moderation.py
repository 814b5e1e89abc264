"""``/v1/moderations`` in the shape of OpenAI's interface."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ipguard.serve.answers import end_user_answer, operator_answer
from ipguard.serve.body import StrictRoute
from ipguard.serve.problems import Problem
from ipguard.serve.routes.common import ERRORS, AnyCaller, TheService, check_count, json_response, lang_of, note
from ipguard.serve.schemas import ImagePart, ModerationAnswer, ModerationRequest, TextPart
from ipguard.serve.scorer import Judgement, Options
from ipguard.verdict import Verdict

router = APIRouter(route_class=StrictRoute, tags=["adapters"], responses=ERRORS)
CATEGORY = "intellectual-property"
STOCK = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
"""Categories of OpenAI's. They are not judged here, but strict clients fail where one is missing."""


def inputs(body: ModerationRequest) -> tuple[str, ...]:
    """Return the texts that get a result each.

    Parameters
    ----------
    body
        A text, several, or the parts of one.

    Returns
    -------
    tuple of str
        The parts of one are joined by line breaks.

    Raises
    ------
    Problem
        400 if a part is an image.
    """
    if isinstance(body.input, str):
        return (body.input,)
    if any(isinstance(part, ImagePart) for part in body.input):
        message = "Images cannot be checked here; send the text alone, and check the image elsewhere."
        raise Problem(400, "images_not_supported", message, param="input")
    parts = [part.text for part in body.input if isinstance(part, TextPart)]
    return ("\n".join(parts),) if parts else tuple(text for text in body.input if isinstance(text, str))


def _result(verdict: Verdict, extra: dict[str, Any]) -> dict[str, Any]:
    applied: dict[str, list[str]] = {name: [] for name in STOCK}
    return {
        "flagged": verdict.flagged,
        "categories": {**dict.fromkeys(STOCK, False), CATEGORY: verdict.flagged},
        "category_scores": {**dict.fromkeys(STOCK, 0.0), CATEGORY: verdict.residual_risk},
        "category_applied_input_types": {**applied, CATEGORY: ["text"]},
        "ipguard": extra,
    }


@router.post("/v1/moderations", responses={200: {"model": ModerationAnswer}})
async def moderate(body: ModerationRequest, request: Request, service: TheService, caller: AnyCaller) -> Response:
    """Judge texts as OpenAI's moderation does, with a category for protected works."""
    texts = inputs(body)
    check_count(service, len(texts), "input")
    lang = lang_of(request, None)
    answer = operator_answer if caller.may("read") else end_user_answer

    def render(judgement: Judgement) -> dict[str, Any]:
        return _result(judgement.verdict, answer(judgement, lang))

    request_id = request.state.request_id
    found = await service.judge(texts, Options(), render, caller=caller, request_id=request_id)
    verdicts = [verdict for verdict, _ in found]
    note(request, service, verdicts, texts)
    return json_response(
        {"id": f"modr-{request_id}", "model": verdicts[0].model_version, "results": [result for _, result in found]}
    )
