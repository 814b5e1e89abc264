"""Two revisions in turn, pair by pair: is one quicker, and how sure is that.

    python benchmarks/compare.py REV [OTHER] --file FILE [--pairs 12] [--rows 512]

REV and OTHER (the working tree if left out) are checked out beside each other, each with its compiled catalogue and
vectors. Each is a process that waits; in every pair both score the same prompts, one after the other, the first of
them changing from pair to pair, so that whatever else the machine does falls on both. A pair gives a ratio; printed
are their geometric mean and a 95 % interval from a bootstrap over pairs. Verdicts are compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
WORKER = """
import json, sys, time
from ipguard import Guard
guard = Guard()
guard.score_many(["a red bicycle"] * 4)
for line in sys.stdin:
    prompts = json.loads(line)
    start, used = time.perf_counter(), time.process_time()
    verdicts = guard.score_many(prompts)
    batch, cpu = time.perf_counter() - start, time.process_time() - used
    few = prompts[:32]
    start = time.perf_counter()
    for prompt in few:
        guard.score(prompt)
    single = time.perf_counter() - start
    risks = [[round(v.risk, 6), v.decision, [(m.work_id, m.start, m.end) for m in v.matches]] for v in verdicts]
    print(json.dumps({"batch": batch, "cpu": cpu, "single": single, "verdicts": risks}), flush=True)
"""
BUILD = """
import sys
sys.path.insert(0, ".")
from hatch_build import CompileCatalogue
hook = CompileCatalogue(".", {}, None, None, "", "")
hook.initialize("editable", {"artifacts": [], "force_include": {}})
"""
Answer = dict[str, Any]


def checkout(revision: str | None, folder: Path) -> Path:
    """Return a tree of a revision with what the build makes; the working tree where none is named."""
    if revision is None:
        return ROOT
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", revision], check=True, stdout=subprocess.PIPE)
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, env=os.environ | {"PYTHONPATH": str(folder)})
    return folder


def worker(tree: Path) -> subprocess.Popen[str]:
    """Start a process that scores with the code of a tree."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
    )


def ask(process: subprocess.Popen[str], prompts: list[str]) -> Answer:
    """Let a worker score prompts; stop if it has died."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(prompts) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit("a worker has died; see above")
    return dict(json.loads(answer))


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """Return the geometric mean of ratios and its 95 % interval over resampled pairs."""
    logs = np.log(ratios)
    means = np.random.default_rng(0).choice(logs, (2000, len(logs))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high))


def main() -> None:
    """Run the pairs and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--file", type=Path, required=True, help="JSON Lines with a column text")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--rows", type=int, default=512)
    arguments = parser.parse_args()
    texts = [json.loads(line)["text"] for line in arguments.file.read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as temporary:
        revisions = {arguments.revision: "one", arguments.other: "other"}
        trees = {name: checkout(revision, Path(temporary) / name) for revision, name in revisions.items()}
        workers = {name: worker(tree) for name, tree in trees.items()}
        try:
            pairs = run(workers, texts, arguments.pairs, arguments.rows)
        finally:
            for process in workers.values():
                process.kill()
    report(pairs, arguments.revision, arguments.other or "working tree")


def run(workers: dict[str, subprocess.Popen[str]], texts: list[str], pairs: int, rows: int) -> list[dict[str, Answer]]:
    """Score other prompts in every pair, so that nothing remembered from the last one helps."""
    done = []
    for number in range(pairs):
        start = number * rows % max(len(texts) - rows, 1)
        prompts = texts[start : start + rows]
        order = list(workers) if number % 2 else list(workers)[::-1]
        done.append({name: ask(workers[name], prompts) for name in order})
        print(f"pair {number + 1} of {pairs}", file=sys.stderr)
    return done


def report(pairs: list[dict[str, Answer]], one: str, other: str) -> None:
    """Print a line a measure, and how many verdicts differ."""
    print(f"time of {one} / time of {other}: above 1, {other} is the quicker")
    for measure in ("batch", "cpu", "single"):
        ratios = [pair["one"][measure] / pair["other"][measure] for pair in pairs]
        mean, low, high = interval(ratios)
        print(f"{measure:7} {mean:.3f} ({low:.3f}–{high:.3f}) over {len(ratios)} pairs")
    verdicts = [list(zip(pair["one"]["verdicts"], pair["other"]["verdicts"], strict=True)) for pair in pairs]
    both = [entry for pair in verdicts for entry in pair]
    differing = sum(a != b for a, b in both)
    print(f"verdicts that differ: {differing} of {len(both)}")


if __name__ == "__main__":
    main()
