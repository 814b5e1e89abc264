"""Yes against no: figures of a scorer on labelled prompts, in all and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ipguard.evaluation.clusters import duplicate_clusters
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import Figure
from ipguard.evaluation.metrics import MIN_SLICE, figures

Float = npt.NDArray[np.float64]
METRIC_COLUMNS = ("auroc", "ap", "recall@1%", "recall@3%", "brier", "log_loss", "slope", "intercept", "ece")
KEYWORD_FOUND = "kwhits"
"""Part of the name of sources whose rows were found by keyword; headline figures leave them out."""


@dataclass(frozen=True)
class Slice:
    """Figures of some rows; None where they are too few or of one class."""

    name: str
    rows: int
    positives: int
    figures: dict[str, Figure] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the slice as JSON-ready data: value, lower and upper end of each interval."""
        own = {name: [round(f.value, 4), round(f.low, 4), round(f.high, 4)] for name, f in (self.figures or {}).items()}
        return {"slice": self.name, "rows": self.rows, "yes": self.positives, **own}


def slices(
    examples: Sequence[Example],
    score: Float,
    *,
    probability: bool = True,
    rounds: int = 500,
    by: Sequence[str] = ("kind", "lang", "source"),
) -> list[Slice]:
    """Return figures for all rows, without the keyword-found ones, and by group.

    Parameters
    ----------
    examples
        Labelled prompts; those labelled neither yes nor no are left out.
    score
        float64 ``(n,)`` of all of them.
    probability
        Whether the score is a probability.
    rounds
        Bootstrap samples.
    by
        Fields to group by. A kind holds its positives with all negatives, or its negatives with all
        positives; other groups hold their own rows.

    Returns
    -------
    list of Slice
        Headline first.
    """
    clusters = duplicate_clusters([e.text for e in examples])
    truth = np.array([e.label == "yes" for e in examples])
    judged = np.array([e.label in ("yes", "no") for e in examples])
    plain = np.array([KEYWORD_FOUND not in e.source for e in examples])
    found: list[Slice] = []

    def take(name: str, rows: npt.NDArray[np.bool_]) -> None:
        count, positives = int(rows.sum()), int(truth[rows].sum())
        usable = count >= MIN_SLICE and 0 < positives < count
        part = (
            figures(truth[rows], score[rows], clusters[rows], probability=probability, rounds=rounds)
            if usable
            else None
        )
        found.append(Slice(name, count, positives, part))

    take("without keyword-found rows", judged & plain)
    take("all rows", judged)
    for field in by:
        values = sorted({str(getattr(e, field)) for e in examples} - {""})
        for value in values:
            own = np.array([str(getattr(e, field)) == value for e in examples])
            if field == "kind":
                positive = bool(truth[own & judged].any())
                rows = judged & (own | (truth != positive))
            else:
                rows = judged & own
            if rows.any():
                take(f"{field}={value}", rows)
    return found


def table(
    parts: Sequence[Slice],
    columns: Sequence[str] = METRIC_COLUMNS,
) -> str:
    """Return figures as a Markdown table.

    Parameters
    ----------
    parts
        Slices.
    columns
        Metrics to show.

    Returns
    -------
    str
        One line a slice; slices without figures show their size only.
    """
    shown = [c for c in columns if any(p.figures and c in p.figures for p in parts)]
    lines = ["| slice | rows | yes | " + " | ".join(shown) + " |", "|---|--:|--:|" + "---|" * len(shown)]
    for part in parts:
        cells = [str(part.figures[c]) if part.figures and c in part.figures else "" for c in shown]
        lines.append(f"| {part.name} | {part.rows} | {part.positives} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
