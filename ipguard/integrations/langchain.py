"""LangChain: a step of a chain, and a middleware of an agent."""

from __future__ import annotations

from typing import Any

from ipguard.errors import MissingExtraError
from ipguard.integrations.check import Check, Outcome

try:
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
    from langchain_core.prompt_values import PromptValue
    from langchain_core.runnables import Runnable, RunnableLambda
except ImportError:
    raise MissingExtraError("ipguard.integrations.langchain", "langchain") from None
try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
    from langgraph.runtime import Runtime
except ImportError:
    raise MissingExtraError("ipguard.integrations.langchain", "langchain") from None

WITHHELD = "[withheld]"
"""What stands in a conversation for a message that was refused."""


def prompt_guard(check: Check | None = None) -> Runnable[Any, Any]:
    """Return a step that hands its input on, or raises.

    Parameters
    ----------
    check
        What is refused; the default check if None.

    Returns
    -------
    Runnable
        Takes a string, a prompt value, a message or a list of messages, and gives the same back. Of messages, those of
        the user are checked. Raises :class:`~ipguard.integrations.check.PromptRefusedError`.
    """
    used = check or Check()

    def pass_on(value: Any) -> Any:  # noqa: ANN401 - whatever the chain holds
        return _handed_on(used, value, used.run_all(_prompts(value)))

    async def apass_on(value: Any) -> Any:  # noqa: ANN401 - whatever the chain holds
        return _handed_on(used, value, await used.arun_all(_prompts(value)))

    return RunnableLambda(pass_on, afunc=apass_on, name="ipguard")


def prompt_outcome(check: Check | None = None) -> Runnable[Any, Outcome]:
    """Return a step that gives the outcome of its input, for chains that branch by it.

    Parameters
    ----------
    check
        What is refused; the default check if None.

    Returns
    -------
    Runnable
        Takes what :func:`prompt_guard` takes and gives an :class:`~ipguard.integrations.check.Outcome`, whose
        `verdict` is the strictest.
    """
    used = check or Check()

    def judge(value: Any) -> Outcome:  # noqa: ANN401 - whatever the chain holds
        return used.run_all(_prompts(value))

    async def ajudge(value: Any) -> Outcome:  # noqa: ANN401 - whatever the chain holds
        return await used.arun_all(_prompts(value))

    return RunnableLambda(judge, afunc=ajudge, name="ipguard_outcome")


class PromptGuardMiddleware(AgentMiddleware):
    """Ends an agent's turn with a neutral answer where what the user asks for may not go on.

    Every message of the user that the model would read is checked, not only the last: "draw him again" is harmless
    without what went before. A message that is refused is replaced in the state of the agent by a placeholder, so
    that the conversation can go on without it.

    Parameters
    ----------
    check
        What is refused; the default check if None.
    """

    def __init__(self, check: Check | None = None) -> None:
        super().__init__()
        self._check = check or Check()

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Check what the user said; see the class."""
        asked = _asked(state["messages"])
        return self._ended(asked, self._check.run_contents([message.content for message in asked]))

    @hook_config(can_jump_to=["end"])
    async def abefore_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Check what the user said without blocking the event loop; see the class."""
        asked = _asked(state["messages"])
        return self._ended(asked, await self._check.arun_contents([message.content for message in asked]))

    def _ended(self, asked: list[HumanMessage], outcomes: list[Outcome]) -> dict[str, Any] | None:
        refused = [(m, outcome) for m, outcome in zip(asked, outcomes, strict=True) if not outcome.allowed]
        if not refused:
            return None
        # A message of the same id takes the place of the other.
        withheld = [HumanMessage(WITHHELD, id=message.id) for message, _ in refused]
        _, last = refused[-1]
        answer = AIMessage(
            last.sentence(self._check.lang), response_metadata={"ipguard": {"reason_code": last.reason_code}}
        )
        return {"messages": [*withheld, answer], "jump_to": "end"}


def _handed_on(check: Check, value: Any, outcome: Outcome) -> Any:  # noqa: ANN401 - whatever the chain holds
    if not outcome.allowed:
        raise check.error(outcome)
    return value


def _asked(messages: list[Any]) -> list[HumanMessage]:
    return [message for message in messages if isinstance(message, HumanMessage)]


def _prompts(value: Any) -> list[object]:  # noqa: ANN401 - whatever the chain holds
    """What the user asks for in an input: of messages the user's, else the input itself."""
    if isinstance(value, PromptValue):
        value = value.to_messages()
    if isinstance(value, BaseMessage):
        value = [value]
    if isinstance(value, list) and value and all(isinstance(message, BaseMessage) for message in value):
        return [message.content for message in _asked(value)]
    return [value]
