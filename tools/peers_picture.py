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
    for name, row in peer_rows().items():
        if not row["accuracy"]:
            continue
        value, low, high = row["accuracy"]["auroc"]
        own = name == "ipguard"
        axes.errorbar(
            row["processor_us"], value, yerr=[[value - low], [high - value]], fmt="o", capsize=3,
            color="#b3261e" if own else "#44546a",
        )  # fmt: skip
        axes.annotate(name, (row["processor_us"], value), xytext=(7, 5), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.25)
    axes.set_xlabel("processor time a prompt, µs (less is better)")
    axes.set_ylabel("AUROC on real prompts, 95 % interval")
    axes.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "peers.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
