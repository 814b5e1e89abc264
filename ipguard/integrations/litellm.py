"""LiteLLM: a guardrail that runs inside the proxy, without a service of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from ipguard.errors import IpguardError, MissingExtraError
from ipguard.integrations.check import Check

try:
    from litellm.exceptions import GuardrailRaisedException
    from litellm.integrations.custom_guardrail import CustomGuardrail
    from litellm.types.guardrails import GuardrailEventHooks
    from litellm.types.utils import GenericGuardrailAPIInputs
except ImportError:
    raise MissingExtraError("ipguard.integrations.litellm", "litellm") from None


class GuardrailSetupError(IpguardError):
    """A guardrail cannot be made as it was configured.

    No ValueError, for the proxy takes that as a reason to start without the guardrail; at this it does not start.
    """


class IpguardGuardrail(CustomGuardrail):
    """Refuses calls whose texts may not go on, on every route that LiteLLM reads texts from, images among them.

    All texts of a call are checked whatever their role: who calls the proxy chooses the roles. So are the arguments
    of tool calls, which may hold prompts, and images are refused unless the check passes media. It looks at what is
    asked for and not at answers, so the modes are ``pre_call`` and ``during_call``; another is an error at start.

    Parameters
    ----------
    check
        What is refused: a check, its options as a mapping (as a configuration file gives them), or None for the
        default check.
    options
        What LiteLLM gives every guardrail: ``guardrail_name``, ``event_hook``, ``default_on`` and others.

    Raises
    ------
    GuardrailSetupError
        If an option of the check has no such name or value, or the mode is not one of the two.
    """

    def __init__(self, check: Check | Mapping[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401
        options["supported_event_hooks"] = [GuardrailEventHooks.pre_call, GuardrailEventHooks.during_call]
        try:
            super().__init__(**options)
            self._check = check if isinstance(check, Check) else Check(**(check or {}))
        except (ValueError, TypeError) as error:
            raise GuardrailSetupError(f"The guardrail {options.get('guardrail_name')!r}: {error}") from error

    async def apply_guardrail(
        self,
        inputs: GenericGuardrailAPIInputs,
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        input_type: Literal["request", "response"],  # noqa: ARG002 - LiteLLM's signature
        logging_obj: Any = None,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> GenericGuardrailAPIInputs:
        """Return the inputs unchanged, or raise.

        Parameters
        ----------
        inputs
            Texts of a call, and tool calls and images where there are any.
        request_data, input_type, logging_obj
            As LiteLLM gives them.

        Returns
        -------
        GenericGuardrailAPIInputs
            The same.

        Raises
        ------
        GuardrailRaisedException
            With status 400 for what was refused and 503 for what could not be checked.
        """
        calls = [text for call in inputs.get("tool_calls") or () for text in _arguments(call)]
        images = [{"type": "image"} for _ in inputs.get("images") or ()]
        outcome = await self._check.arun_all([*(inputs.get("texts") or ()), *calls, *images])
        if outcome.allowed:
            return inputs
        raise GuardrailRaisedException(
            guardrail_name=self.guardrail_name,
            message=outcome.sentence(self._check.lang),
            should_wrap_with_default_message=False,
            status_code=outcome.http_status,
            blocked_content=outcome.status == "refused",
        )


def _arguments(call: Any) -> list[str]:  # noqa: ANN401 - a mapping or an object, as the route has it
    """Texts in the arguments of a tool call, which are JSON and may hide any letter behind an escape."""
    function = call.get("function") if isinstance(call, Mapping) else getattr(call, "function", None)
    arguments = function.get("arguments") if isinstance(function, Mapping) else getattr(function, "arguments", None)
    try:
        return _strings(json.loads(arguments or "null"))
    except (ValueError, TypeError, RecursionError):
        return [str(arguments)]


def _strings(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for entry in value for text in _strings(entry)] if isinstance(value, list) else []
