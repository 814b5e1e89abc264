from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.catalogue.store import Catalogue
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.evaluation.data import Example
from ipguard.training.finetune import as_prompt, finetune, pairs, scenes_of, subjects


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    held = Catalogue.load()
    chosen = ("pokemon", "dragon-ball", "totoro", "my-neighbor-totoro", "shrek", "toy-story")
    return Catalogue(works={i: held.works[i] for i in chosen if i in held.works}, parties=held.parties, people=())


def test_subjects_of_hidden_works_and_their_relatives_are_left_out(catalogue):
    seen = {s.work for s in subjects(catalogue, frozenset({"shrek"}))}
    assert "pokemon" in seen
    assert "shrek" not in seen


@given(st.text(min_size=1), st.sampled_from(["en", "ja", "zh", "ko", "xx"]), st.integers(0, 99))
def test_a_prompt_is_made_of_the_description_and_a_scene(text, lang, seed):
    generator = np.random.default_rng(seed)
    made = as_prompt(generator, lang, text, ["in the rain"])
    assert made
    if len(text.strip()) > 0 and "rain" not in made:
        assert set(made) - set(", 、，") <= set(text)


def test_pairs_join_languages_and_written_prompts(catalogue):
    written = Example(
        "a round green giant with trumpet ears in a swamp hut", "yes", "described", ("Shrek: Shrek",), "en"
    )
    made = list(pairs(catalogue, [written], {}, seed=1))
    shrek = next(i for i in catalogue.works["shrek"].items if i.id == "shrek")
    assert (written.text, shrek.descriptions["en"]) in made
    ja = {t["ja"] for s in subjects(catalogue) if "ja" in (t := s.texts)}
    assert any(anchor.isascii() and positive in ja for anchor, positive in made)
    assert made == list(pairs(catalogue, [written], {}, seed=1)) != list(pairs(catalogue, [written], {}, seed=2))


def test_scenes_come_from_clean_prompts_only():
    clean = Example("a foggy harbour at dawn, two small fishing boats, long exposure", "no", "none", (), "en")
    guilty = Example("pikachu in a very green meadow with flowers", "yes", "named", ("Pokémon",), "en")
    assert scenes_of([clean, guilty]) == {"en": [clean.text]}


def test_fine_tuning_brings_descriptions_and_prompts_together(catalogue, tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the extra 'finetune'")
    pytest.importorskip("accelerate", reason="needs the extra 'finetune'")
    from ipguard.training.finetune import Recipe

    shipped_encoder = default_bundle() / "encoder"
    small = Catalogue(works={"pokemon": catalogue.works["pokemon"]}, parties=catalogue.parties, people=())
    folder = finetune(shipped_encoder, tmp_path / "tuned", small, [], recipe=Recipe(epochs=1, batch=64))
    before, after = StaticEncoder(shipped_encoder), StaticEncoder(folder)
    assert before.identity != after.identity
    texts = [s.texts for s in subjects(small) if {"en", "ja"} <= s.texts.keys()][:200]

    def agreement(encoder: StaticEncoder) -> float:
        english, japanese = encoder.encode([t["en"] for t in texts]), encoder.encode([t["ja"] for t in texts])
        return float(((english @ japanese.T).argmax(1) == np.arange(len(texts))).mean())

    assert agreement(after) > agreement(before)
