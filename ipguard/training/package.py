"""Writing a bundle: head, encoder, manifest, card."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from safetensors.numpy import save_file

from ipguard.catalogue.schema import SCHEMA
from ipguard.classifier.bundle import FORMAT, HEAD, MANIFEST, BundleManifest, Thresholds
from ipguard.classifier.head import Head
from ipguard.encoding.static import StaticEncoder
from ipguard.evidence.features import NAMES
from ipguard.tensors import file_hash

_LIBRARIES = ("numpy", "scikit-learn", "tokenizers", "safetensors")


def write_bundle(
    folder: str | Path,
    head: Head,
    encoder: str | Path,
    thresholds: Thresholds,
    *,
    name: str = "default",
    bundle_version: str,
    data: dict[str, Any],
    scores: dict[str, Any],
    card: str = "",
) -> Path:
    """Write a bundle whose manifest names the hash of every file.

    Parameters
    ----------
    folder
        Created if it is not there.
    head
        The classifier.
    encoder
        Folder of a static encoder; copied unless it is the bundle's own.
    thresholds
        Defaults.
    name, bundle_version
        Of the bundle.
    data, scores
        Stated in the manifest.
    card
        Markdown of the model card.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    root, source = Path(folder), Path(encoder)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "encoder").exists() or not source.samefile(root / "encoder"):
        shutil.copytree(source, root / "encoder", dirs_exist_ok=True)
    save_file(dict(head.to_arrays()), root / HEAD)
    if card:
        (root / "CARD.md").write_text(card, "utf-8")
    files = [root / HEAD, *sorted(p for p in (root / "encoder").rglob("*") if p.is_file())]
    manifest = BundleManifest(
        format=FORMAT,
        name=name,
        version=bundle_version,
        schema=SCHEMA,
        features=NAMES,
        encoder=StaticEncoder(root / "encoder").identity,
        prior=head.prior,
        thresholds=thresholds,
        files={path.relative_to(root).as_posix(): file_hash(path) for path in files},
        libraries={library: version(library) for library in _LIBRARIES},
        data=data,
        scores=scores,
    )
    (root / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return root
