"""Batch scoring of a large file: rate, memory of all processes together, workers, and what one would write oneself.

    python benchmarks/batch.py FILE... [--rows 1000000] [--minilm FOLDER] [--out benchmarks/records]

FILEs are JSON Lines with a column ``text``; their texts are repeated with suffixes so that no two rows are alike. In
one run: 20,000 rows with one worker, with two, and with pandas, Sentence Transformers and logistic regression (of four
examples, since only its cost matters here); then 100,000 and ``--rows`` rows for the memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from machine import describe

from ipguard import Guard

SMALL, MIDDLE = 20_000, 100_000
PEER = """
import sys
import numpy as np, pandas as pd
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
source, target, folder = sys.argv[1:]
frame = pd.read_csv(source)
model = SentenceTransformer(folder, device="cpu")
head = LogisticRegression().fit(model.encode(["Pikachu", "Goku", "a lake", "a dog"]), [1, 1, 0, 0])
vectors = model.encode(frame["prompt"].tolist(), batch_size=32)
frame["risk"] = head.predict_proba(vectors)[:, 1]
frame.to_csv(target, index=False)
"""


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def memory(pid: int) -> float:
    """Return megabytes of a process and all below it, shared pages counted once (Linux's proportional set size)."""
    total = 0
    for one in family(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def measured(command: list[str]) -> dict[str, float]:
    """Run a command; return its seconds and the peak of its memory."""
    start = time.perf_counter()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.5):
            peak = max(peak, memory(run.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, err = run.communicate()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    if run.returncode not in (0, 1):
        sys.exit(err.decode())
    return {"seconds": round(seconds, 1), "peak_mb": round(peak)}


def write_rows(texts: list[str], rows: int, path: Path) -> None:
    """Write a CSV file of distinct prompts."""
    stream = (f"{text}, no {n}" for n in count() for text in texts)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt"])
        writer.writerows(enumerate(islice(stream, rows)))


def check(path: Path, rows: int) -> None:
    """Stop unless an output has a scored row for every row of the input."""
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        scored = sum(bool(row["ipguard_risk"]) and int(row["id"]) == at for at, row in enumerate(table))
    if scored != rows:
        sys.exit(f"{path} holds {scored} scored rows in order instead of {rows}; no time is believed")


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2, for the peer")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", type=Path, help="folder for the files")
    arguments = parser.parse_args()
    lines = [line for file in arguments.files for line in file.read_text("utf-8").splitlines()]
    texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    runs: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=arguments.work) as temporary:
        folder = Path(temporary)

        def batch(rows: int, workers: int) -> dict[str, float]:
            source, target = folder / f"{rows}.csv", folder / f"{rows}-out.csv"
            if not source.exists():
                write_rows(texts, rows, source)
            command = [
                sys.executable,
                "-m",
                "ipguard.cli",
                "batch",
                str(source),
                str(target),
                "--workers",
                str(workers),
            ]
            found = measured(command)
            check(target, rows)
            target.unlink()
            return {**found, "rows": rows, "workers": workers, "rows_per_second": round(rows / found["seconds"])}

        runs["one worker"], runs["two workers"] = batch(SMALL, 1), batch(SMALL, 2)
        if arguments.minilm:
            script, source = folder / "peer.py", folder / f"{SMALL}.csv"
            script.write_text(PEER)
            found = measured(
                [sys.executable, str(script), str(source), str(folder / "peer.csv"), str(arguments.minilm)]
            )
            runs["MiniLM"] = {**found, "rows": SMALL, "rows_per_second": round(SMALL / found["seconds"])}
        print(json.dumps(runs, indent=1), flush=True)
        for rows in (MIDDLE, arguments.rows):
            runs[f"{rows} rows"] = batch(rows, 2)
            print(json.dumps(runs[f"{rows} rows"]), flush=True)
    guard = Guard()
    large = runs[f"{arguments.rows} rows"]
    record = {
        "what": "batch",
        "distinct_texts": len(texts),
        "runs": runs,
        "two_workers_to_one": round(runs["one worker"]["seconds"] / runs["two workers"]["seconds"], 2),
        "memory_large_to_middle": round(large["peak_mb"] / runs[f"{MIDDLE} rows"]["peak_mb"], 2),
        "to_minilm": round(runs["two workers"]["rows_per_second"] / runs["MiniLM"]["rows_per_second"], 1)
        if "MiniLM" in runs
        else None,
        "date": datetime.now(UTC).date().isoformat(),
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        **describe(),
    }
    print(json.dumps(record, indent=1))
    if arguments.out:
        target = arguments.out / f"{record['date']}-batch.json"
        target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
