"""A bundle is checked before it is used."""

import json
import shutil

import numpy as np
import pytest

from ipguard.classifier.bundle import (
    HEAD,
    MANIFEST,
    Bundle,
    default_bundle,
    file_hash,
)
from ipguard.errors import BundleError, BundleFormatError, BundleMissingError, BundleTamperedError


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(default_bundle(), tmp_path / "bundle")
    return tmp_path / "bundle"


def edit(folder, **changes):
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}), "utf-8")


def test_the_shipped_files_match_their_manifest():
    bundle = Bundle.load()
    manifest = json.loads((bundle.folder / MANIFEST).read_text("utf-8"))
    assert set(manifest["files"]) >= {HEAD, "encoder/modules.json", "encoder/0_StaticEmbedding/model.safetensors"}
    for name, digest in manifest["files"].items():
        assert file_hash(bundle.folder / name) == digest, name
    assert bundle.version.startswith("default-")


def test_a_changed_byte_is_refused(copy):
    path = copy / HEAD
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleTamperedError, match=r"head\.safetensors"):
        Bundle.load(copy)


def test_a_truncated_file_is_refused(copy):
    path = copy / "encoder" / "0_StaticEmbedding" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BundleTamperedError, match=r"model\.safetensors"):
        Bundle.load(copy)


def test_a_missing_file_is_named(copy):
    (copy / HEAD).unlink()
    with pytest.raises(BundleMissingError, match=r"head\.safetensors"):
        Bundle.load(copy)


def test_no_bundle_is_named(tmp_path):
    with pytest.raises(BundleMissingError, match=r"manifest\.json"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"format": 2}, "format 2"),
        ({"schema": 9}, "schema 9"),
        ({"features": ["one"]}, "features"),
        ({"encoder": "0" * 64}, "identity"),
    ],
)
def test_what_this_version_cannot_read_is_refused(copy, changes, what):
    edit(copy, **changes)
    with pytest.raises(BundleFormatError, match=what):
        Bundle.load(copy)


def test_a_manifest_that_is_no_json_is_refused(copy):
    (copy / MANIFEST).write_text("{")
    with pytest.raises(BundleFormatError, match=r"manifest\.json"):
        Bundle.load(copy)


def test_a_head_of_other_arrays_is_refused(copy):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3)}, copy / HEAD)
    manifest = json.loads((copy / MANIFEST).read_text("utf-8"))
    edit(copy, files={**manifest["files"], HEAD: file_hash(copy / HEAD)})
    with pytest.raises(BundleFormatError, match=r"head\.safetensors"):
        Bundle.load(copy)


def test_all_of_them_are_bundle_errors():
    assert issubclass(BundleTamperedError, BundleError)
