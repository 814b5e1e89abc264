"""Rules: what is refused, which one wins, where and when it holds."""

import json
import math
from datetime import UTC, date, datetime

import msgspec
import pytest

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.binding import BoundPolicy, Circumstances, Judged
from ipguard.policy.decide import Pooled, decide, style_limits
from ipguard.policy.rules import Policy, Rule, strictest
from ipguard.policy.rulings import Limits

LIMITS = Limits(0.5, 0.9)
TODAY = date(2026, 11, 25)


def judged(risk=0.7, items=(), work="dragon-ball", **others):
    holders = {"dragon-ball": ("bird-studio", "shueisha"), "marvel-spider-man": ("marvel",)}[work]
    return Judged(work, items, holders, ("manga", "anime"), risk, **others)


@pytest.fixture
def ruling(compiled):
    def of(*rules, territory=None, today=TODAY, style=False, **candidate):
        limits = style_limits(Policy()) if style else LIMITS
        bound = BoundPolicy(Policy(rules=rules), compiled)
        return bound.ruling(judged(**candidate), limits, Circumstances(territory, today), style=style)

    return of


@pytest.fixture
def outcome(compiled):
    """What is decided of one candidate, which alone makes the risk."""

    def of(policy, territory=None, truncated=False, **options):
        candidate, where = judged(**options), Circumstances(territory, TODAY)
        bound, looks = BoundPolicy(policy, compiled), style_limits(policy)
        own, style = bound.ruling(candidate, LIMITS, where), bound.ruling(candidate, looks, where, style=True)
        counts = candidate.category != "brand"
        pooled = Pooled(
            candidate.risk if counts and own.limits.review <= LIMITS.review else 0.0,
            candidate.risk if counts and own.limits.block <= LIMITS.block else 0.0,
            candidate.style if style.limits.review <= looks.review else 0.0,
        )
        return decide(policy, LIMITS, [candidate], [own], [style], pooled, truncated=truncated)

    return of


@pytest.mark.parametrize(
    ("risk", "decision"), [(0.0, "allow"), (0.49, "allow"), (0.5, "review"), (0.89, "review"), (0.9, "block")]
)
def test_thresholds(outcome, risk, decision):
    found = outcome(Policy(), risk=risk)
    assert (found.decision, found.rule) == (decision, f"threshold:{decision}")


NARROWER = [
    Rule("block"),
    Rule("block", territories=("JP",)),
    Rule("block", category="franchise"),
    Rule("block", medium="manga"),
    Rule("block", medium="manga", category="franchise"),
    Rule("block", rights_holder="shueisha"),
    Rule("block", rights_holder="shueisha", medium="manga"),
    Rule("block", work="dragon-ball"),
    Rule("block", work="dragon-ball", territories=("JP",)),
    Rule("block", work="dragon-ball", rights_holder="shueisha"),
    Rule("block", work="dragon-ball", item="son-goku"),
    Rule("block", work="dragon-ball", item="son-goku", territories=("JP",)),
]


@pytest.mark.parametrize("at", range(1, len(NARROWER)))
def test_the_most_specific_rule_wins(ruling, at):
    wide, narrow = (msgspec.structs.replace(rule, effect="review") for rule in NARROWER[at - 1 : at + 1])
    narrow = msgspec.structs.replace(narrow, review=0.99)
    assert ruling(wide, narrow, items=("son-goku",), territory="JP").limits.review == 0.99


def test_ties_go_to_the_stricter(outcome):
    rules = tuple(Rule(effect, work="dragon-ball") for effect in ("permit", "review", "block"))
    assert outcome(Policy(rules=rules)).decision == "block"
    assert outcome(Policy(rules=rules[:2])).decision == "review"


def test_tied_thresholds_are_the_lowest_of_each(ruling):
    one = Rule("review", work="dragon-ball", review=0.1, block=0.8)
    two = Rule("review", work="dragon-ball", review=0.3, block=0.4)
    assert ruling(one, two).limits == Limits(0.1, 0.4)


