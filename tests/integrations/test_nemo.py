"""The action by itself, and in an input rail of the real NeMo Guardrails where that is installed."""

import asyncio

import pytest

from ipguard.integrations import Check
from ipguard.integrations.nemo import ACTION, RAIL, input_action
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED


def said(action, text):
    return asyncio.run(action(context={"user_message": text}, config=None))


def test_the_action_judges_what_the_user_said_last(guard):
    action = input_action(Check(guard))
    assert said(action, CLEAN) == {"allowed": True, "sentence": "", "reason_code": "clear"}
    refused = said(action, NAMED)
    assert (refused["allowed"], refused["reason_code"]) == (False, "named_franchise")
    assert not any(term in str(refused) for term in CATALOGUE_TERMS)


def test_an_action_without_a_message_refuses(guard):
    assert not asyncio.run(input_action(Check(guard))())["allowed"]


@pytest.fixture
def rails():
    nemoguardrails = pytest.importorskip("nemoguardrails", reason="NeMo is not installed; see run_isolated.py")
    settings = "models: []\nrails:\n  input:\n    flows:\n      - ipguard check input\n"
    config = nemoguardrails.RailsConfig.from_content(colang_content=RAIL, yaml_content=settings)
    return nemoguardrails.LLMRails(config)


def answer(rails, text):
    done = rails.generate(messages=[{"role": "user", "content": text}], options={"rails": ["input"]})
    return done.response[0]["content"]


def test_the_rail_stops_what_is_refused(rails, guard):
    check = Check(guard)
    rails.register_action(input_action(check), name=ACTION)
    assert answer(rails, CLEAN) == CLEAN
    assert answer(rails, NAMED) == check.run(NAMED).sentence()


def test_the_rail_stops_where_the_guard_breaks(rails, breakable):
    check = Check(breakable)
    rails.register_action(input_action(check), name=ACTION)
    breakable.broken = True
    assert answer(rails, CLEAN) == check.run(CLEAN).sentence()
