"""What an encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their cosine similarity."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def identity(self) -> str:
        """Hash of whatever decides the vectors; equal identities give equal vectors."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts.

        Parameters
        ----------
        texts
            Any strings, of any language.

        Returns
        -------
        numpy.ndarray
            float32 of shape ``(len(texts), dimensions)``; rows of length one, or zero for a text in which
            the encoder knows nothing.
        """


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also compares texts token by token."""

    def coverage(self, text: str, others: Sequence[str]) -> Vectors:
        """Return how much of each other text is found again in a text.

        Parameters
        ----------
        text
            A prompt.
        others
            Descriptions.

        Returns
        -------
        numpy.ndarray
            float32 ``(len(others),)`` in [0, 1]: mean, over the tokens of the other text, of the squared cosine to the
            most similar token of the text, each weighted by the length of its vector (late interaction as in
            ColBERT, Khattab and Zaharia 2020, over static vectors).
        """


def unit_rows(vectors: Vectors) -> Vectors:
    """Scale rows to length one; zero rows and rows that are not finite become zero.

    Parameters
    ----------
    vectors
        float array of shape ``(n, d)``.

    Returns
    -------
    numpy.ndarray
        float32 of the same shape.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = vectors / norms
    return np.where(np.isfinite(scaled), scaled, 0).astype(np.float32)
