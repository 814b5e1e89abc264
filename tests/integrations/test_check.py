"""The check that all adapters make."""

import asyncio
import json
import logging
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError
from ipguard.guard import MAX_CHARS
from ipguard.integrations import Check, Outcome, PromptRefusedError
from ipguard.integrations.check import NOT_CHECKED, NOT_TEXT, TRUNCATED, strictest
from ipguard.integrations.contents import by_roles, contents_of
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED

IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def test_a_named_franchise_is_refused_and_a_clean_prompt_passes(guard):
    refused, passed = Check(guard).run_many([NAMED, CLEAN])
    assert (refused.status, refused.allowed, refused.verdict.decision) == ("refused", False, "block")
    assert (passed.status, passed.allowed, passed.verdict.decision) == ("passed", True, "allow")
    assert passed.sentence() == ""


def test_a_prompt_to_review_is_refused_only_where_nobody_reviews(guard):
    risk = guard.score(NAMED).risk
    reviewing = type(guard)(review=risk / 2, block=1.0)
    assert reviewing.score(NAMED).decision == "review"
    assert Check(reviewing).run(NAMED).status == "passed"
    assert Check(reviewing, refuse="review").run(NAMED).status == "refused"


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("code", ["named_franchise", NOT_CHECKED, NOT_TEXT, TRUNCATED, "some_later_code"])
@pytest.mark.parametrize("status", ["refused", "failed"])
def test_sentences_for_end_users_hold_no_term(guard, status, code, lang):
    outcome = Outcome(status, allowed=False, reason_code=code, verdict=guard.score(NAMED))
    sentence = outcome.sentence(lang)
    assert sentence
    assert not any(term in sentence for term in CATALOGUE_TERMS)
    assert sentence.isascii() == (lang == "en")


def test_operators_see_which_work_and_where(guard):
    told = json.loads(json.dumps(Check(guard).run(NAMED).to_dict()))
    match = told["verdict"]["matches"][0]
    assert (match["work_id"], NAMED[match["start"] : match["end"]]) == ("pokemon", "Pikachu")


@pytest.mark.parametrize(("fail", "allowed"), [("closed", False), ("open", True)])
def test_a_guard_that_breaks_never_looks_like_a_pass(breakable, caplog, fail, allowed):
    check = Check(breakable, fail=fail)
    breakable.broken = True
    outcome = check.run(CLEAN)
    assert (outcome.status, outcome.allowed, outcome.reason_code) == ("failed", allowed, NOT_CHECKED)
    assert outcome.verdict is None
    assert "CatalogueError: The catalogue is gone." in outcome.error
    assert outcome.http_status == 503
    assert [(r.levelno, fail in r.getMessage()) for r in caplog.records] == [(logging.ERROR, True)]
    breakable.broken = False
    assert check.run(CLEAN).status == "passed"


@pytest.mark.parametrize(("fail", "allowed"), [("closed", False), ("open", True)])
def test_text_beyond_the_limit_is_not_taken_as_read(guard, fail, allowed):
    outcome = Check(guard, fail=fail).run("a lake " * (MAX_CHARS // 6) + NAMED)
    assert (outcome.status, outcome.allowed, outcome.reason_code) == ("failed", allowed, TRUNCATED)


def test_what_is_no_string_fails_alone_and_stays_out_of_the_log(guard, caplog):
    failed, passed = Check(guard).run_many([["secret wish"], CLEAN])
    assert (failed.status, failed.allowed) == ("failed", False)
    assert passed.status == "passed"
    assert "secret wish" not in caplog.text


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("refuse", "allow"),
        ("fail", "maybe"),
        ("media", "look"),
        ("lang", "fr"),
        ("purpose", "poem"),
        ("territory", "japan"),
        ("allow", ["no-such-work"]),
        ("allow", "pokemon"),
    ],
)
def test_a_wrong_option_shows_when_the_check_is_made(guard, option, value):
    with pytest.raises(InvalidArgumentError, match=option):
        Check(guard, **{option: value})


def test_options_reach_the_guard(guard):
    assert Check(guard, allow=["pokemon"]).run(NAMED).allowed


