"""From hits and similarities to candidates and their features."""

import numpy as np
import pytest

from ipguard.classifier.bundle import default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.evidence.features import FEATURES, NAMES, as_matrix, feature_rows, prompt_features
from ipguard.evidence.finder import Finder


@pytest.fixture(scope="module")
def finder(compiled):
    return Finder(compiled, StaticEncoder(default_bundle() / "encoder"))


def row(finder, prompt: str, work: str) -> dict[str, float]:
    (found,) = finder.find([prompt])
    rows = feature_rows(finder.compiled, found)
    for at, candidate in enumerate(found.candidates):
        if finder.compiled.meta.works[candidate.work].id == work:
            return dict(zip(NAMES, rows[at].tolist(), strict=True))
    raise AssertionError(f"{work} is no candidate of {prompt!r}")


def test_names_are_counted_by_sense(finder):
    found = row(finder, "Son Goku and Goku and DBZ", "dragon-ball")
    assert (found["names_only"], found["names_usually"], found["best_sense"]) == (1, 2, 0)
    assert (found["subjects"], found["items"]) == (2, 1)


def test_an_excluded_name_does_not_count(finder):
    found = row(finder, "a yellow mouse, no Pikachu", "pokemon")
    assert found["names_only"] == 0
    assert found["wanted_share"] == 0
    found = row(finder, "Pikachu --no blur", "pokemon")
    assert found["wanted_share"] == 1


def test_a_relative_supports(finder):
    found = row(finder, "Marvel comics, Spider-Man on a roof", "marvel-spider-man")
    assert found["related_names"] == 1
    assert found["related_sense"] == 2


def test_a_name_inside_a_persons_name_is_marked(finder):
    assert row(finder, "art by Jack Kirby", "kirby")["inside_person"] == 1
    assert row(finder, "Kirby eats a star", "kirby")["inside_person"] == 0


def test_a_tag_and_a_disguise_are_marked(finder):
    assert row(finder, "1girl <lora:goku_v2:.8>", "dragon-ball")["lora"] == 1
    assert row(finder, "p1k4chu", "pokemon")["how_disguised"] == 1
    assert row(finder, "pickachu on a tree", "pokemon")["how_fuzzy"] == 1


def test_a_description_makes_a_candidate_and_a_short_text_does_not(finder):
    described = "a chubby yellow mouse with red round cheeks, black ear tips and a tail like a lightning bolt"
    found = row(finder, described, "pokemon")
    assert found["best_sense"] == 4
    assert found["similarity_work"] > 0.5
    assert found["similarity_rank"] == 0
    (short,) = finder.find(["yellow mouse"])
    assert not [c for c in short.candidates if not c.hits]


def test_rows_have_every_column_and_are_finite(finder):
    found = finder.find(["Pikachu and Goku", "a lake", "", "ワンピースのルフィ"])
    rows = as_matrix([feature_rows(finder.compiled, f) for f in found])
    assert rows.shape[1] == len(FEATURES)
    assert np.isfinite(rows).all()
    assert np.isfinite(np.stack([prompt_features(f) for f in found])).all()
    assert as_matrix([]).shape == (0, len(FEATURES))


def test_feature_names_are_unique_and_grouped():
    assert len(set(NAMES)) == len(NAMES)
    assert {f.group for f in FEATURES} >= {"sense", "name", "how", "context", "description", "person"}


def test_the_fingerprint_follows_the_catalogue(finder, small):
    from ipguard.catalogue.build import compile_catalogue

    other = compile_catalogue(
        small.add("# new-work | New Work | game | 2026 | JP | H | protected\n= en:o:Brand New Work\n")
    )
    assert Finder(other, finder.encoder).fingerprint != finder.fingerprint