def test_a_rule_for_a_franchise_covers_its_parts(ruling):
    family, own = Rule("permit", work="marvel"), Rule("block", work="marvel-spider-man")
    part = {"work": "marvel-spider-man"}
    assert ruling(family, **part).permit == family
    assert ruling(family, own, **part).block == own, "less specific than a rule for the work itself"
    assert ruling(Rule("block", rights_holder="marvel"), family, **part).permit == family, (
        "more than one for its holder"
    )
    assert ruling(family).rule is None, "other works are none of its parts"


def test_a_rule_for_an_item_does_not_cover_the_parts_of_its_work(small, ruling):
    from ipguard.catalogue.build import compile_catalogue

    catalogue = small.add(
        "# dragon-ball-z | Dragon Ball Z | anime | 1989 | JP | Toei | protected\n@ part_of: dragon-ball\n"
        "= en:o:Dragon Ball Z\n- character | en:o:Vegeta | en: short warrior | a warrior\n"
    )
    bound = BoundPolicy(Policy(rules=(Rule("block", work="dragon-ball", item="trunks"),)), compile_catalogue(catalogue))
    candidate = Judged("dragon-ball-z", ("trunks",), ("toei",), ("anime",), 0.7)
    assert bound.ruling(candidate, LIMITS, Circumstances(None, TODAY)).rule is None


def test_an_opt_out_of_one_holder_covers_the_work_and_permits_once_all_gave_one(ruling):
    one, other = Rule("permit", rights_holder="shueisha"), Rule("permit", rights_holder="bird-studio")
    assert ruling(Rule("block", rights_holder="shueisha")).block
    assert ruling(one).rule is None
    assert ruling(one, other).permit
    assert ruling(one, other, Rule("block", rights_holder="shueisha")).block
    assert ruling(one, msgspec.structs.replace(other, until=date(2020, 1, 1))).rule is None, "one of them has expired"


def test_a_rule_needs_the_risk(outcome):
    found = outcome(Policy(rules=(Rule("block", work="dragon-ball"),)), risk=0.2)
    assert (found.decision, found.rule) == ("allow", "threshold:allow")


def test_thresholds_of_a_rule(outcome):
    early = Policy(rules=(Rule("review", work="dragon-ball", review=0.1, block=0.3),))
    assert [outcome(early, risk=r).decision for r in (0.05, 0.1, 0.3)] == ["allow", "review", "block"]
    assert outcome(early, risk=0.3).rule == "house_rule:review:work=dragon-ball"
    late = Policy(rules=(Rule("review", work="dragon-ball", review=0.8, block=0.99),))
    assert [outcome(late, risk=r).decision for r in (0.7, 0.8, 0.95, 0.99)] == ["allow", "review", "review", "block"]
    assert outcome(late, risk=0.7).rule == "house_rule:review:work=dragon-ball", "the rule let it pass"
    both = Policy(rules=(Rule("block", work="dragon-ball", review=0.2, block=0.6),))
    assert [outcome(both, risk=r).decision for r in (0.1, 0.2, 0.6)] == ["allow", "review", "block"]


def test_a_rule_that_reviews_leaves_blocking_to_the_threshold(outcome):
    found = outcome(Policy(rules=(Rule("review", work="dragon-ball"),)), risk=0.95)
    assert (found.decision, found.rule) == ("block", "threshold:block")


def test_territories(ruling):
    permit, block = (Rule(effect, work="dragon-ball", territories=("JP", "FR")) for effect in ("permit", "block"))
    assert ruling(permit, territory="JP").permit
    assert ruling(permit, territory="US").rule is None
    assert ruling(permit).rule is None, "an unknown territory gets no permit"
    assert ruling(block, territory="US").rule is None
    assert ruling(block).block, "an unknown territory gets every block"


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (None, TODAY, True),
        (TODAY, None, True),
        (None, date(2026, 11, 24), False),
        (date(2026, 11, 26), None, False),
        (date(2026, 1, 1), date(2026, 12, 31), True),
    ],
)
def test_dates(ruling, since, until, holds):
    assert bool(ruling(Rule("block", work="dragon-ball", since=since, until=until)).rule) == holds


def test_an_expired_rule_leaves_the_field_to_a_wider_one(ruling):
    expired = Rule("permit", work="dragon-ball", until=date(2026, 11, 1))
    assert ruling(expired, Rule("block", rights_holder="shueisha")).block


