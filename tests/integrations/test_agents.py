"""The input guardrail in a run of the real OpenAI Agents SDK, before a model that answers by rote."""

import asyncio

import pytest

pytest.importorskip("agents", reason="the extra 'agents' is not installed")

from agents import Agent, InputGuardrailTripwireTriggered, ModelResponse, Runner, SQLiteSession, Usage
from agents.models.interface import Model
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from ipguard.integrations import Check
from ipguard.integrations.agents import input_guardrail
from tests.integrations.conftest import CLEAN, NAMED


class Rote(Model):
    """Answers "drawn" and counts its calls."""

    calls = 0

    async def get_response(self, *_, **__):
        self.calls += 1
        text = ResponseOutputText(text="drawn", type="output_text", annotations=[])
        message = ResponseOutputMessage(id="1", content=[text], role="assistant", status="completed", type="message")
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *_, **__):
        raise NotImplementedError


@pytest.fixture
def model():
    return Rote()


def agent(model, check):
    return Agent("painter", model=model, input_guardrails=[input_guardrail(check)])


def run(*args, **kwargs):
    return asyncio.run(Runner.run(*args, **kwargs))


def parts(*content):
    return [{"role": "user", "content": list(content)}]


def test_a_run_ends_before_the_model_is_called(guard, model):
    painter = agent(model, Check(guard))
    assert run(painter, CLEAN).final_output == "drawn"
    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        run(painter, NAMED)
    assert model.calls == 1
    outcome = caught.value.guardrail_result.output.output_info
    assert outcome.verdict.matches[0].work_id == "pokemon"


def test_every_message_of_the_user_counts(guard, model):
    painter = agent(model, Check(guard))
    text = {"type": "input_text", "text": NAMED}
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(painter, [*parts(text), {"role": "assistant", "content": "Shall I?"}, *parts({**text, "text": "yes"})])
    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        run(painter, parts({"type": "input_image", "image_url": "data:,", "detail": "auto"}))
    assert caught.value.guardrail_result.output.output_info.reason_code == "not_text"
    assert model.calls == 0


def test_a_session_goes_on_once_the_refused_message_is_taken_out(guard, model):
    painter, session = agent(model, Check(guard)), SQLiteSession("1")
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(painter, NAMED, session=session)
    # The SDK has stored it, and the model would read it with the next message.
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(painter, CLEAN, session=session)
    asyncio.run(session.clear_session())
    assert run(painter, CLEAN, session=session).final_output == "drawn"
    session.close()


def test_a_guard_that_breaks_trips(breakable, model):
    painter = agent(model, Check(breakable))
    breakable.broken = True
    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        run(painter, CLEAN)
    assert caught.value.guardrail_result.output.output_info.status == "failed"
