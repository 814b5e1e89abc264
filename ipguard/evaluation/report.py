"""Everything that ``ipguard eval`` says of a scorer, as tables and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ipguard.catalogue.store import Catalogue
from ipguard.evaluation.data import Example
from ipguard.evaluation.metrics import MIN_SLICE, Bin, reliability
from ipguard.evaluation.run import METRIC_COLUMNS, Slice, slices, table
from ipguard.evaluation.scores import Scores
from ipguard.evaluation.written import (
    PAIR_COLUMNS,
    SLICE_COLUMNS,
    Ruler,
    answers,
    pair_slices,
    works_slices,
    written_slices,
)


@dataclass(frozen=True)
class Report:
    """Figures of one scorer on some labelled prompts.

    Attributes
    ----------
    overall
        Yes against no, in all and by source.
    parts
        By slice or kind, and language.
    works
        By whether the catalogue has the work, and by medium.
    pairs
        Of look-alikes and homographs.
    bins
        Reliability; empty where the score is no probability.
    clean
        Number of clean prompts that set the thresholds of recall.
    """

    overall: list[Slice]
    parts: list[Slice]
    works: list[Slice]
    pairs: list[Slice]
    bins: list[Bin]
    clean: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready data: value, lower and upper end of the interval."""
        sections = {name: getattr(self, name) for name in ("overall", "parts", "works", "pairs")}
        return {
            **{name: [part.to_dict() for part in own] for name, own in sections.items()},
            "reliability": [asdict(own) for own in self.bins],
            "clean_prompts": self.clean,
        }

    def to_markdown(self) -> str:
        """Return the figures as Markdown tables."""
        blocks = [
            ("Yes against no", table(self.overall, METRIC_COLUMNS)),
            (f"By slice; recall at 1 % and 3 % of {self.clean} clean prompts", table(self.parts, SLICE_COLUMNS)),
            ("By work", table(self.works, SLICE_COLUMNS) if self.works else ""),
            ("Pairs", table(self.pairs, PAIR_COLUMNS) if self.pairs else ""),
            ("Reliability", bins_table(self.bins) if self.bins else ""),
        ]
        return "\n\n".join(f"{title}\n\n{text}" for title, text in blocks if text)


def bins_table(bins: Sequence[Bin]) -> str:
    """Return a reliability table as Markdown."""
    lines = ["| rows | mean risk | share of yes |", "|--:|--:|---|"]
    return "\n".join([*lines, *(f"| {own.rows} | {own.risk:.3f} | {own.share} |" for own in bins)])


def evaluate(
    examples: Sequence[Example],
    scores: Scores,
    catalogue: Catalogue,
    ruler: Ruler,
    *,
    probability: bool = True,
) -> Report:
    """Measure a scorer on labelled prompts.

    Parameters
    ----------
    examples
        Labelled prompts, of written test sets or not.
    scores
        Answers for all of them.
    catalogue
        Resolves their works.
    ruler
        Thresholds, and clean prompts that set those of recall; without any, the clean rows of the examples do.
    probability
        Whether the risk is a probability.

    Returns
    -------
    Report
        All figures.
    """
    accepted = answers(catalogue, examples)
    if not len(ruler.clean):
        negatives = np.array([e.label == "no" for e in examples], dtype=bool)
        ruler = Ruler(scores.risk[negatives], ruler.review, ruler.block, ruler.rounds)
    judged = np.array([e.label in ("yes", "no") for e in examples], dtype=bool)
    truth = np.array([e.label == "yes" for e in examples], dtype=bool)
    return Report(
        overall=slices(examples, scores.risk, probability=probability, rounds=ruler.rounds, by=("lang", "source")),
        parts=written_slices(examples, scores, accepted, ruler),
        works=works_slices(examples, scores, accepted, ruler, catalogue),
        pairs=pair_slices(examples, scores, ruler.review),
        bins=reliability(truth[judged], scores.risk[judged]) if probability and judged.sum() >= MIN_SLICE else [],
        clean=len(ruler.clean),
    )
