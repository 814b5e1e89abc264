"""The validator inside the real guardrails-ai."""

import asyncio

import pytest

pytest.importorskip("guardrails.validator_base", reason="guardrails-ai is not installed; see run_isolated.py")

from guardrails import AsyncGuard, Guard
from guardrails.errors import ValidationError

from ipguard.integrations import Check
from ipguard.integrations.guardrails import ProtectedWorks
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED, without_reports


@pytest.fixture(autouse=True)
def kept_to_this_machine(tmp_path, monkeypatch):
    without_reports(tmp_path, monkeypatch)


def used(check=None, **options):
    return Guard().use(ProtectedWorks(check, **options))


def test_a_refused_prompt_is_an_exception_with_a_neutral_message(guard):
    validator = used(Check(guard))
    assert validator.validate(CLEAN).validated_output == CLEAN
    with pytest.raises(ValidationError) as caught:
        validator.validate(NAMED)
    assert not any(term in str(caught.value) for term in CATALOGUE_TERMS)


def test_spans_point_into_the_prompt(guard):
    done = used(Check(guard), on_fail="noop").validate(NAMED)
    assert (done.validation_passed, done.validated_output) == (False, NAMED)
    (span,) = done.validation_summaries[0].error_spans
    assert NAMED[span.start : span.end] == "Pikachu"
    assert "Pikachu" in span.reason


def test_the_fix_is_generic_wording_that_passes_the_check_itself(guard):
    fixed = used(Check(guard), on_fail="fix").validate(NAMED).validated_output
    assert "Pikachu" not in fixed
    assert Check(guard).run(fixed).allowed


def test_there_is_no_fix_where_the_rewording_would_be_refused_too(guard):
    strict = type(guard)(review=0.0, block=0.0)
    done = used(Check(strict), on_fail="fix").validate(NAMED)
    assert done.validated_output is None


@pytest.mark.parametrize("on_fail", ["filter", "refrain"])
def test_other_actions_give_nothing_to_go_on_with(guard, on_fail):
    done = used(Check(guard), on_fail=on_fail).validate(NAMED)
    assert (done.validation_passed, done.validated_output) == (False, None)


def test_messages_are_checked_before_a_model_is_called(guard):
    called = []

    def model(messages, **kwargs):
        called.append(messages)
        return "drawn"

    validator = Guard().use(ProtectedWorks(Check(guard)), on="messages")
    assert validator(model, messages=[{"role": "user", "content": CLEAN}]).validated_output == "drawn"
    with pytest.raises(ValidationError):
        validator(model, messages=[{"role": "user", "content": NAMED}])
    assert len(called) == 1


def test_it_runs_in_an_async_guard(guard):
    validator = AsyncGuard().use(ProtectedWorks(Check(guard), on_fail="noop"))
    assert not asyncio.run(validator.validate(NAMED)).validation_passed


def test_options_stand_for_a_check():
    with pytest.raises(ValidationError, match="保護"):
        used(lang="ja", refuse="review").validate(NAMED)


def test_a_guard_that_breaks_fails_without_a_fix(breakable):
    validator = used(Check(breakable), on_fail="fix")
    breakable.broken = True
    assert validator.validate(CLEAN).validated_output is None


def test_a_guard_that_breaks_passes_only_if_told_to_and_says_so(breakable):
    validator = ProtectedWorks(Check(breakable, fail="open"))
    breakable.broken = True
    result = validator.validate(CLEAN, {"mine": 1})
    assert (result.outcome, result.metadata["mine"]) == ("pass", 1)
    assert result.metadata["ipguard"]["status"] == "failed"
