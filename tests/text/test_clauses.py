"""Clauses are pieces of the prompt."""

from hypothesis import given
from hypothesis import strategies as st

from ipguard.text.clauses import MAX_CLAUSES, clauses


def test_sentences_part():
    found = clauses("A knight stands in the rain. A yellow mouse with red cheeks waits beside him.")
    assert [c.text.strip() for c in found] == [
        "A knight stands in the rain.",
        "A yellow mouse with red cheeks waits beside him.",
    ]


def test_long_sentences_are_cut_at_commas():
    found = clauses(", ".join(f"detail number {n} of the scene" for n in range(40)))
    assert 1 < len(found) <= MAX_CLAUSES


def test_japanese_sentences_part():
    assert len(clauses("森の中に立つ大きな城の絵を描いて。黄色いねずみが隣で笑っている様子も。")) == 2


def test_blank_text_has_none():
    assert clauses(" \n ") == ()


@given(st.text(max_size=300))
def test_clauses_are_slices_in_order(prompt):
    found = clauses(prompt)
    assert len(found) <= MAX_CLAUSES
    assert all(prompt[c.start : c.end] == c.text for c in found)
    assert [c.start for c in found] == sorted(c.start for c in found)
    assert bool(found) == bool(prompt.strip())
