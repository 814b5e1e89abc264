"""The table of descriptions: languages meet, files are read as they were written."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from ipguard.catalogue.build import compile_catalogue
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.evidence.table import DescriptionTable, load_table, store_table


@pytest.fixture(scope="module")
def encoder():
    return StaticEncoder(default_bundle() / "encoder")


def test_centring_brings_languages_together():
    generator = np.random.default_rng(0)
    langs = np.repeat(np.array([0, 1], np.uint8), 60)
    vectors = generator.normal(size=(120, 16)).astype(np.float32) + 3 * (langs[:, None] == 1)
    table = DescriptionTable.of(vectors, langs)
    centred = (vectors - table.means[langs]) * table.factors[:, None]
    assert abs(centred[langs == 0].mean() - centred[langs == 1].mean()) < 0.05
    np.testing.assert_allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(table.codes / table.scale, centred, atol=0.51 / table.scale)
    places = np.array([3, 70, 119])
    prompts = generator.normal(size=(2, 16)).astype(np.float32)
    np.testing.assert_allclose(table.similarity(prompts, places), prompts @ centred[places].T, rtol=1e-4, atol=1e-4)


def test_a_language_of_few_descriptions_takes_the_mean_of_all():
    langs = np.array([0] * 60 + [2] * 3, np.uint8)
    vectors = np.random.default_rng(1).normal(size=(63, 8)).astype(np.float32)
    table = DescriptionTable.of(vectors, langs)
    for code in (2, 1, 77, -1):
        np.testing.assert_allclose(table.mean(code), vectors.mean(0), atol=1e-6)
    np.testing.assert_allclose(table.mean(0), vectors[:60].mean(0), atol=1e-6)


def test_the_file_is_read_as_it_was_written(tmp_path, small, encoder):
    compiled = compile_catalogue(small)
    store_table(tmp_path / "t", encoder, compiled)
    read = load_table(tmp_path / "t", encoder, compiled)
    made = DescriptionTable.of(encoder.encode(compiled.descriptions).astype(np.float16), compiled.description_lang)
    assert read.rows.dtype == np.float16
    assert read.scale == made.scale
    for name in ("rows", "means", "factors", "codes", "langs"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))


def test_a_work_more_takes_what_the_file_holds_and_encodes_the_rest(tmp_path, small, encoder):
    store_table(tmp_path / "t", encoder, compile_catalogue(small))
    more = compile_catalogue(
        small.add(
            "# aaa-new | New Work | game | 2026 | JP | H | protected\n= en:o:Brand New Work\n! en: a red tower in a lake\n"
        )
    )
    read = load_table(tmp_path / "t", encoder, more)
    np.testing.assert_allclose(read.rows, encoder.encode(more.descriptions), atol=1e-3)


def test_a_file_of_another_encoder_is_passed_over(tmp_path, small, encoder):
    compiled = compile_catalogue(small)
    save_file(
        {"keys": np.zeros(1, np.uint64), "rows": np.ones((1, 256), np.float16)},
        tmp_path / "t",
        metadata={"encoder": "x"},
    )
    read = load_table(tmp_path / "t", encoder, compiled)
    np.testing.assert_allclose(read.rows, encoder.encode(compiled.descriptions))