def test_media_are_refused_unless_something_else_looks_at_them(guard):
    message = [{"type": "text", "text": CLEAN}, IMAGE]
    refused = Check(guard).run_all([message])
    assert (refused.status, refused.allowed, refused.reason_code) == ("failed", False, NOT_TEXT)
    assert "image_url" in refused.error
    assert refused.http_status == 400
    allowed = Check(guard, media="pass").run_all([message])
    assert (allowed.status, allowed.allowed) == ("failed", True)
    assert not Check(guard, media="pass").run_all([[*message, {"type": "text", "text": NAMED}]]).allowed


def test_contents_are_judged_each_for_itself(guard):
    outcomes = Check(guard).run_contents([CLEAN, [], [CLEAN, NAMED], {"role": "user", "content": CLEAN}])
    assert [o.allowed for o in outcomes] == [True, True, False, True]
    assert asyncio.run(Check(guard).arun_contents([CLEAN, NAMED]))[1].status == "refused"


def test_every_outcome_is_reported_and_a_report_that_fails_is_a_failure(guard):
    seen = []
    Check(guard, on_outcome=lambda text, outcome: seen.append((text, outcome.status))).run_many([NAMED, CLEAN])
    assert seen == [(NAMED, "refused"), (CLEAN, "passed")]

    def full(text, outcome):
        raise OSError("no space left on device")

    outcomes = Check(guard, on_outcome=full).run_many([CLEAN, NAMED])
    assert [(o.status, o.allowed) for o in outcomes] == [("failed", False), ("refused", False)]
    outcomes = Check(guard, on_outcome=full, fail="open").run_many([CLEAN, NAMED])
    assert [(o.status, o.allowed) for o in outcomes] == [("failed", True), ("refused", False)]


def test_the_error_is_neutral_and_survives_pickling(guard):
    check = Check(guard, lang="ja")
    error = pickle.loads(pickle.dumps(check.error(check.run(NAMED))))  # noqa: S301
    assert isinstance(error, PromptRefusedError)
    assert str(error) == error.outcome.sentence("ja")
    assert error.outcome.verdict.matches[0].work_id == "pokemon"
    assert pickle.loads(pickle.dumps(check)).run(NAMED).status == "refused"  # noqa: S301


outcomes = st.builds(
    Outcome,
    st.sampled_from(["passed", "failed", "refused"]),
    st.booleans(),
    st.sampled_from(["clear", NOT_CHECKED, NOT_TEXT]),
)


@given(st.lists(outcomes, max_size=6))
def test_one_that_is_not_allowed_decides_for_all(several):
    one = strictest(several)
    assert one.allowed == all(outcome.allowed for outcome in several)
    assert not several or one in several


parts = st.one_of(
    st.text(max_size=8),
    st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=8)),
    st.builds(lambda text: {"role": "user", "content": text}, st.text(max_size=8)),
    st.sampled_from([IMAGE, None, 3, {"type": "input_audio"}, {}]),
)


@given(st.recursive(parts, lambda inner: st.lists(inner, max_size=4), max_leaves=12))
def test_nothing_of_a_value_is_left_out(value):
    def leaves(some):
        return [leaf for entry in some for leaf in leaves(entry)] if isinstance(some, list) else [some]

    found = contents_of(value)
    assert len(found.texts) + len(found.others) >= len(leaves(value)) or "deeply nested" in found.others
    expected = [leaf.get("text", leaf.get("content")) if isinstance(leaf, dict) else leaf for leaf in leaves(value)]
    texts = [text for text in expected if isinstance(text, str)]
    assert found.texts == texts or "deeply nested" in found.others


def test_a_part_with_a_text_of_another_kind_is_not_taken_for_text():
    assert contents_of({"type": "image_url", "text": "a caption"}).others == ["image_url"]
    assert contents_of({"type": ["text"], "text": "x"}).others == ["part of no known type"]


def test_messages_are_chosen_by_role():
    conversation = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"type": "reasoning"}, "c"]
    assert by_roles(conversation, ("user",)) == ["a", "c"]
