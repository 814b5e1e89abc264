"""A step of a chain and an agent's middleware, with the real LangChain and LangGraph."""

import asyncio

import pytest

pytest.importorskip("langchain", reason="the extra 'langchain' is not installed")

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from ipguard.integrations import Check, PromptRefusedError
from ipguard.integrations.langchain import WITHHELD, PromptGuardMiddleware, prompt_guard, prompt_outcome
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED


class Model(GenericFakeChatModel):
    """Answers "drawn", and keeps what it was given to read."""

    read: list = Field(default_factory=list)

    def __init__(self):
        super().__init__(messages=iter(lambda: AIMessage("drawn"), None))

    def _generate(self, messages, *args, **kwargs):
        self.read.append([message.text for message in messages])
        return super()._generate(messages, *args, **kwargs)


IMAGE = {"type": "image", "base64": "AA==", "mime_type": "image/png"}
TURN = {"configurable": {"thread_id": "1"}}


def test_a_step_hands_its_input_on_or_raises(guard):
    chain = prompt_guard(Check(guard)) | (lambda prompt: prompt.upper())
    assert chain.invoke(CLEAN) == CLEAN.upper()
    assert asyncio.run(chain.ainvoke(CLEAN)) == CLEAN.upper()
    for call in (lambda: chain.invoke(NAMED), lambda: asyncio.run(chain.ainvoke(NAMED))):
        with pytest.raises(PromptRefusedError) as caught:
            call()
        assert not any(term in str(caught.value) for term in CATALOGUE_TERMS)
        assert caught.value.outcome.verdict.matches[0].work_id == "pokemon"
    assert [type(found) for found in chain.batch([CLEAN, NAMED], return_exceptions=True)] == [str, PromptRefusedError]


def test_of_messages_those_of_the_user_are_checked(guard):
    template = ChatPromptTemplate.from_messages([("system", "You draw. Never draw Pikachu."), ("human", "{wish}")])
    chain = template | prompt_guard(Check(guard)) | Model()
    assert chain.invoke({"wish": CLEAN}).text == "drawn"
    with pytest.raises(PromptRefusedError):
        chain.invoke({"wish": NAMED})
    step = prompt_guard(Check(guard))
    assert step.invoke([SystemMessage("Pikachu"), HumanMessage(CLEAN)])[1].text == CLEAN
    with pytest.raises(PromptRefusedError, match="other than text"):
        step.invoke(HumanMessage([{"type": "text", "text": CLEAN}, IMAGE]))


def test_a_step_gives_the_outcome(guard):
    step = prompt_outcome(Check(guard))
    assert step.invoke(NAMED).verdict.decision == "block"
    assert asyncio.run(step.ainvoke(CLEAN)).status == "passed"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_agent_ends_its_turn_before_the_model_reads_what_is_refused(guard, asynchronous):
    model = Model()
    agent = create_agent(model, middleware=[PromptGuardMiddleware(Check(guard))], checkpointer=InMemorySaver())

    def say(text):
        given = {"messages": [HumanMessage(text)]}
        done = asyncio.run(agent.ainvoke(given, TURN)) if asynchronous else agent.invoke(given, TURN)
        return done["messages"]

    assert say(CLEAN)[-1].text == "drawn"
    refused = say(NAMED)
    assert len(model.read) == 1
    assert refused[-1].type == "ai"
    assert refused[-1].response_metadata["ipguard"]["reason_code"] == "named_franchise"
    assert not any(term in message.text for message in refused for term in CATALOGUE_TERMS)
    # The conversation goes on, and the model never reads what was refused.
    assert say("a dog then")[-1].text == "drawn"
    assert model.read[-1] == [CLEAN, "drawn", WITHHELD, refused[-1].text, "a dog then"]


def test_an_earlier_message_counts_for_a_later_wish(guard):
    model = Model()
    agent = create_agent(model, middleware=[PromptGuardMiddleware(Check(guard))])
    done = agent.invoke({"messages": [HumanMessage(NAMED), AIMessage("Shall I?"), HumanMessage("yes, draw that")]})
    assert model.read == []
    assert [message.text for message in done["messages"]][:3] == [WITHHELD, "Shall I?", "yes, draw that"]


def test_an_agent_whose_guard_breaks_does_not_run(breakable):
    model = Model()
    agent = create_agent(model, middleware=[PromptGuardMiddleware(Check(breakable))])
    breakable.broken = True
    done = agent.invoke({"messages": [HumanMessage(CLEAN)]})
    assert model.read == []
    assert done["messages"][-1].response_metadata["ipguard"]["reason_code"] == "not_checked"
