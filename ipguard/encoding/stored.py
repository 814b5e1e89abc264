"""Vectors that were stored, found by the hash of the text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from ipguard.encoding.base import Encoder, Vectors

Keys = npt.NDArray[np.uint64]


def text_keys(texts: Sequence[str]) -> Keys:
    """Return a 64-bit key a text: the first eight bytes of its BLAKE2b hash."""
    digests = b"".join(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def known_vectors(keys: Keys, rows: npt.NDArray[np.floating], encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Look vectors up by their texts, and encode what is not there.

    Parameters
    ----------
    keys
        Of the stored texts, from :func:`text_keys`, in any order.
    rows
        Their vectors, made by the same encoder.
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
    if len(keys) and texts:
        order = np.argsort(keys)
        wanted = text_keys(texts)
        places = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
        missing = keys[places] != wanted
        out = rows[places].astype(np.float32)
    gaps = np.flatnonzero(missing)
    if len(gaps):
        out[gaps] = encoder.encode([texts[int(gap)] for gap in gaps])
    return out
