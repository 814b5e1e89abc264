"""The exact view and its way back to the original."""

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from ipguard.text.normalize import BREAK, JOINER, NO_GAP, SPACE, _fold_clusters, _fold_simple, _tables, fold
from ipguard.text.scripts import script_of

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("Pokémon", "pokemon"),
        ("Spider-Man", "spiderman"),
        ("ｶﾞﾝﾀﾞﾑ", "ガンダム"),
        ("か\u3099", "が"),
        ("ＰＩＫＡＣＨＵ", "pikachu"),
        ("pi\u200bka\u200dchu", "pikachu"),
        ("\u202epikachu", "pikachu"),
        ("рikасhu", "pikachu"),
        ("ᴘɪᴋᴀᴄʜᴜ", "pikachu"),
        ("Путин", "путин"),
        ("й", "й"),
        ("피카츄", "피카츄"),
        ("\u1111\u1175\u110f\u1161\u110e\u1172", "피카츄"),
        ("龍", "龙"),
        ("竜", "龙"),
        ("①", "1"),
        ("ß", "ss"),
        ("", ""),
        ("!?…", ""),
    ],
)
def test_folding(text, chars):
    assert fold(text).chars == chars


def test_ga_is_not_ka():
    assert fold("ガンダム").chars != fold("カンタム").chars


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("ab", NO_GAP),
        ("a-b", JOINER),
        ("a_b", JOINER),
        ("a b", SPACE),
        ("a, b", BREAK),
        ("a\nb", BREAK),
        ("あ・い", JOINER),
        ("あ。い", BREAK),
    ],
)
def test_gap_classes(text, gap):
    assert fold(text).gaps[1] == gap


@given(ANY)
def test_no_input_raises_and_offsets_lie_inside(text):
    folded = fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.chars) == len(folded.gaps) - 1
    assert all(0 <= s < e <= len(text) for s, e in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)


@given(ANY)
def test_spans_stand_on_grapheme_boundaries(text):
    folded = fold(text)
    edges = {0, len(text)} | {m.end() for m in regex.finditer(r"\X", text)}
    for at in range(len(folded.chars)):
        start, end = folded.span(at, at + 1)
        assert start in edges
        assert end in edges
        assert start <= folded.starts[at]
        assert folded.ends[at] <= end


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text):
    once = fold(text).chars
    # Look-alikes are read by the word they stand in, and the gaps that part words are not among the characters.
    assume(not any(char in _tables().confusables for char in once))
    assert fold(once).chars == once


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_the_ascii_path_agrees_with_the_general_one(text):
    plain, general = fold(text), fold(text + "あ")
    assert general.chars == plain.chars + "あ"
    assert list(general.starts[:-1]) == list(plain.starts)
    assert list(general.gaps[: len(plain.chars)]) == list(plain.gaps[: len(plain.chars)])


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "\ud800", "\x00", "👨‍👩‍👧‍👦" * 500, "e\u0301" * 5000, "\u0301" * 5000]
)
def test_hostile_input(text):
    fold(text)


@given(ANY)
def test_the_fold_by_characters_agrees_with_the_fold_by_clusters(text):
    simple, general = _fold_simple(text), _fold_clusters(text)
    if simple is not None:
        assert simple.chars == general.chars
        for name in ("starts", "ends", "gaps"):
            assert getattr(simple, name).tolist() == getattr(general, name).tolist()


@given(ANY)
def test_scripts_of_characters(text):
    folded = fold(text)
    assert list(folded.scripts) == [script_of(char) for char in folded.chars]
