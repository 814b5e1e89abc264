"""The head as arrays agrees with scikit-learn and keeps its promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.classifier.head import Aggregate, Head, Linear, Trees, combine, logit, sigmoid

STUMP = Trees(
    np.zeros((1, 3), np.int32),
    np.array([[0.5, 0, 0]]),
    np.array([[1, 1, 2]], np.int32),
    np.array([[2, 1, 2]], np.int32),
    np.array([[0, -1.0, 2.0]]),
    0.25,
    1,
)


def test_a_stump_by_hand():
    assert list(STUMP.decision(np.array([[0.5], [0.6]], np.float32))) == [-0.75, 2.25]
    assert STUMP.decision(np.zeros((0, 1), np.float32)).shape == (0,)


def test_exported_trees_agree_with_scikit_learn():
    ensemble = pytest.importorskip("sklearn.ensemble", reason="the extra 'train' is not installed")
    from ipguard.training.fit import export_trees

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(600, 6)).astype(np.float32)
    target = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0).astype(int)
    model = ensemble.HistGradientBoostingClassifier(max_iter=40, max_depth=5, random_state=0).fit(rows, target)
    fresh = generator.normal(size=(300, 6)).astype(np.float32)
    np.testing.assert_allclose(export_trees(model).decision(fresh), model.decision_function(fresh), atol=1e-9)


def test_arrays_round_trip():
    head = Head(STUMP, STUMP, Linear(np.ones(3), 0.5), Aggregate(1, 0.2, -1), Aggregate(1, 0, 0), 0.1)
    again = Head.from_arrays(head.to_arrays())
    rows = np.array([[0.1], [0.9]], np.float32)
    assert list(again.franchise.decision(rows)) == list(head.franchise.decision(rows))
    assert again.risk == head.risk
    assert again.prior == head.prior
    assert list(again.unlisted.weights) == [1, 1, 1]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=6))
def test_the_combined_chance_is_at_least_each(candidates):
    probabilities = np.array([p for p, _ in candidates], dtype=float)
    found = combine(probabilities, np.array([n for _, n in candidates], dtype=bool))
    assert 0 <= found <= 1
    assert all(found >= p - 1e-12 for p in probabilities)


def test_descriptions_do_not_add_up_and_names_do():
    half = np.array([0.5, 0.5])
    assert combine(half, np.array([False, False])) == 0.5
    assert combine(half, np.array([True, True])) == 0.75


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-9, 9))
def test_an_aggregate_grows_with_the_chance(one, two, unlisted):
    low, high = sorted((one, two))
    aggregate = Aggregate(0.8, 0.3, -1)
    assert aggregate.decision(low, unlisted) <= aggregate.decision(high, unlisted)


def test_sigmoid_and_logit_are_inverse_and_never_overflow():
    values = np.array([-1e6, -3, 0, 3, 1e6])
    assert np.all(np.isfinite(sigmoid(values)))
    assert float(sigmoid(logit(0.3))) == pytest.approx(0.3)
    assert np.isfinite(logit(0.0))
