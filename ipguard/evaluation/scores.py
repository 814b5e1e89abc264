"""What a scorer says of prompts: risks, and the works that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.guard import Guard
from ipguard.verdict import Verdict

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """Answers of a scorer, one a prompt.

    Attributes
    ----------
    risk
        float64 ``(n,)``, higher for prompts at risk.
    works
        Id of the work that the scorer names first, or None where it names none.
    style
        float64 ``(n,)``: risk of the style category, or None where the scorer has none.
    """

    risk: Float
    works: tuple[str | None, ...]
    style: Float | None = None

    def take(self, rows: Bool) -> Scores:
        """Return the answers of some prompts.

        Parameters
        ----------
        rows
            bool ``(n,)``.

        Returns
        -------
        Scores
            In order.
        """
        works = tuple(work for work, kept in zip(self.works, rows.tolist(), strict=True) if kept)
        return Scores(self.risk[rows], works, None if self.style is None else self.style[rows])


Scorer = Callable[[Sequence[str]], Scores]


def join_scores(parts: Sequence[tuple[Bool, Scores]]) -> Scores:
    """Put the answers of several scorers, each for its own prompts, into one.

    Parameters
    ----------
    parts
        Which of all prompts a scorer answered, bool ``(n,)``, and its answers. Each prompt is answered once.

    Returns
    -------
    Scores
        Of all prompts.
    """
    count = len(parts[0][0])
    risk, style = np.full(count, np.nan), np.full(count, np.nan)
    works: list[str | None] = [None] * count
    for rows, scores in parts:
        risk[rows] = scores.risk
        if scores.style is not None:
            style[rows] = scores.style
        for at, work in zip(np.flatnonzero(rows).tolist(), scores.works, strict=True):
            works[at] = work
    return Scores(risk, tuple(works), None if np.isnan(style).any() else style)


def _first_work(verdict: Verdict) -> str | None:
    return next((match.work_id for match in verdict.matches if match.status == "protected"), None)


def guard_scores(guard: Guard, texts: Sequence[str]) -> Scores:
    """Return the risks that a guard gives.

    Parameters
    ----------
    guard
        The guard.
    texts
        Prompts.

    Returns
    -------
    Scores
        With the protected work of the highest risk.
    """
    verdicts = guard.score_many(texts)
    return Scores(
        np.array([verdict.risk for verdict in verdicts], dtype=np.float64),
        tuple(_first_work(verdict) for verdict in verdicts),
        np.array([verdict.categories["style"] or 0.0 for verdict in verdicts], dtype=np.float64),
    )


def name_list_scores(guard: Guard, texts: Sequence[str]) -> Float:
    """Score by the plain name list: the length of the longest name of the catalogue, on word boundaries.

    The baseline to beat: exact strings after case folding, no senses, no context.

    Parameters
    ----------
    guard
        Whose catalogue is used.
    texts
        Prompts.

    Returns
    -------
    numpy.ndarray
        float64 ``(n,)``; 0 where no name occurs.
    """
    names = {text.casefold() for text in guard.compiled.texts}
    longest = max(map(len, names), default=0)
    scores = np.zeros(len(texts))
    for at, text in enumerate(texts):
        lowered = text.casefold()
        starts = [m.start() for m in re.finditer(r"\b\w|(?<=[^\x00-\x7f])\w|[^\x00-\x7f]", lowered)]
        best = 0
        for start in starts:
            for end in range(start + 1, min(len(lowered), start + longest) + 1):
                closed = (
                    end == len(lowered)
                    or not (lowered[end - 1].isalnum() and lowered[end].isalnum())
                    or not lowered[end].isascii()
                )
                if closed and lowered[start:end] in names:
                    best = max(best, end - start)
        scores[at] = best
    return scores


def _names_only(guard: Guard, texts: Sequence[str]) -> Scores:
    return Scores(name_list_scores(guard, texts), (None,) * len(texts))


SCORERS: dict[str, tuple[Callable[[Guard, Sequence[str]], Scores], bool]] = {
    "guard": (guard_scores, True),
    "names": (_names_only, False),
}
"""What can be evaluated, and whether it gives probabilities."""
