"""Latency, throughput, memory and growth, as ratios within one run.

    python benchmarks/latency.py FILE... [--out benchmarks/records] [--rows 2000]

FILEs are JSON Lines with a column ``text``. Whole verdicts are measured beside the encoder alone (the floor) and the
plain name list, on the same prompts, in turns; each prompt is scored once in a process, so that nothing remembered of
it helps. Before a time is believed, the verdicts of all cases are checked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cases import read_cases, wrong
from machine import describe

from ipguard import Guard
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding import StaticEncoder
from ipguard.evaluation.scores import name_list_scores
from ipguard.text.language import plain_language

ROUNDS = 5
BANDS = ((12, "≤ 12"), (30, "13–30"), (60, "31–60"), (150, "61–150"))
SHORT, FEW = "up to 60 words", 20
LONG = (1250, 2500, 5000, 10_000)
BATCHES = (1, 4, 16, 64, 256)
# The peak of the memory map: getrusage would count the process that started this one too.
SHELL = r"""
import atexit, re, sys
from pathlib import Path
peak = lambda: print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
atexit.register(peak)
from ipguard.cli import main
sys.argv = ["ipguard", "score", "a frozen lake at dawn"]
main()
"""
WORKER = """
import json, sys
from ipguard import Guard
guard = Guard()
guard.score_many(["a red bicycle"] * 4)
prompts = json.loads(sys.stdin.readline())
print("ready", flush=True)
sys.stdin.readline()
guard.score_many(prompts)
print("done", flush=True)
"""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def timed(work: Callable[[], object]) -> float:
    """Return seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def check(guard: Guard) -> None:
    """Stop unless the prompts of all cases get the expected verdict."""
    for case in read_cases():
        complaint = wrong(case, guard.score_many([prompt.text for prompt in case.prompts]))
        if complaint:
            sys.exit(complaint)


def cold() -> tuple[float, float]:
    """Return seconds and peak megabytes of a first score from the shell, interpreter start included."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, int(done.stderr) / 1024


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50 and p99 in milliseconds, and how many they are of."""
    ordered = sorted(seconds)
    return {
        "prompts": len(ordered),
        "p50": round(statistics.median(ordered) * 1e3, 2),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1e3, 2),
    }


def band(prompt: str) -> str:
    """Return the length of a prompt in words; two characters of a script without spaces are one."""
    dense = sum(char > "\u2e7f" for char in prompt)
    words = len(prompt.split()) + dense // 2
    return next((name for most, name in BANDS if words <= most), "> 150")


def one_at_a_time(guard: Guard, prompts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Latency by length, by language, and of all prompts up to sixty words."""
    groups: dict[str, list[float]] = {}
    for prompt in prompts:
        seconds = timed(lambda p=prompt: guard.score(p))  # type: ignore[misc]
        length = band(prompt)
        names = [f"{length} words", plain_language(prompt) or "no plain language"]
        for name in [*names, *([SHORT] if length in ("≤ 12", "13–30", "31–60") else [])]:
            groups.setdefault(name, []).append(seconds)
    kept = {name: values for name, values in sorted(groups.items()) if name == SHORT or len(values) >= FEW}
    return {name: percentiles(values) for name, values in kept.items()}


def rates(guard: Guard, encoder: StaticEncoder, prompts: Sequence[str]) -> dict[str, float]:
    """Microseconds a prompt in batches, in turns over slices of the prompts."""
    seconds = dict.fromkeys(("verdicts", "encoder", "names", "verdicts, processor", "encoder, processor"), 0.0)
    few = 0
    for turn in range(ROUNDS):
        own = prompts[turn::ROUNDS]
        for name, work in (("verdicts", guard.score_many), ("encoder", encoder.encode)):
            used = time.process_time()
            seconds[name] += timed(lambda own=own, work=work: work(own))  # type: ignore[misc]
            seconds[f"{name}, processor"] += time.process_time() - used
        seconds["names"] += timed(lambda own=own: name_list_scores(guard, own[:12]))  # type: ignore[misc]
        few += len(own[:12])
    return {name: round(value / (few if name == "names" else len(prompts)) * 1e6, 1) for name, value in seconds.items()}


def workers(prompts: Sequence[str], count: int) -> float:
    """Microseconds a prompt of so many processes together, all ready before the clock starts."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD,
        )
        for _ in range(count)
    ]
    for number, process in enumerate(running):
        say(process, json.dumps(prompts[number::count]))
    for process in running:
        hear(process, "ready")
    start = time.perf_counter()
    for process in running:
        say(process, "")
    for process in running:
        hear(process, "done")
    seconds = time.perf_counter() - start
    for process in running:
        process.wait()
    return round(seconds / len(prompts) * 1e6, 1)


