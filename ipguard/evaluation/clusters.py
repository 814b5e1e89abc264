"""Near-duplicates and shared works: what must not be torn apart by a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ipguard.errors import MissingExtraError
from ipguard.evaluation.data import Example
from ipguard.text.normalize import fold

try:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import HashingVectorizer
except ImportError as error:  # pragma: no cover - the bare install's test covers it
    feature = "evaluation"
    raise MissingExtraError(feature, "train") from error

NEAR = 0.6
"""Jaccard similarity of character 5-grams from which two prompts are near-duplicates."""
_ROWS = 512
Labels = npt.NDArray[np.int64]


def shingles(texts: Sequence[str]) -> object:
    """Return the character 5-grams of folded texts as a sparse 0/1 matrix of shape ``(n, 2**20)``."""
    vectorizer = HashingVectorizer(
        analyzer="char", ngram_range=(5, 5), n_features=2**20, binary=True, norm=None, alternate_sign=False
    )
    return vectorizer.transform([fold(text).chars.ljust(5) for text in texts]).astype(np.float32)


def near_pairs(left: Sequence[str], right: Sequence[str] | None = None, *, near: float = NEAR) -> list[tuple[int, int]]:
    """Return pairs of near-duplicate texts.

    Parameters
    ----------
    left, right
        Texts; None compares `left` with itself, each pair once.
    near
        Jaccard similarity in (0, 1].

    Returns
    -------
    list of tuple
        Index in `left`, index in `right`.
    """
    one = shingles(left)
    two = one if right is None else shingles(right)
    size_one = np.asarray(one.sum(1)).ravel()  # type: ignore[attr-defined]
    size_two = np.asarray(two.sum(1)).ravel()  # type: ignore[attr-defined]
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(left), _ROWS):
        shared = (one[start : start + _ROWS] @ two.T).tocoo()  # type: ignore[index,attr-defined]
        rows, columns = shared.row + start, shared.col
        union = size_one[rows] + size_two[columns] - shared.data
        keep = shared.data >= near * union
        if right is None:
            keep &= rows < columns
        pairs += list(zip(rows[keep].tolist(), columns[keep].tolist(), strict=True))
    return pairs


def components(count: int, pairs: Sequence[tuple[int, int]]) -> Labels:
    """Return the connected component of each of some items.

    Parameters
    ----------
    count
        Items.
    pairs
        Links between them.

    Returns
    -------
    numpy.ndarray
        int64 ``(count,)``.
    """
    if not pairs:
        return np.arange(count, dtype=np.int64)
    rows, columns = np.array(pairs).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    labels: Labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def duplicate_clusters(texts: Sequence[str]) -> Labels:
    """Return the cluster of near-duplicates that each text belongs to, int64 ``(n,)``."""
    return components(len(texts), near_pairs(texts))


def halves(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Split texts once into ``look`` and ``measure`` by the hash of their cluster.

    Parameters
    ----------
    texts
        Prompts of real users.

    Returns
    -------
    numpy.ndarray
        bool ``(n,)``: True for ``look``, which may be read; ``measure`` gives aggregate figures only.
    """
    clusters = duplicate_clusters(texts)
    first: dict[int, str] = {}
    for cluster, text in zip(clusters.tolist(), texts, strict=True):
        first[cluster] = min(
            first.get(cluster, "~"), sha256(fold(text).chars.encode("utf-8", "surrogatepass")).hexdigest()
        )
    return np.array([int(first[cluster], 16) % 2 == 0 for cluster in clusters.tolist()])


def fold_groups(examples: Sequence[Example], clusters: Labels) -> Labels:
    """Return groups for cross-validation: near-duplicates and prompts that share a work stay together.

    Parameters
    ----------
    examples
        Labelled prompts.
    clusters
        From :func:`duplicate_clusters`.

    Returns
    -------
    numpy.ndarray
        int64 ``(n,)``.
    """
    pairs: list[tuple[int, int]] = []
    first: dict[object, int] = {}
    for at, (example, cluster) in enumerate(zip(examples, clusters.tolist(), strict=True)):
        for key in (cluster, *(work.partition(":")[0].strip().casefold() for work in example.works)):
            if key in first:
                pairs.append((first[key], at))
            first.setdefault(key, at)
    return components(len(examples), pairs)


def balanced_folds(groups: Labels, positive: npt.NDArray[np.bool_], count: int, *, seed: int = 0) -> Labels:
    """Deal groups to folds of about equal numbers of positives and of rows.

    Parameters
    ----------
    groups
        int64 ``(n,)``.
    positive
        bool ``(n,)``.
    count
        Folds.
    seed
        Orders groups of one size.

    Returns
    -------
    numpy.ndarray
        int64 ``(n,)`` fold of each row.
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(groups.tolist()):
        members[group].append(at)
    generator = np.random.default_rng(seed)
    order = sorted(members, key=lambda g: (-len(members[g]), generator.random()))
    load = np.zeros((count, 2))
    total = np.array([max(positive.sum(), 1), len(positive)], dtype=float)
    folds = np.zeros(len(groups), dtype=np.int64)
    for group in order:
        rows = members[group]
        share = np.array([positive[rows].sum(), len(rows)]) / total
        target = int(np.argmin((load + share).max(1)))
        load[target] += share
        folds[rows] = target
    return folds
