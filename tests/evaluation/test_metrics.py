"""Figures that can be checked by hand, and splits that tear nothing apart."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError
from ipguard.evaluation.clusters import balanced_folds, duplicate_clusters, fold_groups, halves, near_pairs
from ipguard.evaluation.data import Example
from ipguard.evaluation.metrics import calibration_error, calibration_slope, figures, recall_at, with_interval


def test_recall_at_a_share_of_false_positives():
    truth = np.array([True] * 10 + [False] * 100)
    score = np.concatenate([np.linspace(0.1, 1, 10), np.linspace(0, 0.55, 100)])
    assert recall_at(truth, score, 0.0) == pytest.approx(0.5)
    assert recall_at(truth, score, 1.0) == 1.0


def test_ties_are_not_split():
    truth = np.array([True, True, False, False])
    assert recall_at(truth, np.array([1.0, 1.0, 1.0, 0.0]), 0.4) == 0.0


def test_calibration_of_a_calibrated_score():
    generator = np.random.default_rng(0)
    score = generator.random(20_000)
    truth = generator.random(20_000) < score
    assert calibration_slope(truth, score) == pytest.approx(1, abs=0.05)
    assert calibration_error(truth, score) < 0.02
    assert calibration_error(truth, 1 - score) > 0.3


def test_intervals_hold_the_value_and_grow_with_clusters():
    generator = np.random.default_rng(1)
    truth = generator.random(400) < 0.4
    score = truth * 0.5 + generator.random(400)
    single = with_interval(lambda t, s: recall_at(t, s, 0.1), truth, score, np.arange(400), rounds=200)
    paired = with_interval(lambda t, s: recall_at(t, s, 0.1), truth, score, np.arange(400) // 20, rounds=200)
    assert single.low <= single.value <= single.high
    assert paired.high - paired.low > 0


def test_one_class_is_an_error():
    with pytest.raises(InvalidArgumentError, match="both classes"):
        figures(np.ones(3, bool), np.ones(3), np.arange(3))


def test_near_duplicates_are_found_and_others_not():
    texts = [
        "a knight in shining armor on a hill",
        "A knight in shining armor on a hill!!",
        "quarterly report of a bank",
    ]
    assert near_pairs(texts) == [(0, 1)]
    assert near_pairs(texts, [texts[2]]) == [(2, 0)]
    clusters = duplicate_clusters(texts)
    assert clusters[0] == clusters[1] != clusters[2]


def test_halves_keep_duplicates_together_and_do_not_depend_on_order():
    texts = [
        f"a {word} castle at dawn with many towers"
        for word in ("red", "red", "blue", "green", "tall", "old", "new", "wide")
    ]
    first = halves(texts)
    assert first[0] == first[1]
    assert list(halves(texts[::-1])) == list(first[::-1])


def test_groups_join_shared_works():
    examples = [
        Example("x one", "yes", works=("Naruto: Naruto",)),
        Example("y two", "yes", works=("naruto", "Bleach")),
        Example("z", "no"),
    ]
    groups = fold_groups(examples, np.arange(3))
    assert groups[0] == groups[1] != groups[2]


@given(st.lists(st.integers(0, 12), min_size=5, max_size=80))
def test_folds_never_split_a_group(groups):
    array = np.array(groups)
    folds = balanced_folds(array, array % 2 == 0, 4)
    for group in set(groups):
        assert len(set(folds[array == group].tolist())) == 1
