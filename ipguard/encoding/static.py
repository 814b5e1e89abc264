"""The default encoder: the mean of one int8 vector a token, computed without torch.

The folder is one that Sentence Transformers loads itself (``StaticEmbedding`` and ``Normalize``), in the layout
of model2vec: ``embeddings`` int8 ``(tokens, dimensions)`` and ``weights`` float32 ``(tokens,)``, whose product is
the vector of a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from ipguard.encoding.base import Vectors, unit_rows
from ipguard.errors import BundleFormatError, BundleMissingError
from ipguard.tensors import file_hash, mapped, views

MODULE = "0_StaticEmbedding"
MAX_CHARS = 20_000
"""Characters of a text that are encoded; a mean over more tokens says nothing new."""
_CHUNK = 2048
_COMPARED = 512
"""Distinct tokens of a text that are compared with those of others; a longer prompt covers anything."""
_REMEMBERED = 8192


class StaticEncoder:
    """Mean of static token vectors, scaled to length one.

    Parameters
    ----------
    folder
        A Sentence Transformers folder whose first module is a static embedding.

    Raises
    ------
    BundleMissingError
        If a file is not there.
    BundleFormatError
        If a file is not of this layout.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        root = self.folder / MODULE if (self.folder / MODULE).is_dir() else self.folder
        self._table_path, self._tokenizer_path = root / "model.safetensors", root / "tokenizer.json"
        for path in (self._table_path, self._tokenizer_path):
            if not path.is_file():
                raise BundleMissingError(f"The encoder needs {path}, which is not there.")
        try:
            table, _ = views(mapped(self._table_path))
            self._table: npt.NDArray[np.int8] = table["embeddings"].astype(np.int8, copy=False)
            self._scale: npt.NDArray[np.float32] = table["weights"].astype(np.float32)
        except (KeyError, ValueError) as error:
            raise BundleFormatError(f"{self._table_path} is not a static embedding with int8 rows: {error}.") from None
        self._tokenizer = Tokenizer.from_file(str(self._tokenizer_path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._described = lru_cache(maxsize=_REMEMBERED)(
            lambda text: np.asarray(self._tokens((text,))[0], dtype=np.int32)
        )

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._table.shape[1])

    @cached_property
    def identity(self) -> str:
        """SHA-256 over the hashes of the table and the tokenizer."""
        parts = (bytes.fromhex(file_hash(path)) for path in (self._table_path, self._tokenizer_path))
        return sha256(b"".join(parts)).hexdigest()

    def coverage(self, text: str, others: Sequence[str]) -> Vectors:
        """Compare token by token; see :meth:`ipguard.encoding.base.TokenEncoder.coverage`."""
        own = np.unique(np.asarray(self._tokens((text,))[0], dtype=np.int32))[:_COMPARED]
        rows = [self._described(other) for other in others]
        lengths = np.array([len(row) for row in rows])
        out = np.zeros(len(others), dtype=np.float32)
        filled = np.flatnonzero(lengths)
        if not len(own) or not len(filled):
            return out
        distinct, back = np.unique(np.concatenate(rows), return_inverse=True)
        directions, weights = self._directions(distinct)
        likeness = (directions @ self._directions(own)[0].T).max(1).clip(min=0) ** 2 * weights
        starts = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
        total = np.add.reduceat(weights[back], starts)
        found = np.add.reduceat(likeness[back], starts)
        out[filled] = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
        return out

    def _directions(self, tokens: npt.NDArray[np.int32]) -> tuple[Vectors, npt.NDArray[np.float32]]:
        """Unit vectors of tokens, and the lengths that they had."""
        rows = self._table[tokens].astype(np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        rows /= np.maximum(lengths, 1e-6)[:, None]
        return rows, lengths * self._scale[tokens]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        chunk = [_encodable(text) for text in texts]
        return [found.ids for found in self._tokenizer.encode_batch_fast(chunk, add_special_tokens=False)]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; see :meth:`ipguard.encoding.base.Encoder.encode`."""
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _CHUNK):
            ids = self._tokens(texts[start : start + _CHUNK])
            lengths = np.array([len(row) for row in ids])
            filled = np.flatnonzero(lengths)
            if not len(filled):
                continue
            flat = np.concatenate([np.asarray(row, dtype=np.int32) for row in ids if row])
            rows = self._table[flat].astype(np.float32)
            rows *= self._scale[flat, None]
            offsets = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
            out[start + filled] = np.add.reduceat(rows, offsets, axis=0)
        return unit_rows(out)


def _encodable(text: str) -> str:
    """The text without what the tokenizer cannot take: lone surrogates; cut at the limit."""
    cut = text[:MAX_CHARS]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")
