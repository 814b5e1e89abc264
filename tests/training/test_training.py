"""A small training run, end to end, on our own prompts."""

import json

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from ipguard import Guard
from ipguard.catalogue.build import compile_catalogue
from ipguard.classifier.bundle import Bundle, default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.errors import DataError
from ipguard.evaluation.data import Example
from ipguard.evidence.finder import Finder
from ipguard.training.card import card
from ipguard.training.crossval import cross_validate, far_from
from ipguard.training.distill import kept_pieces, quantise, reduce, trimmed_tokenizer
from ipguard.training.examples import NEGATIVE, POSITIVE, UNKNOWN, tabulate
from ipguard.training.fit import Recipe, fit_head, risks
from ipguard.training.package import write_bundle
from ipguard.training.run import Sources, choose_thresholds, train
from ipguard.training.synth import DISGUISES, generate

CLEAN = """a red castle on a hill in heavy rain
two cats asleep on a warm windowsill
portrait of a fisherman, oil on canvas
an old bicycle leaning against a wall
macro photograph of a dew drop on moss
steam train crossing a stone viaduct
bowl of ramen with a soft boiled egg
city skyline at blue hour, long exposure
children flying kites on the beach
watercolour of a quiet harbour
a librarian reading by candlelight
isometric render of a small bakery
astronaut planting a garden on the moon
wooden chess set on a marble table
fog drifting over a pine forest
vintage poster for a jazz festival
golden retriever catching a frisbee
minimalist logo for a coffee roaster
a market street in Marrakesh at noon
snow covered cabin with smoke rising
robot gardener trimming roses
grandmother baking bread, film photo
abstract waves in teal and orange
a lighthouse in a thunderstorm
hot air balloons above a canyon
street musician playing the cello
glass greenhouse full of orchids
medieval blacksmith at the forge
koi pond seen from above
desert road with a lone motorcycle
piccolo and violin on a velvet cloth
swimming trunks drying on a line
palm trunks along a white beach
a broken chain link in the mud
hockey players on the rink, wide shot
a one piece swimsuit, catalogue photo
marvel at the night sky, lettering
tree trunks covered in lichen
a piccolo player in a marching band
kirby vacuum advert from 1962""".splitlines()
SMALL = Recipe(trees=15, inner_folds=2)


@pytest.fixture(scope="module")
def finder(small):
    return Finder(compile_catalogue(small), StaticEncoder(default_bundle() / "encoder"))


@pytest.fixture(scope="module")
def prompts(small):
    generated = generate(small, named=240, ordinary=200, described=60)
    clean = [Example(text, "no") for text in CLEAN]
    works = (
        "Pokémon",
        "Dragon Ball",
        "Spider-Man",
        "The Legend of Zelda",
        "Ghost in the Shell",
        "DBZ",
        "Master Sword",
        "Kirby",
    )
    style = [
        Example(f"a {b} in the style of {w}, {c}", "style", "style", (w,))
        for w in works
        for b in ("dog", "town", "inn")
        for c in ("4k", "ink", "oil")
    ]
    order = np.random.default_rng(0).permutation(len(generated) + len(clean) + len(style))
    return [[*generated, *clean, *style][at] for at in order]


@pytest.fixture(scope="module")
def table(finder, small, prompts):
    return tabulate(finder, small, prompts)


def test_targets_follow_the_labels(table):
    by_prompt = table.examples
    for at, owner in enumerate(table.owner):
        label = by_prompt[owner].label
        if label == "no":
            assert table.franchise[at] == NEGATIVE
        if label == "yes":
            assert table.franchise[at] == (POSITIVE if table.right[at] else UNKNOWN)
        if label == "style":
            assert table.franchise[at] == NEGATIVE


def test_a_head_learns_and_does_not_depend_on_chance(table):
    weight = np.ones(len(table.examples))
    groups = np.arange(len(table.examples))
    one, two = (fit_head(table, weight, groups, SMALL) for _ in range(2))
    np.testing.assert_allclose(risks(table, one), risks(table, two))
    truth = table.labelled("yes")
    assert risks(table, one)[truth].mean() > risks(table, one)[table.labelled("no")].mean() + 0.2


