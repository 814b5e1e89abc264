"""Policies in a guard: taken over without the model, and what verdicts say of them."""

import asyncio
import pickle
import threading
from dataclasses import replace

import pytest

from ipguard import Guard
from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.rules import Policy, Rule

PERMIT = Policy(rules=(Rule("permit", reason="licensed", work="pokemon"),))
PROMPT = "Pikachu in the rain"


def test_another_policy_shares_model_and_catalogue(guard):
    other = guard.with_policy(PERMIT)
    assert other.score(PROMPT).decision == "allow"
    assert guard.score(PROMPT).decision == "block", "the first is unchanged"
    assert other.compiled is guard.compiled
    assert other._bundle is guard._bundle
    assert other.rules_version != guard.rules_version


def test_thresholds_follow_the_policy_unless_they_were_given(guard):
    assert guard.with_policy(Policy(review=0.1, block=0.2)).thresholds == (0.1, 0.2)
    assert guard.with_policy(Policy(review=0.1, block=0.2)).with_policy(Policy()).thresholds == guard.thresholds
    given = Guard(block=0.6)
    assert given.with_policy(Policy(review=0.1, block=0.2)).thresholds == (0.1, 0.6)
    with pytest.raises(InvalidArgumentError, match="review must be at most block"):
        given.with_policy(Policy(review=0.9))


def test_a_guard_with_another_policy_is_picklable(guard):
    again = pickle.loads(pickle.dumps(guard.with_policy(PERMIT)))  # noqa: S301
    assert again.policy == PERMIT
    assert again.score(PROMPT) == guard.with_policy(PERMIT).score(PROMPT)


def test_another_catalogue_shares_the_model_and_keeps_the_policy(guard, small):
    other = guard.with_policy(PERMIT).with_catalogue(small)
    assert other._bundle is guard._bundle
    assert other.catalogue_version != guard.catalogue_version
    assert other.score(PROMPT).decision == "allow"
    without = replace(small, works={i: w for i, w in small.works.items() if i != "pokemon"})
    with pytest.raises(PolicyError, match="'pokemon'"):
        guard.with_policy(PERMIT).with_catalogue(without)


def test_scoring_leaves_the_event_loop_free(guard):
    async def work():
        here = threading.get_ident()
        turns = 0

        async def turn():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(turn())
        one = await guard.ascore(PROMPT, allow=["pokemon"], territory="JP")
        many = await guard.ascore_many([PROMPT, None], errors="return")
        ticking.cancel()
        return here, turns, one, many

    _, turns, one, many = asyncio.run(work())
    assert turns > 1
    assert one == guard.score(PROMPT, allow=["pokemon"], territory="JP")
    assert many[0] == guard.score(PROMPT)
    assert type(many[1]).__name__ == "InvalidPromptError"
    with pytest.raises(InvalidArgumentError, match="territory"):
        asyncio.run(guard.ascore(PROMPT, territory="jp"))


def test_unknown_ids_are_told_when_the_policy_is_loaded(guard):
    with pytest.raises(PolicyError, match=r"'pokemn' \(near: pokemon"):
        guard.with_policy(Policy(rules=(Rule("block", work="pokemn"),)))
    with pytest.raises(PolicyError, match="pokemn"):
        Guard(policy=Policy(rules=(Rule("block", work="pokemn"),)))


def test_an_opt_out_names_its_rule_and_work(guard):
    policy = Policy(block=1.0, rules=(Rule("block", reason="opted_out", rights_holder="nintendo"),))
    verdict = guard.with_policy(policy).score("Goku and Pikachu share ramen")
    assert (verdict.decision, verdict.rule) == ("block", "opted_out:block:rights_holder=nintendo")
    assert verdict.reason_code == "opted_out"
    assert verdict.reason.startswith("Pokémon: "), "the work of the rule, not the one of most risk"


def test_what_passes_by_a_looser_threshold_is_called_permitted(guard):
    policy = Policy(rules=(Rule("review", work="pokemon", review=1.0, block=1.0),))
    verdict = guard.with_policy(policy).score(PROMPT)
    assert (verdict.decision, verdict.reason_code) == ("allow", "permitted")
    assert verdict.rule == "house_rule:review:work=pokemon"


def test_a_permit_for_a_described_item_alone_does_not_pass(guard, small):
    guard = guard.with_catalogue(small)
    prompt = "a chubby yellow mouse with red cheeks, black ear tips and a tail like a lightning bolt"
    plain = guard.score(prompt)
    assert plain.matches
    assert {m.kind for m in plain.matches} == {"description"}
    work, item = plain.matches[0].work_id, plain.matches[0].item
    item_only, whole = (Policy(rules=(Rule("permit", work=work, item=i),)) for i in (item, None))
    assert guard.with_policy(item_only).score(prompt).residual_risk == plain.risk
    assert guard.with_policy(whole).score(prompt).residual_risk < plain.risk


BRAND = """
# fizz-cola | Fizz Cola | brand | 1990 | US | Fizz Company | protected
= en:o:Fizz Cola
"""


def test_brands_have_a_category_of_their_own(guard, small):
    catalogue = replace(small.add(BRAND), brands=frozenset({"fizz-cola"}))
    with_brands = guard.with_catalogue(catalogue)
    prompt = "a can of Fizz Cola on a beach, product photo"
    plain = with_brands.score(prompt)
    assert plain.categories["brand"] > 0.3
    assert plain.decision == "allow"
    assert with_brands.score("a plain wooden chair").categories["brand"] == 0.0
    assert guard.score(prompt).categories["brand"] is None
    strict = with_brands.with_policy(Policy(rules=(Rule("review", category="brand", review=0.3),))).score(prompt)
    assert (strict.decision, strict.rule, strict.risk) == ("review", "house_rule:review:category=brand", plain.risk)
    assert strict.reason.startswith("Fizz Cola: ")
