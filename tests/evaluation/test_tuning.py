"""Thresholds keep what they promise, or say how many prompts are missing."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import DataError, InvalidArgumentError
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import wilson
from ipguard.evaluation.tuning import choose, distinct, for_false_positives, for_precision, needed

risks = st.lists(st.floats(0, 0.999), min_size=40, max_size=120)


def test_wilson_by_hand():
    figure = wilson(5, 100)
    assert figure.value == 0.05
    assert (figure.low, figure.high) == (pytest.approx(0.02154, abs=1e-4), pytest.approx(0.11175, abs=1e-4))
    assert wilson(0, 300).high == pytest.approx(0.0126, abs=1e-3)
    assert wilson(300, 300).high == 1.0
    for hits, total in ((1, 0), (5, 4), (-1, 4)):
        with pytest.raises(InvalidArgumentError):
            wilson(hits, total)


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_holds_its_share(hits, total):
    figure = wilson(min(hits, total), total)
    assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_a_share_needs_three_times_its_inverse():
    assert (needed(0.01), needed(0.002), needed(0.05), needed(0.3)) == (300, 1500, 60, 10)


@given(risks, st.sampled_from([0.1, 0.2, 0.33]))
def test_no_more_than_the_share_is_flagged_and_no_lower_threshold_does(values, share):
    risk, truth = np.array(values), np.zeros(len(values), dtype=bool)
    found = for_false_positives(truth, risk, share)
    flagged = risk >= found.value
    assert flagged.mean() <= share
    below = risk[~flagged].max()
    assert (risk >= below).mean() > share, "the threshold could have been lower"


@given(risks, st.integers(0, 2**31))
def test_the_precision_is_reached_among_the_flagged(values, seed):
    risk = np.array(values)
    truth = np.random.default_rng(seed).random(len(values)) < risk
    try:
        found = for_precision(truth, risk, 0.6)
    except DataError:
        return
    assert truth[risk >= found.value].mean() >= 0.6
    assert found.precision.value == pytest.approx(truth[risk >= found.value].mean())


def test_thresholds_are_short_numbers():
    risk = np.linspace(0, 0.5, 1000)
    found = for_false_positives(np.zeros(1000, dtype=bool), risk, 0.01)
    assert re.fullmatch(r"0\.\d{2,4}", str(found.value)), found.value
    assert found.recall is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fpr": 0.01}, "needs at least 300 .* there are 100: 200 are missing"),
        ({"fpr": 0.1, "block_fpr": 0.002}, "block-fpr 0.002 needs at least 1500"),
        ({"fpr": 0.05, "block_fpr": 0.3}, "below the review threshold"),
        ({"precision": 0.99}, "needs at least 300 prompts above the threshold; there are 101: 199 are missing"),
    ],
)
def test_too_few_prompts_are_refused_with_their_number(arguments, message):
    truth = np.arange(200) >= 100
    risk = np.linspace(0, 0.9, 200)
    with pytest.raises(DataError, match=message):
        choose(truth, risk, **{"precision": None, "fpr": None, "block_fpr": None} | arguments)


def test_a_precision_out_of_reach_names_the_best():
    truth = np.arange(100) % 2 == 0
    with pytest.raises(DataError, match=r"best is 0\.500"):
        for_precision(truth, np.full(100, 0.4), 0.9)
    with pytest.raises(DataError, match="labelled yes and prompts labelled no"):
        for_precision(np.zeros(10, dtype=bool), np.zeros(10), 0.9)


def test_one_aim_and_only_one():
    for arguments in ({"precision": None, "fpr": None}, {"precision": 0.9, "fpr": 0.1}):
        with pytest.raises(InvalidArgumentError, match="and not both"):
            choose(np.ones(3, dtype=bool), np.ones(3), block_fpr=None, **arguments)
    with pytest.raises(InvalidArgumentError, match="fpr must lie between"):
        choose(np.zeros(3, dtype=bool), np.zeros(3), precision=None, fpr=1.5, block_fpr=None)


def test_each_text_counts_once_and_styles_do_not():
    rows = [Example("a", "no"), Example(" a", "no"), Example("b", "yes"), Example("c", "style"), Example("d", "brand")]
    assert [e.text.strip() for e in distinct(rows)] == ["a", "b", "d"]
