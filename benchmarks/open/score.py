"""Every figure of the open benchmark, from a file of scores. Needs numpy only.

    python benchmarks/open/score.py SCORES.jsonl [--threshold T] [--json]

A line is {"id": …, "score": …}, higher for prompts at risk; {"work": "Franchise"} is optional and is held against the
labelled franchise. Written prompts must all be scored. Real prompts, whose id is the hash of their text, are optional:
with them, recall is measured at 1 % and 3 % of real clean prompts, else at 1 % and 3 % of the written clean ones.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from load import LABELS, Row, public_labels, written

ROUNDS = 400
SHARES = (0.01, 0.03)
Figure = list[float]


def threshold_at(clean: np.ndarray, share: float) -> float:
    """Return the lowest threshold that no more than a share of the clean scores exceeds; a score must exceed it."""
    ordered = np.sort(clean)[::-1]
    return float(ordered[min(int(share * len(ordered) + 1e-9), len(ordered) - 1)])


def recall(positives: np.ndarray, clean: np.ndarray, share: float) -> float:
    """Return the share of positives above the threshold that leaves a share of the clean ones above it."""
    return float((positives > threshold_at(clean, share)).mean())


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return the chance that a positive scores higher than a negative, ties counting half."""
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left") + np.searchsorted(ordered, positives, "right")
    return float(below.mean() / (2 * len(ordered)))