def test_an_item_without_a_permit_keeps_the_candidate(ruling):
    permit = Rule("permit", work="dragon-ball", item="son-goku")
    assert ruling(permit, items=("son-goku",)).permit
    assert ruling(permit, items=("son-goku", "trunks")).rule is None
    assert ruling(permit, items=("son-goku", None)).rule is None


def test_the_strictest_of_several_items_holds(ruling):
    block = Rule("block", work="dragon-ball", item="trunks")
    assert ruling(block, Rule("permit", work="dragon-ball"), items=("son-goku", "trunks")).block == block
    loose = Rule("review", work="dragon-ball", item="trunks", review=0.99)
    assert ruling(loose, items=("son-goku", "trunks")).limits == LIMITS


def test_style_never_exceeds_review(outcome):
    assert outcome(Policy(style="review"), risk=0.0, style=0.99).decision == "review"
    assert outcome(Policy(), risk=0.0, style=0.99).decision == "allow"


def test_rules_about_style(outcome):
    review = Policy(rules=(Rule("review", rights_holder="shueisha", category="style", review=0.7),))
    assert [outcome(review, risk=0.0, style=s).decision for s in (0.6, 0.7)] == ["allow", "review"]
    permit = Policy(style="review", rules=(Rule("permit", work="dragon-ball", category="style"),))
    found = outcome(permit, risk=0.0, style=0.99)
    assert (found.decision, found.rule) == ("allow", "house_rule:permit:work=dragon-ball,category=style")
    assert outcome(permit, risk=0.95, style=0.99).decision == "block", "the work itself is not permitted"
    licence = Policy(style="review", rules=(Rule("permit", work="dragon-ball", reason="licensed"),))
    assert outcome(licence, risk=0.95, style=0.99).decision == "allow", "a licence covers the style too"
    opted_out = Policy(rules=(Rule("block", work="dragon-ball", reason="opted_out"),))
    assert outcome(opted_out, risk=0.0, style=0.99).decision == "allow", "an opt-out does not, unless it says so"


def test_brands_are_decided_by_rules_alone(outcome):
    brand = {"category": "brand", "risk": 0.95}
    assert outcome(Policy(), **brand).decision == "allow"
    assert outcome(Policy(rules=(Rule("block", category="brand"),)), **brand).decision == "block"
    assert outcome(Policy(rules=(Rule("review", category="brand"),)), **brand).decision == "review"
    assert outcome(Policy(rules=(Rule("block", category="franchise"),)), **brand).decision == "allow"


def test_truncation_is_reviewed(outcome):
    assert outcome(Policy(), risk=0.0, truncated=True).rule == "truncated"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"effect": "maybe"}, "effect"),
        ({"effect": "block", "reason": "because"}, "reason"),
        ({"effect": "block", "category": "music"}, "category"),
        ({"effect": "block", "item": "x"}, "item must come with its work"),
        ({"effect": "permit", "reason": "opted_out"}, "reason must not be opted_out for a permit"),
        ({"effect": "block", "territories": ["jp"]}, "territories must be an ISO 3166 code"),
        ({"effect": "block", "territories": ["UK"]}, "territories must be an ISO 3166 code"),
        ({"effect": "block", "since": "2026-02-01", "until": "2026-01-01"}, "since must not be after until"),
        ({"effect": "block", "review": 2}, "review must lie in"),
        ({"effect": "block", "review": 0.9, "block": 0.1}, "review must be at most block"),
        ({"effect": "permit", "review": 0.5}, "review must not be given for a permit"),
        ({"effect": "block", "category": "style"}, "style, which alone never blocks"),
        ({"effect": "review", "category": "style", "block": 0.5}, "style, which alone never blocks"),
        ({"effect": "block", "wrok": "dragon-ball"}, "wrok"),
    ],
)
def test_a_rule_that_contradicts_itself_or_could_never_hold_is_refused(tmp_path, rule, message):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"rules": [rule]}))
    with pytest.raises(PolicyError, match=message) as caught:
        Policy.load(path)
    assert "policy.json" in str(caught.value)


