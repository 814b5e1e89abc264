"""Latency and throughput, as ratios within one run.

    python benchmarks/latency.py FILE [--out benchmarks/records]

FILE is JSON Lines with a column ``text``. Whole verdicts are measured beside the encoder alone (the floor) and the
plain name list, on the same prompts, in turns; before a time is believed, verdicts of known prompts are checked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from machine import describe

from ipguard import Guard
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding import StaticEncoder
from ipguard.evaluation.scores import name_list_scores

CASES = Path(__file__).parent / "cases.json"
ROUNDS = 5


def timed(work: Callable[[], object]) -> float:
    """Return seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def check(guard: Guard) -> None:
    """Stop unless the known prompts get the expected decision and work."""
    for case in json.loads(CASES.read_text("utf-8")):
        verdict = guard.score(case["prompt"])
        works = {match.work_id for match in verdict.matches}
        if verdict.flagged != case["flagged"] or (case["flagged"] and case["work"] not in works):
            sys.exit(f"wrong verdict for {case['prompt']!r}: {verdict.decision}, {sorted(works)}; no time is believed")


def cold() -> float:
    """Return seconds of a first score in a new process, interpreter start included."""
    return timed(lambda: subprocess.run([sys.executable, "-c", "import ipguard; ipguard.score('a cat')"], check=True))


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    arguments = parser.parse_args()
    lines = arguments.file.read_text("utf-8").splitlines()[: arguments.rows]
    prompts = [json.loads(line)["text"] for line in lines]
    guard, encoder = Guard(), StaticEncoder(default_bundle() / "encoder")
    check(guard)
    few = prompts[:60]
    seconds: dict[str, list[float]] = {"verdicts": [], "encoder": [], "names": []}
    for _ in range(ROUNDS):
        seconds["verdicts"].append(timed(lambda: guard.score_many(prompts)) / len(prompts))
        seconds["encoder"].append(timed(lambda: encoder.encode(prompts)) / len(prompts))
        seconds["names"].append(timed(lambda: name_list_scores(guard, few)) / len(few))
    single = sorted(timed(lambda p=p: guard.score(p)) for p in prompts)  # type: ignore[misc]
    best = {name: min(values) for name, values in seconds.items()}
    record = {
        "what": "latency",
        "prompts": len(prompts),
        "microseconds_per_prompt": {name: round(value * 1e6, 1) for name, value in best.items()},
        "verdicts_to_encoder": round(best["verdicts"] / best["encoder"], 2),
        "verdicts_to_names": round(best["verdicts"] / best["names"], 3),
        "one_at_a_time_ms": {
            "p50": round(statistics.median(single) * 1e3, 2),
            "p99": round(single[int(len(single) * 0.99)] * 1e3, 2),
        },
        "cold_start_s": round(min(cold() for _ in range(3)), 2),
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        **describe(),
    }
    print(json.dumps(record, indent=1))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        day = datetime.now(tz=UTC).date().isoformat()
        (arguments.out / f"{day}-latency.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
