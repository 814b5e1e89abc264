"""The vectors of all descriptions, with what comparing prompts with them needs, made once and read as it is."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.encoding.base import Encoder, Vectors
from ipguard.encoding.codes import HIGHEST, Codes, quantise
from ipguard.encoding.stored import known_vectors, text_keys
from ipguard.tensors import mapped, views

TABLE = "vectors.safetensors"
_ARRAYS = ("rows", "means", "factors", "codes")
_ENOUGH = 50
"""Descriptions from which a language has a mean of its own."""


@dataclass(frozen=True, eq=False)
class DescriptionTable:
    """Vectors less the mean of their language, so that texts of different languages meet on equal terms.

    Attributes
    ----------
    rows
        float16 or float32 ``(n, d)``: unit vectors, in the order of the catalogue.
    langs
        uint8 ``(n,)``: language codes of the catalogue.
    means
        float32 ``(codes + 1, d)``: mean vector by language code; of all, in the last row and for languages of fewer
        than fifty descriptions.
    factors
        float32 ``(n,)``: what makes the differences unit vectors.
    codes
        int8 ``(n, d)``: the unit vectors of the differences times `scale`, rounded.
    scale
        Of the codes.
    """

    rows: npt.NDArray[np.floating]
    langs: npt.NDArray[np.uint8]
    means: npt.NDArray[np.float32]
    factors: npt.NDArray[np.float32]
    codes: Codes
    scale: float

    @classmethod
    def of(cls, rows: npt.NDArray[np.floating], langs: npt.NDArray[np.uint8]) -> DescriptionTable:
        """Compute the table of some vectors.

        Parameters
        ----------
        rows
            Unit vectors ``(n, d)``.
        langs
            uint8 ``(n,)``.

        Returns
        -------
        DescriptionTable
            Of the same order.
        """
        vectors = np.asarray(rows, dtype=np.float32)
        overall = vectors.mean(0) if len(vectors) else np.zeros(vectors.shape[1], dtype=np.float32)
        counts = np.bincount(langs, minlength=0)
        means = [vectors[langs == code].mean(0) if count >= _ENOUGH else overall for code, count in enumerate(counts)]
        table = np.stack([*means, overall])
        differences = vectors - table[langs]
        lengths = np.sqrt(np.einsum("ij,ij->i", differences, differences))
        factors = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        differences *= factors[:, None]
        scale = HIGHEST / float(np.abs(differences).max(initial=1e-6))
        return cls(rows, langs, table, factors, quantise(differences, scale), scale)

    def mean(self, lang: int) -> npt.NDArray[np.float32]:
        """Return the mean vector of a language, that of all for one that is not there or negative."""
        found: npt.NDArray[np.float32] = self.means[lang if 0 <= lang < len(self.means) else -1]
        return found

    def similarity(self, prompts: Vectors, places: npt.NDArray[np.intp]) -> Vectors:
        """Compare prompts with some descriptions exactly.

        Parameters
        ----------
        prompts
            float32 ``(m, d)``: unit vectors of what differs from the mean of the prompt's language.
        places
            Which descriptions.

        Returns
        -------
        numpy.ndarray
            float32 ``(m, len(places))``: cosines.
        """
        products = prompts @ self.rows[places].astype(np.float32).T
        shifts = prompts @ self.means.T
        out: Vectors = (products - shifts[:, self.langs[places]]) * self.factors[places]
        return out


def store_table(path: Path, encoder: Encoder, compiled: CompiledCatalogue) -> None:
    """Encode the descriptions of a catalogue and write their table.

    Parameters
    ----------
    path
        File to write.
    encoder
        Makes the vectors.
    compiled
        The catalogue.
    """
    texts = tuple(compiled.descriptions)
    table = DescriptionTable.of(encoder.encode(texts).astype(np.float16), compiled.description_lang)
    arrays = {name: getattr(table, name) for name in _ARRAYS}
    arrays |= {"keys": text_keys(texts), "scale": np.array([table.scale])}
    save_file(arrays, path, metadata={"encoder": encoder.identity, "texts": _texts_hash(compiled)})


def load_table(path: Path, encoder: Encoder, compiled: CompiledCatalogue) -> DescriptionTable:
    """Read the table of a catalogue, or make it from what a file holds of its texts.

    Parameters
    ----------
    path
        File written by :func:`store_table`; it need not exist, and one of another encoder is passed over.
    encoder
        Makes the vectors of texts that the file does not hold.
    compiled
        The catalogue.

    Returns
    -------
    DescriptionTable
        Mapped from the file where it is that of this catalogue.
    """
    texts, langs = compiled.descriptions, compiled.description_lang
    if path.is_file():
        arrays, metadata = views(mapped(path))
        if metadata.get("encoder") == encoder.identity:
            if metadata.get("texts") == _texts_hash(compiled):
                parts = {name: arrays[name] for name in _ARRAYS}
                return DescriptionTable(langs=langs, scale=float(arrays["scale"][0]), **parts)  # type: ignore[arg-type]
            return DescriptionTable.of(known_vectors(arrays["keys"], arrays["rows"], encoder, texts), langs)  # type: ignore[arg-type]
    return DescriptionTable.of(encoder.encode(texts), langs)


def _texts_hash(compiled: CompiledCatalogue) -> str:
    parts = (compiled.descriptions.block, compiled.descriptions.starts, compiled.description_lang)
    digest = sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
