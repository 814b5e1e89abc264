"""A value with its interval, and the interval of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ipguard.errors import InvalidArgumentError

Z = 1.959963984540054
"""97.5th percentile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval, or with none where it cannot be had."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return ``0.966 (0.951–0.979)``."""
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def wilson(hits: int, total: int) -> Figure:
    """Return a share with its 95 % Wilson interval, which holds at shares near 0 and 1 too.

    Parameters
    ----------
    hits
        Rows that count.
    total
        All rows.

    Returns
    -------
    Figure
        The share and its interval.

    Raises
    ------
    InvalidArgumentError
        If there is no row, or more hits than rows.
    """
    if total < 1:
        raise InvalidArgumentError("total", "be at least 1", total)
    if not 0 <= hits <= total:
        raise InvalidArgumentError("hits", f"lie between 0 and {total}", hits)
    share = hits / total
    spread = Z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return Figure(share, min(max(0.0, centre - half), share), max(min(1.0, centre + half), share))
