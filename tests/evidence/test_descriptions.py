"""The search over descriptions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ipguard.evidence.descriptions import largest


@given(st.lists(st.floats(0, 1, width=32), max_size=900), st.integers(1, 8))
def test_largest_by_blocks_is_exact(values, count):
    array = np.array(values, dtype=np.float32)
    found = largest(array, count)
    assert len(found) == len(set(found.tolist())) == min(count, len(array))
    assert sorted(array[found]) == sorted(array)[len(array) - len(found) :]
