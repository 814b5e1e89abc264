"""``/v1/policy/rules``: reading and changing the rules of a registry."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.registry import Registry, StoredRule
from ipguard.policy.rules import Category, Effect, Policy, Reason, Rule
from ipguard.serve.body import Strict, StrictRoute, Text
from ipguard.serve.problems import ErrorAnswer, Problem
from ipguard.serve.routes.common import ERRORS, PolicyMaker, TheService, json_response
from ipguard.serve.schemas import Risk
from ipguard.serve.service import Service

router = APIRouter(
    route_class=StrictRoute,
    tags=["policy"],
    responses={**ERRORS, 404: {"model": ErrorAnswer, "description": "No such rule, or no registry to hold rules."}},
)


class RuleRequest(Strict):
    """A rule; see the guide to policies."""

    effect: Effect
    reason: Reason = "house_rule"
    work: Text | None = None
    item: Text | None = None
    rights_holder: Text | None = None
    medium: Text | None = None
    category: Category | None = None
    territories: Annotated[tuple[Text, ...], Field(max_length=300, strict=False)] = ()
    since: Annotated[date, Field(strict=False)] | None = None
    until: Annotated[date, Field(strict=False)] | None = None
    source: Text | None = None
    review: Risk | None = None
    block: Risk | None = None


class RuleAnswer(RuleRequest):
    """A rule as the registry keeps it."""

    id: int
    name: str = Field(description="How verdicts name it.")
    added_at: datetime
    added_by: str


class RulesAnswer(BaseModel):
    """Rules in the order in which they were added."""

    revision: int = Field(description="Raised by every change.")
    rules: list[RuleAnswer]


def _registry(service: Service) -> Registry:
    if service.registry is None:
        raise Problem(
            404, "no_registry", "Rules are kept in a file here; start the service with a registry to change them."
        )
    return service.registry


def _answer(stored: StoredRule) -> dict[str, Any]:
    rule = {name: getattr(stored.rule, name) for name in Rule.__struct_fields__}
    return {
        "id": stored.id, "name": stored.rule.name, **rule, "added_at": stored.added_at, "added_by": stored.added_by,
    }  # fmt: skip


@router.get("/v1/policy/rules", responses={200: {"model": RulesAnswer}})
async def rules(
    service: TheService,
    _: PolicyMaker,
    work: Annotated[Text | None, Query(max_length=200)] = None,
    rights_holder: Annotated[Text | None, Query(max_length=200)] = None,
    effect: Effect | None = None,
) -> Response:
    """List rules."""
    registry = _registry(service)
    revision = await asyncio.to_thread(lambda: registry.revision)
    found = await asyncio.to_thread(registry.rules, work=work, rights_holder=rights_holder, effect=effect)
    return json_response({"revision": revision, "rules": [_answer(stored) for stored in found]})


@router.post("/v1/policy/rules", status_code=201, responses={201: {"model": RuleAnswer}})
async def add(body: RuleRequest, service: TheService, caller: PolicyMaker) -> Response:
    """Add a rule; it holds in every worker within the time between two looks. One that is there already stays."""
    registry, guard = _registry(service), service.live.in_force.guard
    rule = Rule(**body.model_dump())
    try:
        await asyncio.to_thread(guard.with_policy, Policy(rules=(rule,)))
    except PolicyError as error:
        raise Problem(400, "invalid_rule", str(error)) from None
    stored = await asyncio.to_thread(registry.add, rule, by=caller.name)
    response = json_response(_answer(stored))
    response.status_code = 201
    return response


@router.delete("/v1/policy/rules/{rule_id}", responses={200: {"model": RuleAnswer}})
async def remove(rule_id: Annotated[int, Path(ge=1, le=2**31 - 1)], service: TheService, _: PolicyMaker) -> Response:
    """Remove a rule, and show what it was."""
    try:
        gone = await asyncio.to_thread(_registry(service).remove, rule_id)
    except InvalidArgumentError:
        raise Problem(404, "no_such_rule", "The registry holds no rule of that id.", param="rule_id") from None
    return json_response(_answer(gone))
