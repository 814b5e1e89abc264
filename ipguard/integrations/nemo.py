"""NeMo Guardrails: an action for input rails. It needs nothing of NeMo, which registers any coroutine function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from ipguard.integrations.check import Check

Action: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]

ACTION = "ipguard_check"
"""Name under which :func:`input_action` is meant to be registered."""

RAIL = f"""
define subflow ipguard check input
  $ipguard = execute {ACTION}
  if not $ipguard["allowed"]
    $bot_message = $ipguard["sentence"]
    bot $bot_message
    stop
"""
"""The rail in Colang 1.0; its name for ``rails.input.flows`` is ``ipguard check input``."""


def input_action(check: Check | None = None) -> Action:
    """Return an action that checks what the user said last.

    Parameters
    ----------
    check
        What is refused; the default check if None.

    Returns
    -------
    callable
        For ``rails.register_action(input_action(), name=ACTION)``. Gives ``allowed``, ``sentence`` and
        ``reason_code``, none of which holds a term of the catalogue.
    """
    used = check or Check()

    async def ipguard_check(context: Mapping[str, Any] | None = None, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        outcome = await used.arun_all([(context or {}).get("user_message")])
        return {
            "allowed": outcome.allowed,
            "sentence": outcome.sentence(used.lang),
            "reason_code": outcome.reason_code,
        }

    return ipguard_check