def test_one_class_is_refused(table):
    part = table.take(table.labelled("no"))
    with pytest.raises((DataError, ValueError)):
        fit_head(part, np.ones(len(part.examples)), np.arange(len(part.examples)), SMALL)


def test_cross_validation_scores_every_row_once(table):
    real = table.take(np.arange(len(table.examples)) % 2 == 0)
    other = table.take(np.arange(len(table.examples)) % 2 == 1)
    keep = far_from([e.text for e in real.examples], other)
    found = cross_validate(real, other.take(keep), np.ones(int(keep.sum())), folds=2, recipe=SMALL)
    assert np.isfinite(found.risk).all()
    assert set(found.folds) == {0, 1}


def test_a_bundle_is_trained_written_and_scores(tmp_path, finder, small, prompts):
    own = tmp_path / "data" / "prompts"
    own.mkdir(parents=True)
    rows = [{"text": e.text, "label": e.label, "kind": e.kind, "works": list(e.works), "lang": e.lang} for e in prompts]
    (own / "a.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows[::2]), "utf-8")
    (tmp_path / "real.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows[1::2]), "utf-8")
    steps = []
    trained = train(
        finder, small, Sources(own, real=tmp_path / "real.jsonl"), recipe=SMALL, generated=60, folds=2,
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps[-1][0] == steps[-1][1]
    assert trained.data["own"]["rows"] == len(rows[::2])
    assert "without keyword-found rows" in card(trained)
    source = default_bundle() / "encoder"
    write_bundle(
        tmp_path / "b",
        trained.head,
        source,
        trained.thresholds,
        bundle_version="9",
        data=trained.data,
        scores={},
        card=card(trained),
    )
    assert Bundle.load(tmp_path / "b").version.startswith("default-9+")
    guard = Guard(model=tmp_path / "b", catalogue=small)
    assert guard.score("Pikachu eating ramen in the rain").risk > guard.score("a red castle in the rain").risk


def test_thresholds_leave_the_stated_share_above_them():
    risk = np.linspace(0, 0.999, 1000)
    found = choose_thresholds(np.zeros(1000, bool), risk)
    assert (risk >= found.review).sum() <= 10
    assert (risk >= found.block).sum() <= 2
    assert found.review <= found.block


def test_generated_prompts_are_labelled_and_repeatable(small):
    first, second = (generate(small, named=100, ordinary=30, described=20, seed=3) for _ in range(2))
    assert first == second
    assert {e.label for e in first} == {"yes", "no"}
    assert all(e.works for e in first if e.label == "yes")
    assert not any("Sun Wukong" in w for e in first for w in e.works), "free figures are no positives"


def test_disguises_change_the_name():
    assert all(hide("Pikachu Master") != "Pikachu Master" for hide in DISGUISES.values())


def test_distilling_by_hand():
    vocabulary = [("<s>", 0.0), ("<unk>", 0.0), ("▁cat", -3.0), ("é", -9.0), ("猫", -4.0), ("𐎠𐎢", -2.0), ("▁dog", -5.0)]
    kept = kept_pieces(vocabulary, 4)
    assert [vocabulary[i][0] for i in kept] == ["<unk>", "▁cat", "é", "猫"]
    source = {"model": {"type": "Unigram", "vocab": vocabulary, "unk_id": 1}, "added_tokens": [1]}
    assert trimmed_tokenizer(source, kept)["model"]["unk_id"] == 0
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(50, 8)).astype(np.float32)
    projected = reduce(vectors, np.ones(50, np.float32), 4)
    assert projected.shape == (50, 4)
    assert list(np.argsort(-projected.var(0))) == [0, 1, 2, 3]
    table, scale = quantise(projected)
    assert np.abs(table * scale[:, None] - projected).max() <= np.abs(projected).max() / 254 + 1e-6
