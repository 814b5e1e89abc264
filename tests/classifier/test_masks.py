"""Leaf masks give what walking down each tree gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipguard.classifier.masks import LeafMasks


def grow(random, leaves, features):
    """A random binary tree of so many leaves as rows of nodes."""
    feature, threshold, left, right = [0], [0.0], [0], [0]
    open_leaves = [0]
    while len(open_leaves) < leaves:
        node = open_leaves.pop(random.integers(len(open_leaves)))
        feature[node], threshold[node] = random.integers(features), float(random.integers(4))
        for side in (left, right):
            side[node] = len(feature)
            open_leaves.append(len(feature))
            feature.append(0)
            threshold.append(0.0)
            left.append(len(feature) - 1)
            right.append(len(feature) - 1)
    return feature, threshold, left, right


def forest(random, trees, features, most):
    grown = [grow(random, random.integers(1, most + 1), features) for _ in range(trees)]
    nodes = max(len(tree[0]) for tree in grown)
    arrays = []
    for which in range(4):
        # What pads a row is a leaf that nothing leads to.
        fill = np.arange(nodes) if which > 1 else np.zeros(nodes)
        arrays.append(np.stack([np.concatenate([tree[which], fill[len(tree[which]) :]]) for tree in grown]))
    feature, threshold, left, right = arrays
    value = random.normal(size=feature.shape)
    return feature.astype(np.int32), threshold, left.astype(np.int32), right.astype(np.int32), value, nodes


def walked(trees, rows):
    feature, threshold, left, right, value, _ = trees
    sums = np.zeros(len(rows))
    for number, row in enumerate(rows):
        for tree in range(len(feature)):
            at = 0
            while left[tree, at] != at:
                at = (left if row[feature[tree, at]] <= threshold[tree, at] else right)[tree, at]
            sums[number] += value[tree, at]
    return sums


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([1, 2, 9, 20, 40, 64]), st.integers(0, 150))
def test_the_same_leaves_are_reached(seed, trees, most, rows):
    random = np.random.default_rng(seed)
    made = forest(random, trees, 5, most)
    asked = random.integers(-1, 5, (rows, 5)).astype(np.float32)
    np.testing.assert_allclose(LeafMasks(*made).sums(asked), walked(made, asked), atol=1e-12)


def test_too_many_leaves_are_refused():
    random = np.random.default_rng(0)
    grown = [np.array(row)[None] for row in grow(random, 65, 3)]
    feature, threshold, left, right = grown
    with pytest.raises(ValueError, match="65 leaves"):
        LeafMasks(feature, threshold, left, right, np.zeros(feature.shape), feature.shape[1])
