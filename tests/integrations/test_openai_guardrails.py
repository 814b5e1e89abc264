"""The check in a pipeline of the real openai-guardrails."""

import asyncio

import pytest

pytest.importorskip("guardrails.runtime", reason="openai-guardrails is not installed; see run_isolated.py")

from guardrails import GuardrailTripwireTriggered
from guardrails.registry import GuardrailRegistry
from guardrails.runtime import instantiate_guardrails, load_config_bundle, run_guardrails

from ipguard.integrations import Check
from ipguard.integrations.openai_guardrails import register
from tests.integrations.conftest import CLEAN, NAMED

PIPELINE = {"version": 1, "guardrails": [{"name": "Protected Works", "config": {}}]}


def run(check, text, **options):
    registry = GuardrailRegistry()
    register(check, registry=registry)
    made = instantiate_guardrails(load_config_bundle(PIPELINE), registry)
    return asyncio.run(run_guardrails({}, text, "text/plain", made, **options))


def test_a_named_franchise_trips(guard):
    (passed,) = run(Check(guard), CLEAN)
    assert (passed.tripwire_triggered, passed.execution_failed) == (False, False)
    with pytest.raises(GuardrailTripwireTriggered) as caught:
        run(Check(guard), NAMED)
    told = caught.value.guardrail_result.info["ipguard"]
    assert told["verdict"]["matches"][0]["work_id"] == "pokemon"


@pytest.mark.parametrize(("fail", "trips"), [("closed", True), ("open", False)])
def test_a_guard_that_breaks_is_a_failed_execution_and_trips_unless_told_otherwise(breakable, fail, trips):
    check = Check(breakable, fail=fail)
    breakable.broken = True
    (result,) = run(check, CLEAN, suppress_tripwire=True)
    assert (result.execution_failed, result.tripwire_triggered) == (True, trips)
    assert "The catalogue is gone" in str(result.original_exception)
