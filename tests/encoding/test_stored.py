"""Stored vectors are found by the text, and only those of the same encoder."""

import numpy as np

from ipguard.classifier.bundle import default_bundle
from ipguard.encoding.static import StaticEncoder
from ipguard.encoding.stored import store_vectors, stored_vectors


def test_stored_vectors_are_found_and_new_texts_encoded(tmp_path):
    encoder = StaticEncoder(default_bundle() / "encoder")
    known, new = ("a red castle", "a blue lake"), "a green hat"
    store_vectors(tmp_path / "v.safetensors", encoder, known)
    found = stored_vectors(tmp_path / "v.safetensors", encoder, (*known, new))
    fresh = encoder.encode([*known, new])
    np.testing.assert_allclose(found, fresh, atol=1e-3)


def test_vectors_of_another_encoder_are_passed_over(tmp_path):
    from safetensors.numpy import save_file

    encoder = StaticEncoder(default_bundle() / "encoder")
    path = tmp_path / "v.safetensors"
    keys = np.zeros(1, np.uint64)
    save_file(
        {"keys": keys, "rows": np.ones((1, 256), np.float16)},
        path,
        metadata={"encoder": "other"},
    )
    np.testing.assert_allclose(stored_vectors(path, encoder, ("a hat",)), encoder.encode(["a hat"]))
