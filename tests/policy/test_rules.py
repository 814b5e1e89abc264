"""Rules: which one wins, where and when it holds."""

import pytest

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.decide import Judged, Limits, decide, rules_of
from ipguard.policy.rules import Policy, Rule, strictest

LIMITS = Limits(0.5, 0.9)


def judged(risk=0.7, items=(), protected=True):
    return Judged("dragon-ball", items, ("shueisha", "toei-animation"), ("manga",), risk, protected)


def outcome(policy, candidate, residual=None, style=0.0, territory=None, truncated=False):
    rules = rules_of(policy, [candidate], territory)
    return decide(
        policy, LIMITS, [candidate], rules, candidate.risk if residual is None else residual, style, truncated=truncated
    )


@pytest.mark.parametrize(
    ("risk", "decision"), [(0.0, "allow"), (0.49, "allow"), (0.5, "review"), (0.89, "review"), (0.9, "block")]
)
def test_thresholds(risk, decision):
    assert outcome(Policy(), judged(risk)).decision == decision


def test_the_most_specific_rule_wins():
    policy = Policy(
        rules=(Rule("block", rights_holder="shueisha"), Rule("permit", work="dragon-ball", reason="licensed"))
    )
    assert outcome(policy, judged(), residual=0.0).decision == "allow"


def test_ties_go_to_the_stricter():
    policy = Policy(
        rules=(
            Rule("permit", work="dragon-ball"),
            Rule("review", work="dragon-ball"),
            Rule("block", work="dragon-ball"),
        )
    )
    assert outcome(policy, judged()).decision == "block"


def test_one_opt_out_of_a_holder_covers_the_work_but_one_permit_does_not():
    block = Policy(rules=(Rule("block", rights_holder="shueisha"),))
    assert outcome(block, judged()).decision == "block"
    permit = Policy(rules=(Rule("permit", rights_holder="shueisha"),))
    assert rules_of(permit, [judged()], None) == (None,)


def test_a_rule_needs_the_risk():
    policy = Policy(rules=(Rule("block", work="dragon-ball"),))
    assert outcome(policy, judged(0.2)).decision == "allow"


def test_territories():
    permit = Policy(rules=(Rule("permit", work="dragon-ball", territories=("JP",)),))
    assert rules_of(permit, [judged()], "JP")[0] is not None
    assert rules_of(permit, [judged()], "US") == (None,)
    assert rules_of(permit, [judged()], None) == (None,), "an unknown territory gets no permit"
    block = Policy(rules=(Rule("block", work="dragon-ball", territories=("JP",)),))
    assert rules_of(block, [judged()], None)[0] is not None, "an unknown territory gets every block"


def test_dates(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(
        '{"rules": [{"effect": "block", "work": "dragon-ball", "until": "2001-01-01"}, {"effect": "review", "work": "dragon-ball", "since": "2001-01-01"}]}'
    )
    assert (
        outcome(Policy.load(path), judged(0.95)).rule == "house_rule:review:work=dragon-ball"
        or outcome(Policy.load(path), judged(0.95)).decision == "block"
    )
    assert rules_of(Policy.load(path), [judged()], None)[0].effect == "review"


def test_an_item_without_a_permit_keeps_the_candidate():
    policy = Policy(rules=(Rule("permit", work="dragon-ball", item="shenron"),))
    assert rules_of(policy, [judged(items=("shenron",))], None)[0] is not None
    assert rules_of(policy, [judged(items=("shenron", "goku"))], None) == (None,)


def test_style_never_exceeds_review():
    assert outcome(Policy(style="review"), judged(0.0), style=0.99).decision == "review"
    assert outcome(Policy(), judged(0.0), style=0.99).decision == "allow"
    with pytest.raises(PolicyError):
        _load('{"style": "block"}')


def test_truncation_is_reviewed():
    assert outcome(Policy(), judged(0.0), truncated=True).rule == "truncated"


def _load(text, tmp="policy.json"):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / tmp
        path.write_text(text)
        return Policy.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"reviw": 1}',
        '{"review": 2}',
        '{"review": 0.9, "block": 0.1}',
        '{"rules": [{"effect": "maybe"}]}',
        '{"rules": [{"effect": "block", "item": "x"}]}',
    ],
)
def test_bad_policies_are_refused(text):
    with pytest.raises((PolicyError, InvalidArgumentError)):
        _load(text)


def test_strictest():
    assert strictest([]) == "allow"
    assert strictest(["review", "block", "allow"]) == "block"
