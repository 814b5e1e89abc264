"""A model bundle: a folder of data with a manifest that names the hash of every file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError
from safetensors.numpy import load

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.catalogue.schema import SCHEMA
from ipguard.classifier.head import Head
from ipguard.encoding.base import Encoder
from ipguard.encoding.static import StaticEncoder
from ipguard.errors import BundleFormatError, BundleMissingError, BundleTamperedError
from ipguard.evidence.features import NAMES
from ipguard.evidence.table import TABLE, DescriptionTable, load_table
from ipguard.tensors import file_hash

FORMAT = 1
"""Number of the bundle format; raise it when an old reader would misread a bundle (docs/model-card.md)."""
MANIFEST, HEAD = "manifest.json", "head.safetensors"


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Default thresholds of a bundle, with the share of clean prompts that they were chosen for."""

    review: float
    block: float


class BundleManifest(msgspec.Struct, frozen=True):
    """``manifest.json``.

    Attributes
    ----------
    format
        Number of the bundle format.
    name, version
        Of the bundle.
    schema
        Number of the catalogue schema that it accepts.
    features
        Names of the columns that the head was trained on, in order.
    encoder
        Identity of the encoder.
    prior
        Share of prompts at risk for which it is calibrated.
    thresholds
        Defaults.
    files
        Path within the bundle to SHA-256.
    libraries, data, scores
        What it was trained with and on, and what was measured.
    """

    format: int
    name: str
    version: str
    schema: int
    features: tuple[str, ...]
    encoder: str
    prior: float
    thresholds: Thresholds
    files: dict[str, str]
    libraries: dict[str, str] = {}
    data: dict[str, Any] = {}
    scores: dict[str, Any] = {}


def default_bundle() -> Path:
    """Return the folder of the bundle that is shipped with the package, or that of a source checkout."""
    shipped = Path(str(files("ipguard").joinpath("models/default")))
    checkout = Path(str(files("ipguard"))).parent / "models" / "default"
    return shipped if (shipped / MANIFEST).is_file() else checkout


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes
    ----------
    folder
        Where it lies.
    manifest
        What it says of itself.
    head
        The classifier.
    encoder
        Makes vectors.
    """

    folder: Path
    manifest: BundleManifest
    head: Head
    encoder: Encoder

    @cached_property
    def version(self) -> str:
        """Name, version and the first eight digits of the manifest's hash."""
        digest = sha256((self.folder / MANIFEST).read_bytes()).hexdigest()
        return f"{self.manifest.name}-{self.manifest.version}+{digest[:8]}"

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Bundle:
        """Read a bundle after checking every file against its manifest. No code of it is run.

        Parameters
        ----------
        folder
            A bundle; None for the one that is shipped.

        Returns
        -------
        Bundle
            Ready to score.

        Raises
        ------
        BundleMissingError
            If the manifest or a file that it names is not there.
        BundleTamperedError
            If a file's hash differs.
        BundleFormatError
            If format, schema, features or encoder are not the ones that this version accepts.
        """
        root = default_bundle() if folder is None else Path(folder)
        manifest = read_manifest(root)
        for name, expected in manifest.files.items():
            _verify(root, name, expected)
        encoder = StaticEncoder(root / "encoder")
        if encoder.identity != manifest.encoder:
            raise BundleFormatError(
                f"{root / 'encoder'} has identity {encoder.identity[:12]}; "
                f"the head was trained with {manifest.encoder[:12]}."
            )
        try:
            head = Head.from_arrays(load((root / HEAD).read_bytes()))
        except (SafetensorError, KeyError, ValueError) as error:
            raise BundleFormatError(f"{root / HEAD} is not a head of format {FORMAT}: {error}.") from None
        return cls(root, manifest, head, encoder)

    def description_table(self, compiled: CompiledCatalogue) -> DescriptionTable:
        """Return the vectors of a catalogue's descriptions; texts that the bundle does not hold are encoded.

        Parameters
        ----------
        compiled
            The catalogue.

        Returns
        -------
        DescriptionTable
            In the order of the catalogue.
        """
        return load_table(self.folder / TABLE, self.encoder, compiled)


def read_manifest(root: Path) -> BundleManifest:
    """Read and check the manifest of a bundle.

    Parameters
    ----------
    root
        Folder of the bundle.

    Returns
    -------
    BundleManifest
        Of a format, schema and feature list that this version accepts.

    Raises
    ------
    BundleMissingError, BundleFormatError
        Naming the file.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise BundleMissingError(f"{root} is not a model bundle: it holds no {MANIFEST}.")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=BundleManifest)
    except msgspec.DecodeError as error:
        raise BundleFormatError(f"{path} is not a bundle manifest: {error}.") from None
    for what, found, accepted in (("format", manifest.format, FORMAT), ("schema", manifest.schema, SCHEMA)):
        if found != accepted:
            raise BundleFormatError(f"{path} has {what} {found}; this version accepts {accepted}.")
    if manifest.features != NAMES:
        raise BundleFormatError(f"{path} was trained on other features than those of this version.")
    return manifest


def _verify(root: Path, name: str, expected: str) -> None:
    path = root / name
    if not path.is_file():
        raise BundleMissingError(f"{root} lacks {name}, which its manifest names.")
    found = file_hash(path)
    if found != expected:
        raise BundleTamperedError(f"{path} has SHA-256 {found[:12]}…; the manifest says {expected[:12]}….")
