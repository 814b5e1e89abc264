"""A check whose policy changes while it is in use."""

from ipguard.integrations import Check
from ipguard.integrations.live import live_guard
from ipguard.policy.rules import Policy, Rule
from tests.integrations.conftest import NAMED


def test_a_change_of_policy_takes_effect_at_the_next_prompt(guard):
    held = Policy()
    check = Check(live_guard(lambda: held, guard))
    assert check.run(NAMED).status == "refused"
    held = Policy(rules=(Rule(effect="permit", reason="licensed", work="pokemon"),))
    assert check.run(NAMED).status == "passed"
    held = Policy()
    assert check.run(NAMED).status == "refused"


def test_a_guard_is_made_only_where_the_policy_changes(guard):
    held = Policy()
    current = live_guard(lambda: held, guard)
    assert current() is current()
    first, held = current(), Policy()
    assert current() is not first


def test_a_policy_that_does_not_fit_the_catalogue_lets_nothing_through(guard):
    held = Policy()
    check = Check(live_guard(lambda: held, guard))
    held = Policy(rules=(Rule(effect="permit", reason="licensed", work="no-such-work"),))
    outcome = check.run(NAMED)
    assert (outcome.status, outcome.allowed) == ("failed", False)
    assert "no-such-work" in outcome.error
