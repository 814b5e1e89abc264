"""OpenAI Agents SDK: an input guardrail."""

from __future__ import annotations

from typing import Any

from ipguard.errors import MissingExtraError
from ipguard.integrations.check import Check
from ipguard.integrations.contents import by_roles

try:
    from agents import Agent, GuardrailFunctionOutput, InputGuardrail, RunContextWrapper, TResponseInputItem
except ImportError:
    raise MissingExtraError("ipguard.integrations.agents", "agents") from None


def input_guardrail(check: Check | None = None, *, name: str = "ipguard") -> InputGuardrail[Any]:
    """Return a guardrail that stops a run before its first model call where what the user asks for may not go on.

    Every message of the user in the input is checked, those of earlier turns among them. The SDK stores a refused
    message in the session of the run; take it out (``session.pop_item``) for the session to go on.

    Parameters
    ----------
    check
        What is refused; the default check if None.
    name
        Of the guardrail, in traces.

    Returns
    -------
    InputGuardrail
        For ``Agent(input_guardrails=[…])`` of the first agent of a run. What trips it raises the SDK's
        ``InputGuardrailTripwireTriggered``, whose ``guardrail_result.output.output_info`` is the
        :class:`~ipguard.integrations.check.Outcome`.
    """
    used = check or Check()

    async def ipguard(
        context: RunContextWrapper[Any],  # noqa: ARG001 - the SDK's signature
        agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
        given: str | list[TResponseInputItem],
    ) -> GuardrailFunctionOutput:
        outcome = await used.arun_all([given] if isinstance(given, str) else by_roles(given, ("user",)))
        return GuardrailFunctionOutput(output_info=outcome, tripwire_triggered=not outcome.allowed)

    # Beside the agent, tools could run before the answer is there.
    return InputGuardrail(guardrail_function=ipguard, name=name, run_in_parallel=False)
