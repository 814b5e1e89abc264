"""Pictures of an accuracy record, in colours that stand on white and on black."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Float = npt.NDArray[np.float64]
INK = "#808080"
COLOURS = ("#2f81f7", "#d97706", "#059669", "#c026d3", "#b45309", "#0891b2", "#9ca3af", "#e11d48")
POINTS = 60
SHOWN = ("named", "misspelled", "obfuscated", "homograph (yes)", "described")
CLEAN = ("clean", "lookalike", "homograph (no)", "public_domain", "negation", "mention", "style")
plt.rcParams.update(
    {
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.figsize": (6.4, 4.0),
        "font.size": 10,
        "legend.frameon": False,
        "legend.labelcolor": INK,
        "savefig.transparent": True,
        "svg.fonttype": "none",
        "svg.hashsalt": "ipguard",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def curve(truth: npt.NDArray[np.bool_], score: Float) -> list[list[float]]:
    """Return some points of recall and precision, from the strictest threshold to the mildest.

    Parameters
    ----------
    truth, score
        bool and float64 ``(n,)``.

    Returns
    -------
    list
        At most :data:`POINTS` pairs, evenly spread over recall.
    """
    precision, recall, _ = precision_recall_curve(truth, score)
    wanted = np.linspace(0, 1, POINTS)
    places = np.unique(np.searchsorted(recall[::-1], wanted).clip(0, len(recall) - 1))
    return [[round(float(recall[::-1][at]), 4), round(float(precision[::-1][at]), 4)] for at in places]


def _save(path: Path) -> None:
    plt.tight_layout()
    plt.savefig(path, metadata={"Date": None})
    plt.close()


def draw_curves(curves: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """Draw recall against precision of several scorers."""
    for colour, (name, points) in zip(COLOURS, curves.items(), strict=False):
        recall, precision = np.array(points).T
        plt.plot(recall, precision, color=colour, label=name, linewidth=2.4 if name == "ipguard" else 1.3)
    plt.xlabel("recall")
    plt.ylabel("precision")
    plt.ylim(0, 1.02)
    plt.legend(fontsize=8, loc="lower left")
    _save(path)


def draw_reliability(bins: Sequence[Sequence[float]], path: Path) -> None:
    """Draw the share of yes against the mean risk, with intervals."""
    _, risk, share, low, high = np.array(bins).T
    plt.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
    plt.errorbar(risk, share, yerr=[share - low, high - share], fmt="o-", color=COLOURS[0], capsize=3)
    plt.xlabel("mean risk of the prompts in a bin")
    plt.ylabel("share labelled yes")
    _save(path)


def _bars(axes: Axes, rows: Sequence[Mapping[str, Any]], metric: str, colour: str) -> None:
    kept = [row for row in rows if metric in row]
    value, low, high = np.array([row[metric] for row in kept]).T
    places = np.arange(len(kept))[::-1]
    axes.barh(places, value, xerr=[value - low, high - value], color=colour, ecolor=INK, height=0.6)
    axes.set_yticks(places, [row["slice"] for row in kept])
    axes.set_xlim(0, 1)


def draw_slices(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw recall of the slices that ask for a franchise, and the share flagged of those that do not."""
    by_name = {row["slice"]: row for row in rows}
    _, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2))
    _bars(left, [by_name[name] for name in SHOWN if name in by_name], "recall@1%", COLOURS[0])
    left.set_xlabel("recall at 1 % of real clean prompts")
    _bars(right, [by_name[name] for name in CLEAN if name in by_name], "reviewed", COLOURS[1])
    right.set_xlabel("share flagged at the shipped threshold")
    _save(path)


def draw(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw every picture that a record has the figures for.

    Parameters
    ----------
    record
        An accuracy record.
    folder
        Created if it is not there.

    Returns
    -------
    list of pathlib.Path
        SVG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    real, written = record.get("real"), record.get("written", {})
    if real:
        drawn += [folder / "precision-recall.svg", folder / "reliability.svg"]
        draw_curves(real["curves"], drawn[0])
        draw_reliability(real["head"]["reliability"], drawn[1])
    figures = written.get("unseen") or written.get("known")
    if figures:
        drawn.append(folder / "slices.svg")
        draw_slices(figures["slices"], drawn[-1])
    return drawn
