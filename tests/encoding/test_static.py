"""One suite for every encoder, and what the static one promises besides."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipguard.classifier.bundle import default_bundle
from ipguard.encoding import Encoder, SentenceTransformerEncoder, StaticEncoder
from ipguard.errors import BundleFormatError, BundleMissingError, InvalidArgumentError, MissingExtraError

FOLDER = default_bundle() / "encoder"


@pytest.fixture(scope="module")
def static():
    return StaticEncoder(FOLDER)


@pytest.fixture(scope="module", params=["static", "transformer"])
def encoder(request, static):
    if request.param == "static":
        return static
    pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    return SentenceTransformerEncoder(FOLDER)


def test_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert len(encoder.identity) == 64


def test_shape_and_length(encoder):
    vectors = encoder.encode(["a cat", "雨の街", ""])
    assert vectors.shape == (3, encoder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors[:2], axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_a_text_of_nothing_is_the_zero_vector(encoder):
    assert not encoder.encode([""]).any()


def test_a_batch_gives_what_single_calls_give(encoder):
    texts = ["a cat on a roof", "竜と剣", "un chat"]
    np.testing.assert_allclose(encoder.encode(texts), np.concatenate([encoder.encode([t]) for t in texts]), atol=1e-5)


def test_likeness_means_something(encoder):
    a, b, c = encoder.encode(["a small yellow mouse", "tiny mouse, yellow fur", "quarterly tax report"])
    assert a @ b > a @ c + 0.2


def test_sentence_transformers_loads_the_folder_and_agrees(static):
    pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    texts = ["a yellow electric mouse", "少年が七つの玉を集める", "Pokémon GO", "un chat sur la table"]
    theirs = SentenceTransformerEncoder(FOLDER).encode(texts)
    assert np.einsum("ij,ij->i", static.encode(texts), theirs).min() > 0.9999


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=40), max_size=5))
def test_any_text_is_finite(static, texts):
    vectors = static.encode(texts)
    assert np.isfinite(vectors).all()
    assert np.all(np.linalg.norm(vectors, axis=1) < 1.001)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(BundleMissingError, match=r"model\.safetensors"):
        StaticEncoder(tmp_path)


def test_another_layout_is_refused(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "e")
    (tmp_path / "e" / "0_StaticEmbedding" / "model.safetensors").write_bytes(b"12345678")
    with pytest.raises(BundleFormatError, match=r"model\.safetensors"):
        StaticEncoder(tmp_path / "e")


def test_transformer_arguments_and_missing_extra(monkeypatch):
    import sys

    with pytest.raises(InvalidArgumentError, match="batch_size"):
        SentenceTransformerEncoder("x", batch_size=0)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"ipguard-prompts\[transformers\]"):
        SentenceTransformerEncoder("x")
