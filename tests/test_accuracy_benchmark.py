"""The accuracy benchmark, end to end on a small catalogue: folds are honest, figures have their shape, pictures are drawn."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from ipguard.catalogue.build import compile_catalogue
from ipguard.classifier.bundle import Thresholds, default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.evaluation.data import Example
from ipguard.evaluation.unseen import score_unseen, work_folds
from ipguard.evaluation.written import answers, right_work
from ipguard.evidence.finder import Finder
from ipguard.text.keys import text_key
from ipguard.training.fit import Recipe
from ipguard.training.synth import generate

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT / "tools"))
training, real_part, works_part = (import_module(f"accuracy_{name}") for name in ("training", "real", "works"))
tables = import_module("accuracy_tables")
ENCODER = default_bundle() / "encoder"
TINY = Recipe(trees=12, inner_folds=2)
NAMES = (
    ("Pikachu", "Pokémon"),
    ("Son Goku", "Dragon Ball"),
    ("Master Sword", "The Legend of Zelda"),
    ("Motoko Kusanagi", "Ghost in the Shell"),
)
SCENES = (
    "a castle on a hill", "two cats on a windowsill", "a broken chain link", "a one piece swimsuit", "swimming trunks",
    "a piccolo on velvet", "a quiet harbour",
)  # fmt: skip


def asking(word):
    return [
        Example(f"{name} beside {scene}, {word}", "yes", "named", (work,), "en", slice="named", pair=None)
        for name, work in NAMES
        for scene in SCENES
    ]


def plain(word):
    return [
        Example(f"{scene} and {other}, {word}", "no", "none", (), "en", slice="clean")
        for scene in SCENES
        for other in SCENES
        if scene != other
    ]


@pytest.fixture(scope="module")
def prompts(small):
    generated = generate(small, named=120, ordinary=60, described=40)
    return training.Prompts(
        (*asking("4k"), *plain("4k")), tuple(plain("oil on canvas")), tuple(asking("ink")), tuple(generated)
    )


@pytest.fixture(scope="module")
def material(small, prompts, tmp_path_factory):
    finder = Finder(compile_catalogue(small), StaticEncoder(ENCODER))
    return training.Material.make(finder, small, prompts, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def rows():
    return [*asking("watercolour"), *plain("watercolour")]


def test_weights_follow_the_sources(prompts, material):
    assert len(material.table.examples) == len(material.weight) == len(prompts.real) + len(prompts.beside)
    assert material.weight[0] > material.weight[len(prompts.real) + len(prompts.public)] > material.weight[-1]
    near = material.far_from([e.text for e in prompts.real], keep_first=len(prompts.real))
    assert near.table.examples[: len(prompts.real)] == prompts.real


def test_what_sets_the_threshold_stays_and_its_near_duplicates_go(prompts, material, rows):
    clean = [e.text for e in prompts.public]
    near = Example(prompts.public[0].text + "!", "yes")
    table = replace(material.table, examples=(near, *material.table.examples[1:]))
    kept = {e.text for e in replace(material, table=table).apart_from([rows[0].text], clean).table.examples}
    assert set(clean) <= kept
    assert near.text not in kept


def test_real_prompts_are_cross_validated_and_compared(prompts, material):
    baselines = import_module("accuracy_baselines")
    real = list(prompts.real)
    clusters, assigned = real_part.folds_of(real, 2)
    found = real_part.cross_validate(material, real, assigned, recipe=TINY)
    truth = np.array([e.label == "yes" for e in real])
    assert found.risk[truth].mean() > found.risk[~truth].mean() + 0.3
    assert found.right[truth].mean() > 0.9
    figures = real_part.head_figures(real, found, 20)
    assert {"slices", "reliability", "style_auroc"} == set(figures)
    kinds = {part["slice"]: part for part in real_part.kind_figures(real, found, (0.3, 0.8), 20)}
    assert kinds["clean"]["rows"] == int((~truth).sum())
    length = real_part.baseline_scores(baselines.length_only, real, prompts.own, assigned)
    words = real_part.baseline_scores(baselines.bag_of_words, real, prompts.own, assigned)
    assert np.isfinite(length).all()
    own = real_part.headline(real, found.risk, clusters, 20)["all rows"]
    other = real_part.headline(real, words, clusters, 20)["all rows"]
    assert own["rows"] == other["rows"] == len(real)


def test_a_masked_group_says_nothing(material):
    masked = training.masked(material.table, [0, 3])
    assert not masked.candidates[:, [0, 3]].any()
    assert (masked.candidates[:, 1] == material.table.candidates[:, 1]).all()


def test_a_difference_of_a_scorer_to_itself_is_nothing():
    truth, score = np.arange(100) % 2 == 0, np.linspace(0, 1, 100)
    found = real_part._difference("auroc", truth, score, score, np.arange(100), 20)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_fold_trains_on_none_of_its_works_and_texts(small, material, rows):
    clean = [e.text for e in plain("oil on canvas")]
    for fold in work_folds(rows, answers(small, rows), clean, 2):
        keep = works_part.held_out(fold, small, material.table.examples)
        kept = [e for e, k in zip(material.table.examples, keep, strict=True) if k]
        assert kept
        named = {work.partition(":")[0] for e in kept for work in e.works}
        tested = {e.works[0] for e, own in zip(rows, fold.rows, strict=True) if own and e.works}
        assert not named & tested
        assert not {text_key(e.text) for e in kept} & fold.texts


def test_works_unseen_added_and_absent(small, prompts, material, rows, tmp_path):
    clean = [e.text for e in plain("oil on canvas")]
    accepted = answers(small, rows)
    folds = work_folds(rows, accepted, clean, 2)
    path = tmp_path / "whole.bin"
    material.finder.compiled.write(path)
    encoders = training.Encoders(ENCODER, None, 1, small, prompts, tmp_path / "cache")
    limits, texts = Thresholds(0.4, 0.8), [e.text for e in rows]
    unseen = score_unseen(rows, clean, folds, works_part.unseen_fit(lambda _: material, encoders, path, limits))
    found = works_part.added_and_absent(
        rows, clean, folds, lambda fold: works_part.fit_before(fold, encoders, path, limits, texts, clean)
    )
    asked = np.array([e.label == "yes" for e in rows])
    assert found["added"].rows.risk[asked].mean() > found["absent"].rows.risk[asked].mean()
    assert not right_work(found["absent"].rows, accepted).any()
    figures = works_part.figures_of(rows, unseen, accepted, small, (0.4, 0.8), 20)
    assert {p["slice"] for p in figures["slices"]} == {"clean", "named"}
    wrong = works_part.failures(rows, found["absent"].rows, 0.99, 1)
    assert set(wrong) <= {"named, label yes", "clean, label no"}


def test_style_is_measured_where_there_is_any(rows):
    clusters = np.arange(len(rows) + 1)
    style = np.append(np.zeros(len(rows)), 1.0)
    assert real_part.style_figure([*rows, Example("x", "style")], style, clusters, 20)[0] == 1.0
    assert real_part.style_figure(rows, style[:-1], clusters[:-1], 20) is None


def test_pictures_are_drawn_and_small(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra 'plots' is not installed")
    plots = import_module("accuracy_plots")
    truth = np.arange(200) % 2 == 0
    points = plots.curve(truth, truth + np.linspace(0, 1, 200))
    part = {"rows": 60, "yes": 60, "recall@1%": [0.5, 0.4, 0.6], "reviewed": [0.1, 0.05, 0.2]}
    record = {
        "real": {"curves": {"ipguard": points, "exact list": points}, "head": {"reliability": [[9, 0.1, 0.2, 0.1, 0.3], [9, 0.9, 0.8, 0.7, 0.9]]}},
        "written": {"unseen": {"slices": [{"slice": n, **part} for n in ("named", "described", "clean", "mention")]}},
    }  # fmt: skip
    first = [path.read_bytes() for path in plots.draw(record, tmp_path / "a")]
    assert [path.read_bytes() for path in plots.draw(record, tmp_path / "b")] == first, "one record, one picture"
    assert len(first) == 3
    assert all(content.startswith(b"<?xml") and len(content) < 60_000 for content in first)


def test_tables_say_where_nothing_was_measured():
    record = {"real": None, "written": {"known": {"slices": [], "works": [], "pairs": [], "failures": {}}}}
    assert tables.scorers(record) == tables.MISSING
    assert tables.works(record) == tables.MISSING
    assert "## Known failures by example" in tables.limits(record)
    assert tables._shown("a\u200bb `x`\n c") == "`a\\u200bb 'x' c`"
    assert tables._complement([0.9, 0.8, 0.95]) == "0.100 (0.050–0.200)"
