"""The contract: examples of a newcomer, options, order, errors, threads, processes."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard import Guard, Policy
from ipguard.errors import InvalidArgumentError, InvalidPromptError
from ipguard.guard import MAX_CHARS
from ipguard.policy.rules import Rule

ALLOWED = [
    "a frozen lake at dawn",
    "白いワンピースの少女",
    "link to my homepage",
    "a castle, no Disney",
    "by makoto shinkai, a street in rain",
    "a cup of coffee on a wooden table",
]
FLAGGED = [
    ("Elsa from Frozen building a snowman", "frozen"),
    ("ワンピースのルフィ", "one-piece"),
    ("p1k4chu with a party hat", "pokemon"),
    ("P i k a c h u", "pokemon"),
    ("ピカチュウ風のぬいぐるみ", "pokemon"),
    ("Link pulling the master sword in a foggy forest", "legend-of-zelda"),
    ("1girl, son_goku_(dragon_ball), 4k", "dragon-ball"),
    ("Goku and Pikachu share ramen in Shibuya, 4k", "dragon-ball"),
]


@pytest.mark.parametrize("prompt", ALLOWED)
def test_clean_prompts_are_allowed(guard, prompt):
    verdict = guard.score(prompt)
    assert verdict.decision == "allow", verdict
    assert not verdict.flagged


@pytest.mark.parametrize(("prompt", "work"), FLAGGED)
def test_franchises_are_flagged_with_the_right_work(guard, prompt, work):
    verdict = guard.score(prompt)
    assert verdict.flagged, verdict
    assert work in {match.work_id for match in verdict.matches if match.risk >= guard.thresholds[0]}
    assert verdict.matches[0].rights_holders


def test_spans_are_slices(guard):
    for prompt in [p for p, _ in FLAGGED]:
        for match in guard.score(prompt).matches:
            assert prompt[match.start : match.end] == match.text


def test_the_verdict_is_valid_under_its_schema(guard):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(files("ipguard").joinpath("schemas/verdict.schema.json").read_text("utf-8"))
    for prompt in ["", "Pikachu", "a cat", "Sun Wukong on a cloud", "x" * (MAX_CHARS + 1)]:
        jsonschema.validate(json.loads(json.dumps(guard.score(prompt).to_dict())), schema)


def test_risk_is_the_franchise_category_and_bounds_every_match(guard):
    for verdict in guard.score_many([p for p, _ in FLAGGED] + ALLOWED):
        assert verdict.risk == verdict.categories["franchise"]
        assert verdict.categories["brand"] is None
        assert all(match.risk <= verdict.risk + 1e-9 for match in verdict.matches)
        assert verdict.residual_risk <= verdict.risk + 1e-9


def test_a_second_name_of_the_work_never_lowers_the_risk(guard):
    one = guard.score("Pikachu in the rain").risk
    two = guard.score("Pikachu and Charizard in the rain").risk
    assert two >= one - 0.02


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_empty_text(guard, prompt):
    verdict = guard.score(prompt)
    assert (verdict.risk, verdict.decision, verdict.reason_code) == (0.0, "allow", "empty")


@pytest.mark.parametrize("prompt", [None, 3, b"bytes", ["list"], float("nan")])
def test_what_is_no_string_is_an_error(guard, prompt):
    with pytest.raises(InvalidPromptError, match="prompt must be a string"):
        guard.score(prompt)


def test_errors_take_their_place(guard):
    found = guard.score_many(["a cat", None, "Pikachu"], errors="return")
    assert [type(f).__name__ for f in found] == ["Verdict", "InvalidPromptError", "Verdict"]
    with pytest.raises(InvalidPromptError):
        guard.score_many(["a cat", None])


def test_one_string_is_no_collection(guard):
    with pytest.raises(InvalidArgumentError, match="prompts must be a collection"):
        guard.score_many("Pikachu")
    with pytest.raises(InvalidArgumentError, match="allow must be a collection"):
        guard.score("Pikachu", allow="pokemon")


@pytest.mark.parametrize(
    ("option", "value"),
    [("purpose", "smell"), ("allow", ["no-such-work"]), ("territory", "Japan"), ("territory", "jp")],
)
def test_bad_options_name_themselves(guard, option, value):
    with pytest.raises(InvalidArgumentError, match=f"^{option} must"):
        guard.score("a cat", **{option: value})


@pytest.mark.parametrize(("option", "value"), [("review", 2), ("block", -1), ("prior", 0), ("prior", 1.5)])
def test_bad_settings_name_themselves(option, value):
    with pytest.raises(InvalidArgumentError, match=f"^{option} must"):
        Guard(**{option: value})


def test_order_is_kept_over_batches(guard):
    prompts = [f"Pikachu number {n}" if n % 3 else f"a lake number {n}" for n in range(600)]
    flags = [v.flagged for v in guard.score_many(prompts)]
    assert flags == [bool(n % 3) for n in range(600)]


def test_a_batch_gives_what_single_calls_give(guard):
    prompts = [p for p, _ in FLAGGED] + ALLOWED
    together = guard.score_many(prompts)
    for prompt, verdict in zip(prompts, together, strict=True):
        assert guard.score(prompt).risk == pytest.approx(verdict.risk, abs=1e-6)


def test_stream_is_lazy(guard):
    def endless():
        while True:
            yield "Pikachu"

    assert next(guard.stream(endless())).flagged


def test_threads_agree(guard):
    prompts = [p for p, _ in FLAGGED] * 10
    with ThreadPoolExecutor(4) as pool:
        risks = list(pool.map(lambda p: guard.score(p).risk, prompts))
    assert risks == pytest.approx([v.risk for v in guard.score_many(prompts)], abs=1e-6)


def test_a_guard_is_pickled_by_path(guard):
    data = pickle.dumps(guard)
    assert len(data) < 2000
    assert pickle.loads(data).score("Pikachu") == guard.score("Pikachu")  # noqa: S301


def test_allow_leaves_a_residual_risk(guard):
    plain = guard.score("Pikachu and Goku fight")
    allowed = guard.score("Pikachu and Goku fight", allow=["pokemon"])
    assert allowed.risk == plain.risk
    assert allowed.residual_risk < plain.risk + 1e-9
    assert allowed.flagged, "Goku is still there"
    both = guard.score("Pikachu and Goku fight", allow=["pokemon", "dragon-ball", "sun-wukong-myth"])
    assert both.decision == "allow"
    assert both.reason_code == "permitted"


def test_long_text_is_cut_and_reviewed(guard):
    verdict = guard.score("a lake " * 20_000)
    assert verdict.truncated
    assert verdict.decision == "review"
    assert verdict.reason_code == "truncated"
    assert verdict.rule == "truncated"


def test_the_prior_shifts_the_risk(guard):
    low, high = Guard(prior=0.01), Guard(prior=0.5)
    prompt = "Link pulling the master sword in a foggy forest"
    assert low.score(prompt).risk < guard.score(prompt).risk < high.score(prompt).risk


def test_thresholds_decide():
    assert Guard(review=0.0, block=0.0).score("a cat").decision == "block"
    assert Guard(review=1.0, block=1.0).score("a cat").decision == "allow"


def test_a_block_rule_names_itself(guard):
    policy = Policy(rules=(Rule("block", reason="opted_out", rights_holder="nintendo"),))
    strict = Guard(policy=policy, block=1.0)
    verdict = strict.score("Pikachu in the rain")
    assert verdict.decision == "block"
    assert verdict.rule == "opted_out:block:rights_holder=nintendo"
    assert verdict.reason_code == "opted_out"


def test_an_image_model_draws_what_is_asked_about(guard):
    prompt = "Who is Pikachu?"
    assert guard.score(prompt, purpose="image").risk >= guard.score(prompt, purpose="text").risk


def test_a_name_in_the_negative_prompt_never_raises_the_risk(guard):
    assert guard.score("a yellow mouse", "Pikachu").risk == guard.score("a yellow mouse").risk
    with pytest.raises(InvalidPromptError, match="negative_prompt"):
        guard.score("a cat", 3)


def test_a_new_work_is_protected_without_training(guard):
    from ipguard import Catalogue

    extended = Catalogue.load().add(
        "# zorblax | Zorblax Chronicles | game | 2026 | JP | New Holder | protected\n= en:o:Zorblax\n"
    )
    assert not guard.score("Zorblax fighting a dragon, highly detailed").flagged
    verdict = Guard(catalogue=extended).score("Zorblax fighting a dragon, highly detailed")
    assert verdict.flagged
    assert verdict.matches[0].work_id == "zorblax"
    assert verdict.matches[0].rights_holders == ("new-holder",)


def test_public_domain_figures_show_and_never_raise_the_risk(guard):
    verdict = guard.score("Sun Wukong riding a cloud, ink painting")
    free = [m for m in verdict.matches if m.status == "public_domain"]
    assert free
    assert all(m.risk == 0 for m in free)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=120))
def test_any_string_gets_a_verdict(guard, prompt):
    verdict = guard.score(prompt)
    assert 0 <= verdict.risk <= 1
    for match in verdict.matches:
        assert prompt[match.start : match.end] == match.text


@pytest.mark.parametrize("prompt", ["a" * 1_000_000, "\ud800 pikachu", "\x00", "👨‍👩‍👧‍👦" * 300, "🇯🇵" * 300])
def test_hostile_input(guard, prompt):
    guard.score(prompt)
