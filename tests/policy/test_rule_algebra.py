"""The algebra of rules, on prompts that the shipped guard scores."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard.policy.rules import Policy, Rule
from ipguard.verdict import DECISIONS

PROMPTS = (
    "Pikachu and Goku share ramen in Shibuya",
    "Spider-Man reading in a library",
    "a street at dusk in the style of Studio Ghibli",
    "Link walking down a road",
    "白いワンピースの少女",
    "Sun Wukong and Son Goku on a cloud",
    "a plain wooden chair",
    "a chubby yellow mouse with red cheeks and a tail like a lightning bolt",
)
WORKS = (
    "pokemon",
    "dragon-ball",
    "marvel-spider-man",
    "marvel-universe",
    "studio-ghibli",
    "legend-of-zelda",
    "one-piece",
)
HOLDERS = ("nintendo", "shueisha", "bird-studio", "toei-animation", "marvel", "studio-ghibli")
risks = st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
lax = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


media = st.sampled_from(["game", "anime", "film", "studio"])
subjects = st.one_of(
    st.just({}),
    st.builds(dict, work=st.sampled_from(WORKS)),
    st.builds(dict, rights_holder=st.sampled_from(HOLDERS)),
    st.builds(dict, medium=media),
    st.builds(dict, rights_holder=st.sampled_from(HOLDERS), medium=media),
    st.sampled_from(
        [
            {"work": "pokemon", "item": "pikachu"},
            {"work": "dragon-ball", "item": "goku", "rights_holder": "shueisha"},
            {"work": "marvel-universe", "rights_holder": "sony-pictures"},
            {"work": "legend-of-zelda", "medium": "game"},
        ]
    ),
)


@st.composite
def rules(draw, effects=("permit", "review", "block"), thresholds=True):
    effect = draw(st.sampled_from(effects))
    category = draw(st.sampled_from([None, None, "franchise", "brand", "style"]))
    if category == "style" and effect == "block":
        effect = "review"
    review = draw(st.none() | risks) if thresholds and effect != "permit" else None
    block = (
        draw(st.none() | risks.filter(lambda b: review is None or b >= review))
        if thresholds and effect != "permit"
        else None
    )
    return Rule(
        effect,
        **draw(subjects),
        category=category,
        territories=draw(st.sampled_from([(), (), ("JP",), ("FR", "US")])),
        review=review,
        block=None if category == "style" else block,
    )


@st.composite
def policies(draw, **options):
    review, block = draw(st.none() | st.tuples(risks, risks).map(sorted)) or (None, None)
    return Policy(
        review=review,
        block=block,
        style=draw(st.sampled_from(["allow", "review"])),
        style_threshold=draw(risks),
        rules=tuple(draw(st.lists(rules(**options), max_size=6))),
    )


def strictness(guard, policy, prompt, territory):
    return DECISIONS.index(guard.with_policy(policy).score(prompt, territory=territory).decision)


prompts, territories = st.sampled_from(PROMPTS), st.sampled_from([None, "JP", "US"])


@lax
@given(policies(), prompts, territories)
def test_no_policy_changes_the_risk(guard, policy, prompt, territory):
    plain, found = guard.score(prompt), guard.with_policy(policy).score(prompt, territory=territory)
    assert found.risk == plain.risk
    assert found.categories == plain.categories
    assert found.residual_risk <= plain.risk + 1e-9
    assert {(m.work_id, m.risk) for m in found.matches} >= {(m.work_id, m.risk) for m in plain.matches}


@lax
@given(policies(), rules(effects=("permit",)), prompts, territories)
def test_a_permit_never_raises_the_decision(guard, policy, permit, prompt, territory):
    more = msgspec.structs.replace(policy, rules=(*policy.rules, permit))
    assert strictness(guard, more, prompt, territory) <= strictness(guard, policy, prompt, territory)


@lax
@given(policies(thresholds=False), rules(effects=("block",), thresholds=False), prompts, territories)
def test_a_block_never_lowers_the_decision(guard, policy, block, prompt, territory):
    more = msgspec.structs.replace(policy, rules=(*policy.rules, block))
    assert strictness(guard, more, prompt, territory) >= strictness(guard, policy, prompt, territory)


@lax
@given(policies(), st.data(), prompts, territories)
def test_a_stricter_rule_never_lowers_the_decision(guard, policy, data, prompt, territory):
    if not policy.rules:
        return
    at = data.draw(st.integers(0, len(policy.rules) - 1))
    rule = policy.rules[at]
    steps = [msgspec.structs.replace(rule, review=0.0)] if rule.effect != "permit" else []
    if rule.effect != "permit" and rule.block is not None:
        steps.append(msgspec.structs.replace(rule, block=rule.review or 0.0))
    if rule.effect == "review" and rule.category != "style":
        steps.append(msgspec.structs.replace(rule, effect="block"))
    for stricter in steps:
        changed = msgspec.structs.replace(policy, rules=(*policy.rules[:at], stricter, *policy.rules[at + 1 :]))
        assert strictness(guard, changed, prompt, territory) >= strictness(guard, policy, prompt, territory)


@lax
@given(policies(), st.data(), prompts, territories)
def test_the_order_of_rules_does_not_matter(guard, policy, data, prompt, territory):
    shuffled = msgspec.structs.replace(policy, rules=tuple(data.draw(st.permutations(policy.rules))))
    one, other = (guard.with_policy(p).score(prompt, territory=territory) for p in (policy, shuffled))
    assert one == other


@lax
@given(policies(), prompts, territories)
def test_style_alone_never_blocks(guard, policy, prompt, territory):
    loosest = msgspec.structs.replace(
        policy, review=1.0, block=1.0, rules=tuple(rule for rule in policy.rules if rule.category == "style")
    )
    assert guard.with_policy(loosest).score(prompt, territory=territory).decision != "block"


@lax
@given(policies(), prompts)
def test_the_rule_named_is_one_of_the_policy_or_a_threshold(guard, policy, prompt):
    verdict = guard.with_policy(policy).score(prompt, territory="JP")
    named = {rule.name for rule in policy.rules}
    assert verdict.rule in named | {f"threshold:{d}" for d in DECISIONS} | {"category:style"}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_permitting_everything_leaves_what_the_catalogue_lacks(guard, prompt):
    verdict = guard.with_policy(Policy(rules=(Rule("permit"),))).score(prompt)
    assert verdict.risk == guard.score(prompt).risk
    assert verdict.residual_risk < guard.thresholds[0]
    assert verdict.decision == "allow"
