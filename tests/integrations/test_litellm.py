"""The guardrail inside LiteLLM, driven as the proxy drives it for images and for chat."""

import asyncio
import json

import pytest

pytest.importorskip("litellm", reason="the extra 'litellm' is not installed")

from litellm.exceptions import GuardrailRaisedException
from litellm.llms.openai.chat.guardrail_translation.handler import OpenAIChatCompletionsHandler
from litellm.llms.openai.image_generation.guardrail_translation.handler import OpenAIImageGenerationHandler

from ipguard.integrations import Check
from ipguard.integrations.litellm import GuardrailSetupError, IpguardGuardrail
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED


def made(check) -> IpguardGuardrail:
    return IpguardGuardrail(check, guardrail_name="ipguard", event_hook="pre_call", default_on=True)


def drawn(guardrail, prompt):
    data = {"model": "image-model", "prompt": prompt}
    return asyncio.run(OpenAIImageGenerationHandler().process_input_messages(data, guardrail))


def told(guardrail, messages):
    data = {"model": "chat-model", "messages": messages}
    return asyncio.run(OpenAIChatCompletionsHandler().process_input_messages(data, guardrail))


def test_an_image_prompt_passes_unchanged_or_is_refused(guard):
    guardrail = made(Check(guard))
    assert drawn(guardrail, CLEAN)["prompt"] == CLEAN
    with pytest.raises(GuardrailRaisedException) as caught:
        drawn(guardrail, NAMED)
    assert (caught.value.status_code, caught.value.blocked_content) == (400, True)
    assert not any(term in str(caught.value) for term in CATALOGUE_TERMS)


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_no_role_of_a_chat_is_a_way_round(guard, role):
    guardrail = made(Check(guard))
    assert told(guardrail, [{"role": "user", "content": CLEAN}])["messages"][0]["content"] == CLEAN
    with pytest.raises(GuardrailRaisedException):
        told(guardrail, [{"role": role, "content": NAMED}, {"role": "user", "content": "draw that"}])


def test_arguments_of_tool_calls_are_checked(guard):
    guardrail = made(Check(guard))

    def calling(prompt):
        function = {"name": "draw", "arguments": json.dumps({"prompt": prompt})}
        call = {"id": "1", "type": "function", "function": function}
        return [{"role": "user", "content": "go on"}, {"role": "assistant", "content": None, "tool_calls": [call]}]

    told(guardrail, calling(CLEAN))
    for prompt in (NAMED, "雨の中のピカチュウ", [{"scene": NAMED}]):
        with pytest.raises(GuardrailRaisedException):
            told(guardrail, calling(prompt))


def test_images_in_a_chat_are_refused_unless_something_else_looks_at_them(guard):
    message = {
        "role": "user",
        "content": [{"type": "text", "text": CLEAN}, {"type": "image_url", "image_url": {"url": "data:,"}}],
    }
    with pytest.raises(GuardrailRaisedException, match="other than text") as caught:
        told(made(Check(guard)), [message])
    assert (caught.value.status_code, caught.value.blocked_content) == (400, False)
    told(made(Check(guard, media="pass")), [message])


def test_a_guard_that_breaks_blocks_and_says_that_nothing_was_judged(breakable):
    guardrail = made(Check(breakable))
    breakable.broken = True
    with pytest.raises(GuardrailRaisedException) as caught:
        drawn(guardrail, CLEAN)
    assert (caught.value.status_code, caught.value.blocked_content) == (503, False)


def test_options_may_come_from_a_configuration_file():
    with pytest.raises(GuardrailRaisedException, match="保護"):
        drawn(made({"purpose": "image", "refuse": "review", "lang": "ja"}), NAMED)


def test_a_misspelled_option_or_a_mode_that_looks_at_answers_is_an_error_at_start():
    # LiteLLM starts without a guardrail that raises a ValueError.
    assert not issubclass(GuardrailSetupError, (ValueError, TypeError))
    with pytest.raises(GuardrailSetupError, match="refuze"):
        made({"refuze": "review"})
    with pytest.raises(GuardrailSetupError, match="territory"):
        made({"territory": "japan"})
    with pytest.raises(GuardrailSetupError, match="post_call"):
        IpguardGuardrail(guardrail_name="ipguard", event_hook="post_call")
