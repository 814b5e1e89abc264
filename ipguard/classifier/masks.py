"""Trees as masks of leaves: every row through every tree with a few array operations.

QuickScorer (Lucchese et al., SIGIR 2015): a leaf is a bit, and a node whose test fails rules out the leaves to its
left. Of a feature it matters only between which of its thresholds the value lies, so that the masks of all failing
nodes are combined beforehand, and the leaf that is left of the surviving ones is where the row ends.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

_MOST = 64
_CHUNK = 64
"""Rows at a time, so that their masks stay in the processor's cache."""


class LeafMasks:
    """An ensemble of trees, one row a tree, laid out for evaluation.

    Parameters
    ----------
    feature, left, right
        int32 ``(trees, nodes)``; a leaf points to itself.
    threshold, value
        float64 ``(trees, nodes)``; a row goes left where its feature is at most the threshold.
    depth
        Steps from a root to the deepest leaf.
    """

    def __init__(
        self,
        feature: npt.NDArray[np.int32],
        threshold: npt.NDArray[np.float64],
        left: npt.NDArray[np.int32],
        right: npt.NDArray[np.int32],
        value: npt.NDArray[np.float64],
        depth: int,
    ) -> None:
        first, size, reached = _leaves(left, right, depth)
        own = left == np.arange(left.shape[1])
        width = int(size[:, 0].max(initial=1))
        if width > _MOST:
            raise ValueError(f"a tree has {width} leaves; at most {_MOST} are evaluated")
        trees = len(left)
        self._values = np.zeros(trees * width)
        tree, leaf = np.nonzero(own & reached)
        self._values[tree * width + first[tree, leaf]] = value[tree, leaf]
        self._tree = np.arange(trees, dtype=np.intp) * width
        tree, node = np.nonzero(~own & reached)
        below = left[tree, node]
        one = np.uint64(1)
        cleared = ((one << size[tree, below].astype(np.uint64)) - one) << first[tree, below].astype(np.uint64)
        self._tabulate(tree, feature[tree, node], threshold[tree, node], ~cleared, (trees, width))

    def _tabulate(
        self,
        tree: npt.NDArray[np.intp],
        feature: npt.NDArray[np.int32],
        threshold: npt.NDArray[np.float64],
        mask: npt.NDArray[np.uint64],
        shape: tuple[int, int],
    ) -> None:
        """Masks of each tree for each interval between thresholds of a feature."""
        trees, width = shape
        unsigned = next(kind for kind in (np.uint16, np.uint32, np.uint64) if np.iinfo(kind).bits >= width)
        # A test that never fails, so that trees of a single leaf are no case of their own.
        feature, threshold = np.append(feature, 0), np.append(threshold, np.inf)
        tree, mask = np.append(tree, 0), np.append(mask, np.iinfo(np.uint64).max)
        order = np.lexsort((threshold, feature))
        feature, threshold, tree, mask = feature[order], threshold[order], tree[order], mask[order]
        new = np.concatenate([[True], (np.diff(feature) != 0) | (threshold[1:] != threshold[:-1])])
        self._feature, self._threshold = feature[new].astype(np.intp), threshold[new]
        used, self._starts = np.unique(self._feature, return_index=True)
        # Before its first threshold a feature rules nothing out: one interval more than thresholds.
        self._base = self._starts + np.arange(len(used))
        table = np.full((len(self._feature) + len(used), trees), np.iinfo(unsigned).max, dtype=unsigned)
        rows = np.cumsum(new) + np.searchsorted(used, feature)
        np.bitwise_and.at(table, (rows, tree), mask.astype(unsigned))
        for start, end in pairwise([*self._base.tolist(), len(table)]):
            np.bitwise_and.accumulate(table[start:end], axis=0, out=table[start:end])
        self._table = table

    def sums(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the sum of the values of the leaves that rows end in.

        Parameters
        ----------
        rows
            float32 ``(n, features)``.

        Returns
        -------
        numpy.ndarray
            float64 ``(n,)``.
        """
        out = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK):
            passed = rows[start : start + _CHUNK, self._feature].astype(np.float64) > self._threshold
            interval = np.add.reduceat(passed, self._starts, axis=1, dtype=np.intp) + self._base
            left = np.bitwise_and.reduce(self._table[interval], axis=1)
            leaf = np.bitwise_count(~left & (left - 1))
            out[start : start + _CHUNK] = self._values[leaf + self._tree].sum(1)
        return out


def _leaves(
    left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], depth: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each node its first leaf, counted from the left, the number of leaves, and whether a root leads to it."""
    trees = np.arange(len(left))[:, None]
    own = left == np.arange(left.shape[1])
    size = np.ones(left.shape, dtype=np.int64)
    for _ in range(depth):
        size = np.where(own, 1, size[trees, left] + size[trees, right])
    first, reached = np.zeros(left.shape, dtype=np.int64), np.zeros(left.shape, dtype=bool)
    reached[:, 0] = True
    for _ in range(depth):
        tree, node = np.nonzero(reached & ~own)
        for child, shift in ((left[tree, node], 0), (right[tree, node], size[tree, left[tree, node]])):
            reached[tree, child] = True
            first[tree, child] = first[tree, node] + shift
    return first, size, reached
