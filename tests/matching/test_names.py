"""Finding names: boundaries of every script, disguises, misspellings, the longest match."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ipguard.training.synth import DISGUISES


@pytest.fixture(scope="module")
def found(matcher, compiled):
    subjects, works = compiled.subjects, compiled.meta.works

    def find(prompt: str) -> dict[str, str]:
        hits = matcher.find(prompt)
        return {prompt[h.start : h.end]: works[subjects[r.subject].work].id for h in hits for r in h.readings}

    return find


@pytest.mark.parametrize(
    ("prompt", "text", "work"),
    [
        ("a pikachu's tail", "pikachu", "pokemon"),
        ("pikachu風の絵", "pikachu", "pokemon"),
        ("ピカチュウ風のぬいぐるみ", "ピカチュウ", "pokemon"),
        ("pikachu_(pokemon)", "pikachu", "pokemon"),
        ("1girl, \\(dragon_ball\\)", "dragon_ball", "dragon-ball"),
        ("<lora:goku_v2:.8>", "goku", "dragon-ball"),
        ("Spiderman on a roof", "Spiderman", "marvel-spider-man"),
        ("spider man on a roof", "spider man", "marvel-spider-man"),
        ("two Pikachus fight", "Pikachus", "pokemon"),
        ("goku2 concept", "goku", "dragon-ball"),
        ("Kusanagi Motoko in the city", "Kusanagi Motoko", "ghost-in-the-shell"),
        ("피카츄를 그려줘", "피카츄", "pokemon"),
        ("画一只皮卡丘", "皮卡丘", "pokemon"),
        ("P i k a c h u", "P i k a c h u", "pokemon"),
        ("p.i.k.a.c.h.u", "p.i.k.a.c.h.u", "pokemon"),
        ("p1k4chu with a hat", "p1k4chu", "pokemon"),
        ("p!kachu with a hat", "p!kachu", "pokemon"),
        ("pikaaaachu", "pikaaaachu", "pokemon"),
        ("aswesomepikachu", "pikachu", "pokemon"),
        ("ｐｉｋａｃｈｕ", "ｐｉｋａｃｈｕ", "pokemon"),
        ("ぴかちゅう", "ぴかちゅう", "pokemon"),
        ("ﾋﾟｶﾁｭｳ", "ﾋﾟｶﾁｭｳ", "pokemon"),
        ("рikасhu", "рikасhu", "pokemon"),
        ("a pickachu plush", "pickachu", "pokemon"),
        ("spyderman on a roof", "spyderman", "marvel-spider-man"),
    ],
)
def test_found(found, prompt, text, work):
    assert found(prompt).get(text) == work


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("an elegant antman-like giant", "ant"),
        ("elegant ants", "antman"),
        ("ドリンクを飲む", "リンク"),
        ("ソースをかける", "ソー"),
        ("シンクロナイズ", "シン"),
        ("blinking lights", "link"),
        ("marvelous", "marvel"),
    ],
)
def test_not_found(found, prompt, text):
    assert text not in {t.casefold() for t in found(prompt)}


def test_longest_match_wins(found):
    assert set(found("The Legend of Zelda poster")) == {"The Legend of Zelda"}
    assert set(found("Son Goku")) == {"Son Goku"}


def test_a_person_marks_the_name_inside(matcher, compiled):
    hits = matcher.find("art by Jack Kirby")
    kirby = next(h for h in hits if h.readings)
    assert kirby.inside_person == ("artist",)
    person = next(h for h in hits if h.person_roles)
    assert "art by Jack Kirby"[person.start : person.end] == "Jack Kirby"


def test_one_string_of_two_works_gives_both(matcher, compiled):
    hit = next(h for h in matcher.find("孫悟空が雲に乗る") if h.readings)
    works = {compiled.meta.works[compiled.subjects[r.subject].work].id for r in hit.readings}
    assert works == {"dragon-ball", "sun-wukong-myth"}


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
@pytest.mark.parametrize(
    ("name", "work"), [("Pikachu", "pokemon"), ("Spider-Man", "marvel-spider-man"), ("Master Sword", "legend-of-zelda")]
)
def test_every_disguise_is_seen_through_at_the_right_span(found, disguise, name, work):
    hidden = DISGUISES[disguise](name)
    prompt = f"a photo, {hidden}, standing in rain"
    spans = found(prompt)
    assert work in spans.values()
    text = next(t for t, w in spans.items() if w == work)
    start = prompt.index(text)
    low, high = prompt.index(hidden), prompt.index(hidden) + len(hidden)
    assert low <= start
    assert start + len(text) <= high


@given(st.text(max_size=80))
def test_spans_lie_inside(matcher, prompt):
    for hit in matcher.find(prompt):
        assert 0 <= hit.start < hit.end <= len(prompt)
        assert hit.readings or hit.person_roles


@given(
    st.text(st.sampled_from("abcdefghij ,.'-あいうカキク中文"), max_size=20),
    st.text(st.sampled_from("abcdefghij ,.'-あいうカキク中文"), max_size=20),
)
def test_exact_hits_fold_to_the_name(matcher, before, after):
    from ipguard.text.normalize import fold

    prompt = f"{before} Pikachu {after}"
    exact = [h for h in matcher.find(prompt) if h.how == "exact" and h.readings]
    assert any(prompt[h.start : h.end] == "Pikachu" for h in exact)
    for hit in exact:
        assert fold(prompt[hit.start : hit.end]).chars in {fold(r.text).chars for r in hit.readings} | {
            "kusanagimotoko",
            "gokuson",
        }


@given(st.integers(0, 8), st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
def test_fuzzy_hits_lie_within_the_distance_they_report(matcher, at, letter):
    from rapidfuzz.distance import OSA

    name = "spiderman"
    changed = name[:at] + letter + name[at:]
    assume(changed != name)
    for hit in matcher.find(f"a {changed} toy"):
        if hit.how == "fuzzy":
            text = f"a {changed} toy"[hit.start : hit.end]
            assert OSA.distance(text.replace(" ", ""), name) == hit.distance <= 2


@pytest.mark.parametrize(
    "prompt", ["a" * 1_000_000, "\ud800pikachu", "\x00", "👨‍👩‍👧‍👦" * 200, "pikachu " * 2000, "ピ" * 10_000]
)
def test_hostile_input(matcher, prompt):
    matcher.find(prompt)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("master sqord", "master sword"), ("monkey d lufy", "monkey d luffy")],
)
def test_one_edit(matcher, typed, name):
    assert any(h.how == "fuzzy" and h.distance == 1 for h in matcher.find(typed)), name


def test_two_edits_only_with_the_first_letter_right(matcher):
    assert [h.distance for h in matcher.find("motoko kusamagu") if h.how == "fuzzy"] == [2]
    assert not [h for h in matcher.find("xotoko kusanagu") if h.how == "fuzzy"]


@pytest.mark.parametrize("word", ["ヘッドショット", "アーキタイプ", "コーキング"])
def test_compounds_and_rare_loan_words_are_no_misspelled_names(guard, word):
    assert not [m for m in guard.score(f"{word} on a table").matches if m.kind == "misspelled"]
