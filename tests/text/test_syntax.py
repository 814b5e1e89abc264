"""Prompt syntax and negation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.text.syntax import Zone, negated, zone_at, zones


def zone_of(prompt: str, word: str) -> Zone:
    start = prompt.index(word)
    return zone_at(zones(prompt), start, start + len(word))


@pytest.mark.parametrize(
    ("prompt", "word", "zone"),
    [
        ("a castle\nNegative prompt: mickey mouse, blurry", "mickey", Zone.NEGATIVE),
        ("a castle\nNegative prompt: blurry\nSteps: 20, Sampler: mickey", "mickey", Zone.WANTED),
        ("a castle --no disney, mickey --ar 16:9", "disney", Zone.NEGATIVE),
        ("a castle --no disney --ar 16:9 pixar", "pixar", Zone.WANTED),
        ('{"prompt": "goku", "negative_prompt": "vegeta"}', "vegeta", Zone.NEGATIVE),
        ('{"prompt": "goku", "negative_prompt": "vegeta"}', "goku", Zone.WANTED),
        ("1girl <lora:goku_v2:.8>", "goku", Zone.LORA),
        ("ネガティブプロンプト: ピカチュウ", "ピカチュウ", Zone.NEGATIVE),
    ],
)
def test_zones(prompt, word, zone):
    assert zone_of(prompt, word) == zone


@pytest.mark.parametrize(
    ("prompt", "word", "excluded"),
    [
        ("a castle, no Disney", "Disney", True),
        ("a plumber, not Mario", "Mario", True),
        ("a mouse without Pikachu", "Pikachu", True),
        ("not only Mario but Luigi", "Mario", False),
        ("Mario jumps", "Mario", False),
        ("ピカチュウではない黄色いねずみ", "ピカチュウ", True),
        ("ピカチュウなしで", "ピカチュウ", True),
        ("ピカチュウの絵", "ピカチュウ", False),
        ("不要皮卡丘", "皮卡丘", True),
    ],
)
def test_negation(prompt, word, excluded):
    start = prompt.index(word)
    assert negated(prompt, start, start + len(word)) is excluded


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_nothing_raises(prompt, one, two):
    start, end = sorted((min(one, len(prompt)), min(two, len(prompt))))
    zone_at(zones(prompt), start, end)
    negated(prompt, start, end)