def interval(metric: Callable[..., float], *samples: np.ndarray, seed: int = 0) -> Figure:
    """Return a metric with its 95 % bootstrap interval, each sample drawn afresh."""
    generator = np.random.default_rng(seed)
    drawn = [
        metric(*(sample[generator.integers(0, len(sample), len(sample))] for sample in samples)) for _ in range(ROUNDS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return [round(float(value), 4) for value in (metric(*samples), low, high)]


def share(hits: np.ndarray) -> Figure:
    """Return a share with its 95 % Wilson interval."""
    total, mean, z2 = len(hits), float(hits.mean()), 1.959963984540054**2
    half = (z2 * (mean * (1 - mean) / total + z2 / (4 * total**2))) ** 0.5
    centre = mean + z2 / (2 * total)
    return [
        round(v, 4) for v in (mean, max(0.0, (centre - half) / (1 + z2 / total)), (centre + half) / (1 + z2 / total))
    ]


def _language(row: Row) -> str:
    return row.lang if row.lang in ("en", "ja") else "other languages"


def _same_work(named: str | None, row: Row) -> bool:
    def franchise(text: str) -> str:
        return "".join(c for c in text.partition(": ")[0].casefold() if c.isalnum())

    return named is not None and franchise(named) in {franchise(work) for work in row.works}


def slice_figures(
    rows: Sequence[Row], score: dict[str, float], work: dict[str, str], clean: np.ndarray, threshold: float
) -> dict[str, dict[str, object]]:
    """Return the figures of every slice and label, in all and by language.

    Parameters
    ----------
    rows
        Written prompts.
    score, work
        By id; works may be missing.
    clean
        Scores of clean prompts.
    threshold
        From which a prompt counts as flagged.

    Returns
    -------
    dict
        Name of the slice to its number of rows and its figures, each with its interval.
    """
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        name = f"{row.slice} ({row.label})" if row.slice == "homograph" else row.slice
        groups[name].append(row)
        groups[f"{name}, {_language(row)}"].append(row)
    found: dict[str, dict[str, object]] = {}
    for name, own in sorted(groups.items()):
        scores = np.array([score[row.id] for row in own])
        figures: dict[str, object] = {"rows": len(own), "label": own[0].label, "flagged": share(scores > threshold)}
        if own[0].label == "yes":
            for part in SHARES:
                figures[f"recall@{part:.0%}"] = interval(lambda p, c, s=part: recall(p, c, s), scores, clean)
            if work:
                figures["right work"] = share(np.array([_same_work(work.get(row.id), row) for row in own]))
        found[name] = figures
    return found


def pair_figures(rows: Sequence[Row], score: dict[str, float], threshold: float) -> dict[str, dict[str, object]]:
    """Return how often the asking prompt of a pair scores higher, and how often the threshold parts the two.

    Parameters
    ----------
    rows
        Written prompts.
    score
        By id.
    threshold
        From which a prompt counts as flagged.

    Returns
    -------
    dict
        Kind of pair, in all and by language, to its number of pairs and figures.
    """
    sides: defaultdict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.pair is not None:
            kind = "homograph" if row.slice == "homograph" else "look-alike"
            sides[kind, _language(row), f"{row.lang} {row.pair}"][row.label] = score[row.id]
    groups: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for (kind, lang, _), two in sides.items():
        if len(two) == 2:
            groups[kind].append((two["yes"], two["no"]))
            groups[f"{kind}, {lang}"].append((two["yes"], two["no"]))
    found: dict[str, dict[str, object]] = {}
    for name, values in sorted(groups.items()):
        yes, no = np.array(values).T
        found[name] = {
            "pairs": len(values),
            "yes higher": share(yes > no),
            "told apart": share((yes > threshold) & (no <= threshold)),
        }
    return found


def overall_figures(rows: Sequence[Row], score: dict[str, float]) -> dict[str, object]:
    """Return AUROC and recall of yes against no among some rows that were scored.

    Parameters
    ----------
    rows
        Labelled prompts.
    score
        By id.

    Returns
    -------
    dict
        Numbers of rows and the figures.
    """
    yes, no = (np.array([score[r.id] for r in rows if r.label == label and r.id in score]) for label in ("yes", "no"))
    figures: dict[str, object] = {"rows": len(yes) + len(no), "yes": len(yes)}
    if len(yes) and len(no):
        figures["auroc"] = interval(auroc, yes, no)
        for part in SHARES:
            figures[f"recall@{part:.0%}"] = interval(lambda p, c, s=part: recall(p, c, s), yes, no)
    return figures


def evaluate(
    score: dict[str, float], work: dict[str, str], *, threshold: float | None = None, labels: Path = LABELS
) -> dict[str, object]:
    """Return every figure of a file of scores.

    Parameters
    ----------
    score, work
        By id.
    threshold
        From which a prompt counts as flagged; None for the one that flags 1 % of the clean prompts.
    labels
        Folder of labels under hashes.

    Returns
    -------
    dict
        JSON-ready.
    """
    rows, real = written(), [row for row in public_labels(labels) if row.id in score]
    missing = [row.id for row in rows if row.id not in score]
    if missing:
        raise SystemExit(f"{len(missing)} written prompts have no score, {missing[0]} the first.")
    source = [row for row in real if row.label == "no"] or [row for row in rows if row.slice == "clean"]
    clean = np.array([score[row.id] for row in source])
    at = threshold_at(clean, SHARES[0]) if threshold is None else float(np.nextafter(threshold, -np.inf))
    return {
        "clean prompts": {"rows": len(clean), "real": bool(real)},
        "threshold": at,
        "written": overall_figures(rows, score),
        "real": overall_figures(real, score),
        "slices": slice_figures(rows, score, work, clean, at),
        "pairs": pair_figures(rows, score, at),
    }


def read_scores(path: Path) -> tuple[dict[str, float], dict[str, str]]:
    """Read a file of scores; a score that is no finite number stops the run."""
    score, work = {}, {}
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        value = row.get("score")
        if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
            raise SystemExit(f"{path}:{number}: score must be a finite number. Got {value!r}.")
        score[row["id"]] = float(value)
        if row.get("work"):
            work[row["id"]] = row["work"]
    return score, work


def show(found: dict[str, object]) -> str:
    """Return the figures as lines of text."""
    lines = [f"clean prompts: {found['clean prompts']}", f"threshold: {found['threshold']:.6g}"]
    lines += [f"{section}: {_line(found[section])}" for section in ("written", "real")]
    for section in ("slices", "pairs"):
        lines += ["", *(f"{name:32} {_line(figures)}" for name, figures in found[section].items())]
    return "\n".join(lines)


def _line(figures: dict[str, object]) -> str:
    def cell(value: object) -> str:
        return f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})" if isinstance(value, list) else str(value)

    return "  ".join(f"{name} {cell(value)}" for name, value in figures.items())


def main() -> None:
    """Read scores and print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--threshold", type=float, help="flag from this score on; default: 1 % of the clean prompts")
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    score, work = read_scores(arguments.scores)
    found = evaluate(score, work, threshold=arguments.threshold, labels=arguments.labels)
    print(json.dumps(found, indent=1) if arguments.json else show(found))


if __name__ == "__main__":
    main()
