"""Languages that are plain, and those that are not."""

import pytest

from ipguard.text.frequency import is_ordinary, zipf
from ipguard.text.language import plain_language


@pytest.mark.parametrize(
    ("prompt", "lang"),
    [
        ("a cat in the rain with an umbrella", "en"),
        ("雨の中の猫", "ja"),
        ("雨中的猫", "zh"),
        ("비 속의 고양이", "ko"),
        ("кот под дождём", "ru"),
        ("un gato en la calle con un paraguas", "es"),
        ("eine Katze im Regen mit einem Schirm", "de"),
        ("1girl, masterpiece, 4k", None),
        ("", None),
    ],
)
def test_plain_language(prompt, lang):
    assert plain_language(prompt) == lang


def test_frequencies_are_ordered():
    assert zipf("the") > zipf("frozen") > zipf("panther") > 2 > zipf("qwxzzy") == 0


@pytest.mark.parametrize(
    ("word", "known"), [("panthers", True), ("running", True), ("pikachoo", False), ("zxqwv", False)]
)
def test_ordinary_words(word, known):
    assert is_ordinary(word) is known
