"""Both ways of multiplying codes give the same whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ipguard.encoding.codes import HIGHEST, quantise, scan_of

CODES = st.integers(-HIGHEST, HIGHEST)


@settings(deadline=None)
@given(
    arrays(np.int8, st.tuples(st.integers(1, 40), st.just(256)), elements=CODES),
    arrays(np.int8, st.tuples(st.integers(1, 9), st.just(256)), elements=CODES),
)
def test_products_are_exact(table, codes):
    pytest.importorskip("numkong", reason="NumKong is not installed")
    expected = codes.astype(np.int64) @ table.astype(np.int64).T
    for packed in (True, False):
        found = scan_of(table, packed=packed).products(codes)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)


def test_rounding_is_off_by_half_a_step_at_most():
    vectors = np.random.default_rng(0).normal(size=(20, 256)).astype(np.float32)
    scale = HIGHEST / np.abs(vectors).max()
    assert np.abs(quantise(vectors, scale) / scale - vectors).max() <= 0.5 / scale + 1e-6
