"""The scanner by its published protocol, and inside the real llm-guard where that is installed."""

import pytest

from ipguard.integrations import Check
from ipguard.integrations.llm_guard import ProtectedWorks
from tests.integrations.conftest import CLEAN, NAMED


def test_a_prompt_passes_unchanged_or_is_invalid_with_its_risk(guard):
    scanner = ProtectedWorks(Check(guard))
    text, valid, risk = scanner.scan(CLEAN)
    assert (text, valid) == (CLEAN, True)
    assert risk == guard.score(CLEAN).risk
    text, valid, risk = scanner.scan(NAMED)
    assert (text, valid) == (NAMED, False)
    assert risk == guard.score(NAMED).risk


def test_a_refused_prompt_may_be_handed_on_in_generic_wording(guard):
    text, valid, _ = ProtectedWorks(Check(guard), reword=True).scan(NAMED)
    assert not valid
    assert "Pikachu" not in text
    assert guard.score(text).decision == "allow"


@pytest.mark.parametrize(("fail", "valid"), [("closed", False), ("open", True)])
def test_a_guard_that_breaks_has_the_highest_risk(breakable, fail, valid):
    scanner = ProtectedWorks(Check(breakable, fail=fail), reword=True)
    breakable.broken = True
    assert scanner.scan(CLEAN) == (CLEAN, valid, 1.0)


def test_llm_guard_runs_it_among_its_own_scanners(guard):
    llm_guard = pytest.importorskip("llm_guard", reason="llm-guard is not installed; see run_isolated.py")
    from llm_guard.input_scanners import BanSubstrings

    scanners = [ProtectedWorks(Check(guard)), BanSubstrings(["weapon"])]
    text, valid, risk = llm_guard.scan_prompt(scanners, NAMED)
    assert text == NAMED
    assert valid == {"ProtectedWorks": False, "BanSubstrings": True}
    assert risk["ProtectedWorks"] == guard.score(NAMED).risk
    assert llm_guard.scan_prompt(scanners, CLEAN)[1] == {"ProtectedWorks": True, "BanSubstrings": True}
    assert llm_guard.scan_prompt(scanners, NAMED, fail_fast=True)[1] == {"ProtectedWorks": False}
