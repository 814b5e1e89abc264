"""Slices, pairs and works of written test sets, on rows that can be counted by hand."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from ipguard.evaluation.data import Example
from ipguard.evaluation.metrics import calibration_line, reliability
from ipguard.evaluation.report import evaluate
from ipguard.evaluation.run import Slice
from ipguard.evaluation.scores import Scores, guard_scores, join_scores, name_list_scores
from ipguard.evaluation.unseen import asks_for, score_unseen, without_fandom, without_works, work_folds
from ipguard.evaluation.written import Ruler, answers, pair_slices, right_work, works_slices, written_slices
from ipguard.guard import Guard

COUNT = 60
WORKS = ("Pokémon: Pikachu", "Dragon Ball: Son Goku", "One Piece", "Ghost in the Shell")


@pytest.fixture(scope="module")
def rows():
    made = []
    for at in range(COUNT):
        lang = "en" if at % 2 else "ja"
        made += [
            Example(
                f"described {at} {lang}", "yes", works=(WORKS[at % 4],), lang=lang, slice="described", pair=f"d{at}"
            ),
            Example(f"lookalike {at} {lang}", "no", lang=lang, slice="lookalike", pair=f"d{at}"),
            Example(f"asks {at} {lang}", "yes", works=("No Such Work",), lang=lang, slice="homograph", pair=f"h{at}"),
            Example(f"plain {at} {lang}", "no", lang=lang, slice="homograph", pair=f"h{at}"),
        ]
    return made


@pytest.fixture(scope="module")
def scores(rows):
    """Every described row and homograph at .8, look-alikes at .9 in Japanese and .1 in English, plain words at .5."""
    risk = {"described": 0.8, "asks": 0.8, "plain": 0.5}
    values = [risk.get(e.text.split()[0], 0.9 if e.lang == "ja" else 0.1) for e in rows]
    return Scores(np.array(values), tuple("pokemon" if e.slice == "described" else None for e in rows))


def by_name(parts: list[Slice]) -> dict[str, Slice]:
    return {part.name: part for part in parts}


def test_slices_by_label_and_language(rows, scores, small):
    ruler = Ruler(np.linspace(0, 1, 100), review=0.7, block=0.85, rounds=50)
    found = by_name(written_slices(rows, scores, answers(small, rows), ruler))
    assert set(found) == {
        f"{name}{lang}" for name in ("described", "lookalike", "homograph (yes)", "homograph (no)")
        for lang in ("", ", en", ", ja")
    }  # fmt: skip
    described = found["described"].figures
    assert described["reviewed"].value == 1.0
    assert described["blocked"].value == 0.0
    assert described["recall@1%"].value == 0.0, "a fifth of the clean prompts lies above .8"
    assert described["right work"].value == 0.25
    assert found["lookalike"].figures["reviewed"].value == 0.5
    assert found["lookalike, en"].figures is None, "under 50 rows only the size is shown"
    assert "right work" not in found["lookalike"].figures


def test_recall_rises_with_the_share(rows, scores, small):
    ruler = Ruler(np.append(np.zeros(98), [0.9, 0.95]), review=0.7, block=0.85, rounds=50)
    described = by_name(written_slices(rows, scores, answers(small, rows), ruler))["described"].figures
    assert described["recall@1%"].value == 0.0
    assert described["recall@3%"].value == 1.0


def test_pairs_by_language(rows, scores):
    found = by_name(pair_slices(rows, scores, 0.7))
    assert found["look-alike pairs"].figures["yes higher"].value == 0.5
    assert found["look-alike pairs"].figures["told apart"].value == 0.5
    assert found["homograph pairs"].figures["told apart"].value == 1.0
    assert found["homograph pairs, ja"].rows == 30


def test_equal_scores_do_not_count_as_higher(rows):
    level = Scores(np.full(len(rows), 0.8), (None,) * len(rows))
    assert by_name(pair_slices(rows, level, 0.7))["homograph pairs"].figures["yes higher"].value == 0.0


def test_works_known_absent_and_by_medium(rows, scores, small):
    accepted = answers(small, rows)
    assert accepted[0] == {"pokemon"}
    assert accepted[2] == frozenset()
    ruler = Ruler(np.zeros(100), 0.7, 0.85, 50)
    found = by_name(works_slices(rows, scores, accepted, ruler, small))
    assert found["works of the catalogue"].rows == found["works absent from the catalogue"].rows == COUNT
    assert found["medium=manga"].rows == COUNT * 3 // 4


def test_a_relative_of_the_labelled_work_is_right(small):
    rows = [Example("x", "yes", works=("Spider-Man",)), Example("y", "yes", works=("Marvel",))]
    found = right_work(Scores(np.ones(2), ("marvel", "marvel-spider-man")), answers(small, rows))
    assert found.tolist() == [True, True]


def test_a_report_of_a_real_guard(small):
    guard = Guard(catalogue=small)
    rows = [Example(f"Pikachu in scene {n}", "yes", "named", ("Pokémon: Pikachu",)) for n in range(55)]
    rows += [Example(f"a red castle in scene {n}", "no") for n in range(55)]
    scores = guard_scores(guard, [e.text for e in rows])
    report = evaluate(rows, scores, small, Ruler(np.zeros(0), *guard.thresholds, 50))
    assert report.clean == 55
    named = by_name(report.parts)["named"]
    assert named.figures["right work"].value == 1.0
    assert "| named | 55 | 55 |" in report.to_markdown()
    assert report.to_dict()["parts"][0]["slice"] == "named"
    assert sum(own["rows"] for own in report.to_dict()["reliability"]) == 110
    assert list(name_list_scores(guard, ["Pikachu!", "a castle"])) == [7, 0]


def test_calibration_line_and_reliability_of_a_shifted_score():
    generator = np.random.default_rng(0)
    odds = generator.normal(0, 2, 20_000)
    truth = generator.random(20_000) < 1 / (1 + np.exp(-(odds + 1)))
    score = 1 / (1 + np.exp(-odds))
    slope, intercept = calibration_line(truth, score)
    assert (slope, intercept) == (pytest.approx(1, abs=0.06), pytest.approx(1, abs=0.06))
    bins = reliability(truth, score)
    assert sum(own.rows for own in bins) == 20_000
    assert all(own.share.low > own.risk for own in bins[2:8]), "the score is too low throughout"


def test_folds_keep_works_pairs_and_duplicates_together(rows, small):
    clean = [f"a quiet street number {n} in the rain at dawn" for n in range(30)] + [f"{n} boats" for n in range(30)]
    accepted = answers(small, rows)
    folds = work_folds(rows, accepted, clean, 3)
    of_row = np.sum([fold.number * fold.rows for fold in folds], axis=0)
    assert all(sum(fold.rows[at] for fold in folds) == 1 for at in range(len(rows)))
    assert all(sum(fold.clean[at] for fold in folds) == 1 for at in range(len(clean)))
    for key in {e.works for e in rows if e.works}:
        assert len({of_row[at] for at, e in enumerate(rows) if e.works == key}) == 1, key
    for at in range(0, len(rows), 2):
        assert of_row[at] == of_row[at + 1], "a pair is never parted"
    assert set().union(*(fold.works for fold in folds)) == set().union(*accepted)


def test_every_row_is_scored_by_the_model_of_its_fold(rows, small):
    clean = [f"{n} boats" for n in range(12)]
    folds = work_folds(rows, answers(small, rows), clean, 3)
    asked = []

    def fit(fold):
        asked.append(fold.works)
        return lambda texts: Scores(np.full(len(texts), float(fold.number)), (str(fold.number),) * len(texts))

    found = score_unseen(rows, clean, folds, fit)
    assert len(asked) == 3
    for fold in folds:
        assert set(found.rows.risk[fold.rows]) <= {float(fold.number)}
        assert set(found.clean.risk[fold.clean]) <= {float(fold.number)}
    assert found.rows.style is None


def test_scores_are_joined_in_place():
    first, second = np.array([True, False, True]), np.array([False, True, False])
    found = join_scores(
        [
            (first, Scores(np.array([1.0, 3.0]), ("a", "c"), np.array([0.1, 0.3]))),
            (second, Scores(np.array([2.0]), ("b",), np.array([0.2]))),
        ]
    )
    assert found.risk.tolist() == [1, 2, 3]
    assert found.works == ("a", "b", "c")
    assert found.style.tolist() == [0.1, 0.2, 0.3]


def test_a_catalogue_without_works_knows_nothing_of_them(small):
    smaller = without_works(small, frozenset({"pokemon"}))
    assert not smaller.named("Pikachu")
    assert smaller.named("Kirby")
    example = Example("x", "yes", works=("Pokémon: Pikachu",))
    assert asks_for(small, example, frozenset({"pokemon"}))
    assert not asks_for(small, example, frozenset({"kirby"}))
    assert Guard(catalogue=smaller).score("Pikachu").risk < Guard(catalogue=small).score("Pikachu").risk


def test_words_of_fan_art_are_taken_out():
    assert without_fandom("Goku fan art, in the style of an anime") == "Goku , an"
    assert without_fandom("悟空のファンアート") == "悟空の"
    assert without_fandom("a red castle") == "a red castle"
