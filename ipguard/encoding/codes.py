"""Vectors as 8-bit codes, whose products say in a fraction of the time which vectors are worth an exact product.

`NumKong <https://github.com/ashvardanian/NumKong>`_ multiplies codes with the integer instructions of the processor;
it has wheels for x86-64 and 64-bit ARM. Elsewhere numpy multiplies the same whole numbers as floats, which is exact
(256 products of at most 127 × 127 stay below 2²⁴) and slower.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ipguard.encoding.base import Vectors

Codes = npt.NDArray[np.int8]
Products = npt.NDArray[np.int32]
HIGHEST = 127


def quantise(vectors: Vectors, scale: npt.NDArray[np.float32] | float) -> Codes:
    """Round scaled vectors to 8-bit codes.

    Parameters
    ----------
    vectors
        float32 ``(n, d)``.
    scale
        Factor for all rows, or float32 ``(n, 1)``; the largest entry times it must be at most 127.

    Returns
    -------
    numpy.ndarray
        int8 ``(n, d)``.
    """
    codes: Codes = np.rint(vectors * scale).astype(np.int8)
    return codes


class Scan(Protocol):
    """Multiplies codes with all codes of a table."""

    def products(self, codes: Codes) -> Products:
        """Return int32 ``(len(codes), table)``."""


class _Packed:
    """Codes laid out for the processor's integer instructions."""

    def __init__(self, table: Codes) -> None:
        import numkong  # noqa: PLC0415 - one of the two classes is used

        self._multiply, self._new = numkong.dots_packed, numkong.empty
        self._packed = numkong.dots_pack(table)
        self._count = len(table)

    def products(self, codes: Codes) -> Products:
        """See :class:`Scan`."""
        return np.asarray(self._multiply(codes, self._packed))


class _Widened:
    """Codes as floats, for the linear algebra that numpy brings."""

    def __init__(self, table: Codes) -> None:
        self._transposed = table.astype(np.float32).T

    def products(self, codes: Codes) -> Products:
        """See :class:`Scan`."""
        return np.asarray(codes.astype(np.float32) @ self._transposed, dtype=np.int32)


def scan_of(table: Codes, *, packed: bool | None = None) -> Scan:
    """Return what multiplies codes with a table.

    Parameters
    ----------
    table
        int8 ``(n, d)``.
    packed
        Whether NumKong multiplies; None for wherever it is installed.

    Returns
    -------
    Scan
        Thread-safe.
    """
    return _Packed(table) if (find_spec("numkong") is not None if packed is None else packed) else _Widened(table)
