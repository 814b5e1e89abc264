"""Accuracy on a file of labelled prompts: the guard beside the plain name list.

    python benchmarks/accuracy.py FILE [--out benchmarks/records]

The guard's row is what the shipped bundle gives on the file. If the bundle was trained on these prompts the row
flatters it; the cross-validated figures of its manifest, which stand in the same record, do not.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from machine import describe

from ipguard import Guard
from ipguard.classifier.bundle import default_bundle
from ipguard.evaluation.data import read_examples
from ipguard.evaluation.run import SCORERS, slices, table


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    examples = read_examples(arguments.file)
    guard = Guard()
    texts = [example.text for example in examples]
    rows = {}
    for name, (score, probability) in SCORERS.items():
        parts = slices(examples, score(guard, texts), probability=probability, rounds=arguments.rounds, by=())
        print(f"\n{name}\n{table(parts)}")
        rows[name] = {p.name: {k: [f.value, f.low, f.high] for k, f in (p.figures or {}).items()} for p in parts}
    manifest = json.loads((default_bundle() / "manifest.json").read_text("utf-8"))
    record = {
        "what": "accuracy",
        "rows": len(examples),
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        "scores": rows,
        "cross_validated": manifest["scores"],
        **describe(),
    }
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        day = datetime.now(tz=UTC).date().isoformat()
        target = arguments.out / f"{day}-accuracy.json"
        target.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        print(f"\n{target}")


if __name__ == "__main__":
    main()
