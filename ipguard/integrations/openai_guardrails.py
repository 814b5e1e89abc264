"""openai-guardrails: a check for its pipelines."""

from __future__ import annotations

from typing import Any

from ipguard.errors import MissingExtraError
from ipguard.integrations.check import Check, Outcome

try:
    from guardrails.registry import GuardrailRegistry, default_spec_registry
    from guardrails.types import GuardrailResult
except ImportError:
    # guardrails-ai installs a package of the same name, without these.
    raise MissingExtraError("ipguard.integrations.openai_guardrails", "openai-guardrails") from None


class UncheckedError(Exception):
    """What the library is given where a text could not be checked."""


def register(
    check: Check | None = None, *, name: str = "Protected Works", registry: GuardrailRegistry = default_spec_registry
) -> None:
    """Make the check known, so that a pipeline can name it: ``{"name": "Protected Works", "config": {}}``.

    The library lets a text through where a check raises, unless it is told otherwise. This one never raises: the
    fail mode of the check decides.

    Parameters
    ----------
    check
        What is refused; the default check if None.
    name
        For pipelines.
    registry
        Where it becomes known; the library's own by default.
    """
    used = check or Check()

    async def protected_works(ctx: Any, data: str, config: None) -> GuardrailResult:  # noqa: ANN401, ARG001
        return _result(await used.arun_all([data]), name)

    registry.register(
        name=name,
        check_fn=protected_works,
        description="Triggers if a prompt asks for a protected franchise.",
        media_type="text/plain",
    )


def _result(outcome: Outcome, name: str) -> GuardrailResult:
    failed = outcome.status == "failed"
    return GuardrailResult(
        tripwire_triggered=not outcome.allowed,
        execution_failed=failed,
        original_exception=UncheckedError(outcome.error) if failed else None,
        info={"guardrail_name": name, "ipguard": outcome.to_dict()},
    )
