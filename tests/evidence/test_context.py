"""What the words around a name say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.evidence.context import around, speaks_of_fandom, talks_about


def cues(prompt: str, word: str):
    start = prompt.index(word)
    return around(prompt, start, start + len(word))


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("a street in the style of Pixar", "Pixar"),
        ("Studio Ghibli style landscape", "Studio Ghibli"),
        ("a hero, inspired by Naruto", "Naruto"),
        ("ジブリ風の街", "ジブリ"),
        ("ピクサーのような画風で", "ピクサー"),
        ("皮克斯风格的猫", "皮克斯"),
        ("픽사 스타일 강아지", "픽사"),
    ],
)
def test_style(prompt, word):
    assert cues(prompt, word).style


@pytest.mark.parametrize(
    ("prompt", "word"),
    [("Naruto eating ramen", "Naruto"), ("a poster of Pixar films", "Pixar"), ("ジブリの森", "ジブリ")],
)
def test_no_style(prompt, word):
    assert not cues(prompt, word).style


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("my cat dressed as Goku", "Goku"),
        ("fan art of Zelda", "Zelda"),
        ("still from Blade Runner", "Blade Runner"),
        ("ピカチュウのぬいぐるみ", "ピカチュウ"),
        ("Goku cosplay", "Goku"),
    ],
)
def test_asked_for(prompt, word):
    assert cues(prompt, word).make


def test_artists():
    found = cues("a castle by Greg Rutkowski and Makoto Shinkai", "Makoto Shinkai")
    assert found.in_artist_list
    assert cues("art by Moebius", "Moebius").by
    assert cues("a creature like Totoro", "Totoro").like


@pytest.mark.parametrize(
    "prompt",
    [
        "What is the plot of Frozen?",
        "Write a review of One Piece",
        "ワンピースのあらすじを教えて",
        "请介绍一下火影忍者",
        "포켓몬 줄거리 알려줘",
        "Summarize the box office of Avatar",
    ],
)
def test_talk_about_a_work(prompt):
    assert talks_about(prompt)


@pytest.mark.parametrize(
    "prompt", ["Elsa building a snowman", "write a story where Goku meets Pikachu", "ピカチュウを描いて"]
)
def test_requests_are_no_talk(prompt):
    assert not talks_about(prompt)


def test_fandom():
    assert speaks_of_fandom("key visual, fan art")
    assert not speaks_of_fandom("a bowl of soup")


@given(st.text(max_size=120), st.integers(0, 120), st.integers(0, 120))
def test_nothing_raises(prompt, one, two):
    start, end = sorted((min(one, len(prompt)), min(two, len(prompt))))
    around(prompt, start, end)
    talks_about(prompt)
    speaks_of_fandom(prompt)