def say(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to a worker."""
    assert process.stdin is not None  # noqa: S101 - a pipe
    process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str], word: str) -> None:
    """Wait for a word of a worker; stop if it says another."""
    assert process.stdout is not None  # noqa: S101 - a pipe
    if (said := process.stdout.readline().strip()) != word:
        sys.exit(f"a worker said {said!r} instead of {word!r}")


def growth(guard: Guard, prompts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Milliseconds by the length of one prompt, and microseconds a prompt by the size of a batch."""
    words = " ".join(prompts).split()
    long = {}
    for length in LONG:
        texts = [" ".join(words[at : at + length]) for at in (0, length // 3, length // 2)]
        long[str(length)] = round(min(timed(lambda t=text: guard.score(t)) for text in texts) * 1e3, 1)  # type: ignore[misc]
    sizes = {}
    for number, size in enumerate(BATCHES):
        own = prompts[number :: len(BATCHES)][:256]
        batches = [own[at : at + size] for at in range(0, len(own), size)]
        sizes[str(size)] = round(timed(lambda b=batches: [guard.score_many(one) for one in b]) / len(own) * 1e6, 1)  # type: ignore[misc]
    return {"milliseconds_by_words": long, "microseconds_by_batch": sizes}


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=int, default=2000, help="prompts of each file")
    arguments = parser.parse_args()
    prompts: list[str] = []
    for file in arguments.files:
        texts = dict.fromkeys(json.loads(line)["text"] for line in file.read_text("utf-8").splitlines())
        prompts += list(texts)[: arguments.rows]
    guard, encoder = Guard(), StaticEncoder(default_bundle() / "encoder")
    check(guard)
    # Each part has prompts of its own.
    batch, single, long, spread = (prompts[at::4] for at in range(4))
    micro = rates(guard, encoder, batch)
    alone = one_at_a_time(guard, single)
    by_workers = {str(count): workers(spread, count) for count in (1, 2)}
    starts = [cold() for _ in range(3)]
    record = {
        "what": "latency",
        "files": [file.name for file in arguments.files],
        "prompts": len(prompts),
        "microseconds_per_prompt": {
            **micro,
            "two processes": by_workers["2"],
            "one process, one thread": by_workers["1"],
        },
        "verdicts_to_encoder": round(min(micro["verdicts"], by_workers["2"]) / micro["encoder"], 2),
        "verdicts_to_encoder_processor": round(micro["verdicts, processor"] / micro["encoder, processor"], 2),
        "verdicts_to_names": round(micro["verdicts"] / micro["names"], 3),
        "one_at_a_time_ms": alone[SHORT],
        "one_at_a_time_by_group_ms": alone,
        "growth": growth(guard, long),
        "cold_start_s": round(min(seconds for seconds, _ in starts), 2),
        "cold_start_mb": round(max(peak for _, peak in starts)),
        "load_average": os.getloadavg()[0],
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        **describe(),
    }
    print(json.dumps(record, indent=1, ensure_ascii=False))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        day = datetime.now(tz=UTC).date().isoformat()
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        (arguments.out / f"{day}-latency.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
