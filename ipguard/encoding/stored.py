"""Vectors of descriptions, kept in a file under the hash of the text and of the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from ipguard.encoding.base import Encoder, Vectors

VECTORS = "vectors.safetensors"


def text_keys(texts: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return a 64-bit key a text: the first eight bytes of its BLAKE2b hash."""
    digests = b"".join(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def stored_vectors(path: Path, encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Look vectors up in a file of vectors, and encode what it does not hold.

    Parameters
    ----------
    path
        File written by :func:`store_vectors`; it need not exist, and one of another encoder is passed over.
    encoder
        Makes the rest.
    texts
        What is wanted.

    Returns
    -------
    numpy.ndarray
        float32 ``(len(texts), dimensions)``.
    """
    out = np.zeros((len(texts), encoder.dimensions), dtype=np.float32)
    missing = np.ones(len(texts), dtype=bool)
    if path.is_file() and texts:
        with safe_open(path, framework="numpy") as stored:
            if (stored.metadata() or {}).get("encoder") == encoder.identity:
                keys, rows = stored.get_tensor("keys"), stored.get_tensor("rows")
                wanted = text_keys(texts)
                places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                missing = keys[places] != wanted
                out = rows[places].astype(np.float32)
    places = np.flatnonzero(missing)
    if len(places):
        out[places] = encoder.encode([texts[int(place)] for place in places])
    return out


def store_vectors(path: Path, encoder: Encoder, texts: Sequence[str]) -> None:
    """Encode texts and write their vectors as float16 rows, sorted by key.

    Parameters
    ----------
    path
        File to write.
    encoder
        Makes the vectors.
    texts
        Duplicates are stored once.
    """
    distinct = tuple(dict.fromkeys(texts))
    keys = text_keys(distinct)
    order = np.argsort(keys)
    rows = encoder.encode([distinct[place] for place in order]).astype(np.float16)
    save_file({"keys": keys[order], "rows": rows}, path, metadata={"encoder": encoder.identity})
