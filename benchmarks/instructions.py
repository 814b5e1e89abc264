"""How many instructions a start and a prompt take, against a committed count: slowness that no busy machine hides.

    python benchmarks/instructions.py [--write]

Two runs are counted, one that only makes a guard and scores a prompt and one that scores the prompts of all cases
too; their difference is what the prompts cost. ``perf`` counts where the processor's counters can be read, else
valgrind's cachegrind; a count of one is never compared with a count of the other. More than 1.5 times the count in
``instructions.json`` is a failure. Where neither tool works the check is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cases import read_cases, wrong
from machine import describe

REFERENCE = Path(__file__).parent / "instructions.json"
LIMIT = 1.5
ONE_THREAD = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def job(with_prompts: bool) -> None:
    """Make a guard, score one prompt and, if asked, those of all cases; stop at a wrong verdict."""
    from ipguard import Guard

    guard = Guard()
    guard.score("a red bicycle")
    if with_prompts:
        for case in read_cases():
            if complaint := wrong(case, guard.score_many([prompt.text for prompt in case.prompts])):
                sys.exit(complaint)


def perf(command: list[str]) -> int | None:
    """Count with perf; None where the processor's counters cannot be read."""
    if not shutil.which("perf"):
        return None
    done = subprocess.run(
        ["perf", "stat", "-x", ",", "-e", "instructions:u", *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | ONE_THREAD,
    )
    found = re.search(r"^(\d+),[^,]*,instructions", done.stderr, re.MULTILINE)
    return int(found[1]) if found and done.returncode == 0 else None


def cachegrind(command: list[str]) -> int | None:
    """Count with valgrind; None where it is not installed."""
    if not shutil.which("valgrind"):
        return None
    done = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | ONE_THREAD,
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"the job failed under valgrind:\n{done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def count() -> dict[str, object] | None:
    """Count both jobs with the first tool that works."""
    command = [sys.executable, str(Path(__file__)), "--job"]
    for tool in (perf, cachegrind):
        start = tool([*command, "start"])
        if start is None:
            continue
        whole = tool([*command, "prompts"])
        if whole is None:
            continue
        prompts = sum(len(case.prompts) for case in read_cases())
        return {"tool": tool.__name__, "start": start, "a_prompt": (whole - start) // prompts}
    return None


def main() -> int:
    """Count and compare, or write the reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="make today's count the reference")
    parser.add_argument("--job", choices=("start", "prompts"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        job(arguments.job == "prompts")
        return 0
    found = count()
    if found is None:
        print("skipped: neither perf's instruction counter nor valgrind is to be had here")
        return 0
    if arguments.write:
        REFERENCE.write_text(json.dumps({**found, **describe()}, indent=1) + "\n", "utf-8")
    reference = json.loads(REFERENCE.read_text("utf-8"))
    if reference["tool"] != found["tool"]:
        print(f"skipped: the reference was counted with {reference['tool']}, and here {found['tool']} counts")
        return 0
    slow = False
    for what in ("start", "a_prompt"):
        ratio = found[what] / reference[what]  # type: ignore[operator]
        slow |= ratio > LIMIT
        print(f"{what}: {found[what]:,} instructions, {ratio:.2f} × the reference")
    if slow:
        print(f"more than {LIMIT} × the reference; if it must be, say why in the commit that rewrites {REFERENCE.name}")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
