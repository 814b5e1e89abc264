"""Evasion views."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.text.normalize import fold
from ipguard.text.views import evasion_views, leet_word, signed_reading


@pytest.mark.parametrize(("word", "reading"), [("p1k4chu", "pikachu"), ("n4rut0", "naruto"), ("g0j1ra", "gojira")])
def test_leet(word, reading):
    assert reading in leet_word(word)


@pytest.mark.parametrize(
    "word", ["4k", "3d", "1girl", "35mm", "1980s", "sd15", "v2", "2girls", "g0ku", "pikachu", "12345"]
)
def test_units_tags_and_short_words_are_never_leet(word):
    assert leet_word(word) == ()


def test_one_may_be_an_l():
    assert set(leet_word("e1sa5")) == {"eisas", "elsas"}


def test_repeated_letters_go_and_offsets_stay():
    text = "a pikaaaachu runs"
    found = [view for view in evasion_views(fold(text)) if view.name == "repeats"]
    assert "pikachu" in found[0].folded.chars
    start = found[0].folded.chars.index("pikachu")
    assert text[slice(*found[0].folded.span(start, start + 7))] == "pikaaaachu"


def test_ordinary_words_with_repeated_letters_stay():
    assert not [
        view
        for view in evasion_views(fold("a goddess sees aaa"))
        if view.name == "repeats" and "goddes" in view.folded.chars
    ]


def test_kana_views_turn_both_ways():
    names = {view.name: view.folded.chars for view in evasion_views(fold("ぴかチュウ"))}
    assert names["katakana"] == "ピカチュウ"
    assert names["hiragana"] == "ぴかちゅう"


@pytest.mark.parametrize(
    ("text", "reading"), [("p!kachu", "pikachu"), ("a $onic toy", "a sonic toy"), ("m@rio", "mario")]
)
def test_signs(text, reading):
    assert signed_reading(text) == reading


def test_plain_signs_are_left_alone():
    assert signed_reading("cost $5, mail me@example, wow!") is None or "wow!" in signed_reading(
        "cost $5, mail me@example, wow!"
    )
    assert signed_reading("hello!") is None


@given(st.text(max_size=60))
def test_words_cover_every_character_once(text):
    folded = fold(text)
    spans = folded.words
    assert [at for s, e in spans for at in range(s, e)] == list(range(len(folded.chars)))


@given(st.text(max_size=60))
def test_signs_keep_the_length(text):
    turned = signed_reading(text)
    assert turned is None or len(turned) == len(text)


@given(st.text(st.sampled_from("aabbccあいアイ1230 -"), max_size=40))
def test_views_point_into_the_original(text):
    for view in evasion_views(fold(text)):
        for at in range(len(view.folded.chars)):
            start, end = view.folded.span(at, at + 1)
            assert 0 <= start < end <= len(text)
