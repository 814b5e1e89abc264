"""Draw accuracy against cost from the newest record of peers: docs/peers.svg.

python tools/peers_picture.py
"""

from __future__ import annotations

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from splice import ROOT, peer_rows


def main() -> None:
    """Draw every scorer whose accuracy was measured."""
    mpl.rcParams["svg.hashsalt"] = "ipguard"
    figure, axes = plt.subplots(figsize=(9, 5))
    measured = sorted((row["processor_us"], name, row) for name, row in peer_rows().items() if row["accuracy"])
    for number, (cost, name, row) in enumerate(measured, 1):
        value, low, high = row["accuracy"]["auroc"]
        color = "#b3261e" if name == "ipguard" else "#44546a"
        label = f"{number}  {name}"
        axes.errorbar(cost, value, yerr=[[value - low], [high - value]], fmt="o", capsize=3, color=color, label=label)
        axes.annotate(str(number), (cost, value), xytext=(6, 4), textcoords="offset points", fontsize=9, color=color)
    axes.set_xscale("log")
    axes.set_xlabel("processor time a prompt, µs (less is better)")
    axes.set_ylabel("AUROC on real prompts, 95 % interval")
    axes.grid(visible=True, alpha=0.3)
    # Names beside the points would cover each other.
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "peers.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
