"""Rewording prompts: the rest stays to the letter, and the risk is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipguard
from ipguard.errors import InvalidPromptError


def rest_is_kept(done):
    """What stands between replacements is the prompt's own text."""
    at, out = 0, []
    for piece in done.replacements:
        assert done.prompt[piece.start : piece.end] == piece.old
        out += [done.prompt[at : piece.start], piece.new]
        at = piece.end
    return "".join([*out, done.prompt[at:]]) == done.text


@pytest.mark.parametrize(
    ("prompt", "gone"),
    [
        ("Goku and Pikachu share ramen in Shibuya, 4k", ["Goku", "Pikachu"]),
        ("ワンピースのルフィが渋谷を歩く", ["ワンピース", "ルフィ"]),
        ("皮卡丘在雨中", ["皮卡丘"]),
        ("Darth Vader's helmet on a beach", ["Darth", "Vader"]),
        ("p i k a c h u on a skateboard", ["p i k a c h u"]),
        ("masterpiece, <lora:pikachu_v2:0.8>, a lake", ["pikachu", "lora"]),
    ],
)
def test_names_go_and_the_risk_falls(guard, prompt, gone):
    done = ipguard.rewrite(prompt, guard=guard)
    assert done.risk_before > 0.5 > done.risk
    assert done.decision == "allow"
    assert not any(name.casefold() in done.text.casefold() for name in gone)
    assert rest_is_kept(done)
    assert done.risk == pytest.approx(guard.score(done.text).risk)


def test_articles_and_capitals_fit(guard):
    assert "a a " not in ipguard.rewrite("a Pikachu in the rain", guard=guard).text
    assert ipguard.rewrite("Pikachu runs.", guard=guard).text[0].isupper()


def test_a_clean_prompt_stays(guard):
    done = ipguard.rewrite("a quiet lake at dawn", guard=guard)
    assert (done.text, done.replacements, done.risk) == (done.prompt, (), done.risk_before)


def test_a_description_is_replaced(guard):
    prompt = "a chubby yellow mouse with red cheeks, black ear tips and a tail like a lightning bolt, watercolour"
    done = ipguard.rewrite(prompt, guard=guard)
    assert done.risk <= done.risk_before
    assert rest_is_kept(done)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.sampled_from(["Pikachu", "ルフィ", "a", "lake", "Goku's", "(Batman:1.2)", "\n", "é", "👩‍🚀", "Mario."]),
        max_size=12,
    )
)
def test_the_rest_is_kept_to_the_letter(guard, words):
    assert rest_is_kept(ipguard.rewrite(" ".join(words), guard=guard))


def test_only_strings(guard):
    with pytest.raises(InvalidPromptError):
        ipguard.rewrite(7, guard=guard)


def test_json(guard):
    data = ipguard.rewrite("Pikachu", guard=guard).to_dict()
    assert set(data) == {"prompt", "text", "replacements", "risk_before", "risk", "decision"}
    assert data["replacements"][0]["work_id"] == "pokemon"