def test_a_rule_for_a_family_may_name_what_only_its_parts_have(compiled, ruling):
    film = Rule("block", work="marvel", medium="film")
    assert ruling(film, work="marvel-spider-man").rule is None
    candidate = Judged("marvel-spider-man", (), ("marvel",), ("comic", "film"), 0.7)
    assert BoundPolicy(Policy(rules=(film,)), compiled).ruling(candidate, LIMITS, Circumstances(None, TODAY)).block


def test_rules_made_in_code_are_checked_too():
    for since in ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidArgumentError, match=r"since must be a datetime\.date"):
            Rule("block", since=since)
    for review in ("high", float("nan")):
        with pytest.raises(InvalidArgumentError, match="review must lie in"):
            Rule("block", review=review)
    with pytest.raises(InvalidArgumentError, match="effect must be one of"):
        Rule("blok")
    with pytest.raises(InvalidArgumentError, match="not one string"):
        Rule("block", territories="JP")
    assert Rule("block", territories=("US", "JP", "JP")) == Rule("block", territories=["JP", "US"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"reviw": 1}',
        '{"review": 2}',
        '{"review": 0.9, "block": 0.1}',
        '{"style": "block"}',
        '{"style_threshold": 3}',
    ],
)
def test_bad_policies_are_refused(tmp_path, text):
    (tmp_path / "policy.json").write_text(text)
    with pytest.raises(PolicyError, match=r"policy\.json"):
        Policy.load(tmp_path / "policy.json")
    with pytest.raises(PolicyError, match="nowhere"):
        Policy.load(tmp_path / "nowhere.json")


def test_the_name_says_all_that_a_rule_concerns():
    assert Rule("block").name == "house_rule:block:all"
    rule = Rule("permit", reason="licensed", work="pokemon", item="pikachu", territories=("US", "JP"))
    assert rule.name == "licensed:permit:work=pokemon,item=pikachu,territories=JP+US"


def test_unknown_ids_are_listed_with_near_ones(compiled):
    rules = (
        Rule("block", work="dragonball"),
        Rule("block", rights_holder="nintndo"),
        Rule("block", medium="mangaa"),
        Rule("block", work="pokemon", item="pikachuu"),
        Rule("block", work="qqqq", item="x"),
        Rule("block", work="pokemon", rights_holder="shueisha"),
        Rule("block", work="pokemon", medium="film"),
    )
    with pytest.raises(PolicyError) as caught:
        BoundPolicy(Policy(rules=rules), compiled)
    for part in (
        "work 'dragonball' (near: dragon-ball",
        "rights_holder 'nintndo' (near: nintendo",
        "medium 'mangaa' (near: manga",
        "item of pokemon 'pikachuu' (near: pikachu",
        "work 'qqqq';",
        "rights_holder of pokemon 'shueisha'",
        "medium of pokemon 'film'.",
    ):
        assert part in str(caught.value)


def test_many_unknown_ids_are_cut(compiled):
    rules = tuple(Rule("block", work=f"qqqq{number}") for number in range(30))
    with pytest.raises(PolicyError, match="and 10 more"):
        BoundPolicy(Policy(rules=rules), compiled)


def test_merged_ids_lead_to_the_work_of_today(small):
    from dataclasses import replace

    from ipguard.catalogue.build import compile_catalogue

    merged = compile_catalogue(replace(small, redirects={"dragonball": "db", "db": "dragon-ball", "lost": "nowhere"}))
    bound = BoundPolicy(Policy(rules=(Rule("block", work="dragonball", item="son-goku"),)), merged)
    found = bound.ruling(judged(items=("son-goku",)), LIMITS, Circumstances(None, TODAY))
    assert found.block.work == "dragon-ball"
    assert bound.permitting(["db"]).ruling(judged(), LIMITS, Circumstances(None, TODAY)).permit
    with pytest.raises(PolicyError, match="lost"):
        BoundPolicy(Policy(rules=(Rule("block", work="lost"),)), merged)


def test_permits_never_count(ruling):
    assert ruling(Rule("permit")).limits == Limits(math.inf, math.inf)


def test_strictest():
    assert strictest([]) == "allow"
    assert strictest(["review", "block", "allow"]) == "block"
