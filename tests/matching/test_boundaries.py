"""The quick test for places inside words agrees with the rules."""

from hypothesis import given
from hypothesis import strategies as st

from ipguard.matching.boundaries import ends_word, inside_words, starts_word
from ipguard.text.normalize import fold


@given(st.text(st.sampled_from("ab1 -あアー孫空피카яαก€é,"), max_size=30))
def test_where_no_name_begins_or_ends(text):
    folded = fold(text)
    if not folded.chars:
        return
    no_begin, no_end = inside_words(folded)
    assert len(no_begin) == len(no_end) == len(folded.chars) + 1
    for at in range(len(folded.chars) + 1):
        lengths = range(1, 12)
        if at < len(folded.chars):
            assert bool(no_begin[at]) is not any(starts_word(folded, at, length) for length in lengths)
        if at > 0:
            assert bool(no_end[at]) is not any(ends_word(folded, at, length) for length in lengths)
