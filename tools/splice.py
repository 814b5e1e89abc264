"""Put measured figures into README.md and the pages of docs, and put the model card together; nothing is typed by hand.

python tools/splice.py
"""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import accuracy_tables
from rich.console import Console

from ipguard import Guard
from ipguard.catalogue.store import Catalogue
from ipguard.cli.catalogue import counts
from ipguard.cli.show import render

ROOT = Path(__file__).parent.parent
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("accuracy.md", "benchmarks.md", "deployment.md", "scale.md")),
)
HEADLINE = ("without keyword-found rows", "all rows")


def newest(what: str) -> dict[str, Any] | None:
    """Return the newest record of a benchmark, or None."""
    found = sorted((ROOT / "benchmarks" / "records").glob(f"????-??-??-{what}.json"))
    return json.loads(found[-1].read_text("utf-8")) if found else None


def accuracy() -> str:
    """Cross-validated figures of the bundle beside the plain name list."""
    scores = json.loads((ROOT / "models" / "default" / "manifest.json").read_text("utf-8"))["scores"]
    record = newest("accuracy") or {}
    listed = ((record.get("real") or {}).get("scorers") or {}).get("exact list", {})  # type: ignore[attr-defined]
    lines = ["| prompts | scorer | AUROC | recall at 1 % false positives | at 3 % |", "|---|---|---|---|---|"]
    for name in HEADLINE:
        part = scores[name]
        columns = ("auroc", "recall@1%", "recall@3%")
        size = f"{name} ({part['rows']}, {part['yes']} yes)"
        lines.append(
            f"| {size} | ipguard, cross-validated | "
            + " | ".join(accuracy_tables.interval(part.get(c)) for c in columns)
            + " |"
        )
        plain = listed.get(name, {})
        lines.append(
            "| | plain name list | " + " | ".join(accuracy_tables.interval(plain.get(c)) for c in columns) + " |"
        )
    return "\n".join(lines)


def speed() -> str:
    """The newest latency record as a table."""
    record = newest("latency")
    if record is None:
        return "Not measured yet."
    times, one = record["microseconds_per_prompt"], record["one_at_a_time_ms"]
    rows = [
        ("whole verdict, batch, one process", f"{times['verdicts']} µs a prompt"),
        ("whole verdict, batch, two processes", f"{times.get('two processes', '')} µs a prompt"),
        ("static encoder alone, batch", f"{times['encoder']} µs a prompt"),
        ("whole verdict to encoder alone, by the clock", f"{record['verdicts_to_encoder']} ×"),
        ("the same, processor time", f"{record['verdicts_to_encoder_processor']} ×"),
        ("one prompt of up to 60 words at a time", f"p50 {one['p50']} ms, p99 {one['p99']} ms"),
        (
            "first score from the shell, start of Python included",
            f"{record['cold_start_s']} s, {record['cold_start_mb']} MB",
        ),
    ]
    load = (
        f"\n\n{record['prompts']:,} prompts of {' and '.join(record['files'])}; "
        f"load average of the machine meanwhile {record['load_average']:.1f} on {record['cores']} cores."
    )
    return "| what | measured |\n|---|---|\n" + "\n".join(f"| {a} | {b} |" for a, b in rows) + load


def latency() -> str:
    """One prompt at a time, by length and language; a long prompt; batches."""
    record = newest("latency")
    if record is None:
        return "Not measured yet."
    groups, grown = record["one_at_a_time_by_group_ms"], record["growth"]
    lines = ["| prompts | how many | p50 | p99 |", "|---|--:|--:|--:|"]
    lines += [f"| {name} | {g['prompts']} | {g['p50']} ms | {g['p99']} ms |" for name, g in groups.items()]
    for title, unit, part in (
        ("words of one prompt", "ms", "milliseconds_by_words"),
        ("prompts at once", "µs a prompt", "microseconds_by_batch"),
    ):
        lines += [
            "",
            f"| {title} | {unit} |",
            "|--:|--:|",
            *(f"| {int(k):,} | {v:,} |" for k, v in grown[part].items()),
        ]
    return "\n".join(lines)


def growth() -> str:
    """What a larger catalogue costs."""
    record = newest("growth")
    if record is None:
        return "Not measured yet."
    sizes = record["sizes"]
    base = next(iter(sizes.values()))
    lines = [
        "| works | names | descriptions | start, processor | peak memory | a prompt in a batch, processor |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for size in sizes.values():
        start, batch, peak = size["start_s"][1], size["batch_s"][1], size["peak_mb"]
        lines.append(
            f"| {size['works']:,} | {size['names']:,} | {size['descriptions']:,} | {start:.2f} s ({start / base['start_s'][1]:.1f} ×) | "
            f"{peak:.0f} MB ({peak / base['peak_mb']:.1f} ×) | {batch * 1e6:.0f} µs ({batch / base['batch_s'][1]:.1f} ×) |"
        )
    return "\n".join(lines)


def peer_rows() -> dict[str, dict[str, Any]]:
    """Every scorer of the newest record, and of the newest one of an environment of its own."""
    record, apart = newest("peers"), newest("peers-llm-guard")
    rows = dict(record["peers"]) if record else {}
    rows |= {name: row for name, row in (apart or {"peers": {}})["peers"].items() if name != "ipguard" and rows}
    return rows


def peers() -> str:
    """Speed beside accuracy of what one would use instead."""
    rows = peer_rows()
    if not rows:
        return "Not measured yet."
    own = rows["ipguard"]["processor_us"]
    lines = [
        "| scorer | processor time a prompt | to ipguard | AUROC | recall at 1 % false positives |",
        "|---|--:|--:|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda pair: pair[1]["processor_us"]):
        found = row["accuracy"] or {}
        cells = [accuracy_tables.interval(found.get(key)) or "not measured" for key in ("auroc", "recall@1%")]
        lines.append(
            f"| {name} | {row['processor_us']:,.0f} µs | {row['processor_us'] / own:.2f} × | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


PRICE = 0.04
"""Dollars for an hour of a core, about what a shared core costs at the large clouds; put yours."""


def batch() -> str:
    """The newest batch record as a table and what follows from it."""
    record = newest("batch")
    if record is None:
        return "Not measured yet."
    runs: dict[str, dict[str, float]] = record["runs"]  # type: ignore[assignment]
    lines = ["| run | rows | rows a second | seconds | peak memory of all processes |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {run['rows']:,} | {run['rows_per_second']:,} | {run['seconds']:,} | {run['peak_mb']:,} MB |"
        for name, run in runs.items()
    ]
    large = max(runs.values(), key=lambda run: run["rows"])
    hours = large["seconds"] * large["workers"] / 3600 * 1e6 / large["rows"]
    lines += [
        "",
        (
            f"Measured {record['date']} on {record['cores']} cores in one run, over real prompts with "
            f"suffixes so that no two rows are alike. Two workers are {record['two_workers_to_one']} × one worker; the largest "
            f"file took {record['memory_large_to_middle']} × the memory of 100,000 rows. The afternoon's script (pandas, "
            f"all-MiniLM-L6-v2, logistic regression) on the same machine: ipguard is {record['to_minilm']} × as fast."
        ),
        "",
        (
            f"A million rows cost {hours:.2f} core hours; a billion {hours * 1000:,.0f} core hours, "
            f"{hours * 1000 / 64:,.0f} hours on 64 cores, some {hours * 1000 * PRICE:,.0f} dollars at {PRICE} dollars a core hour. "
            "That is a reckoning from the rows above; nobody has run a billion here."
        ),
    ]
    return "\n".join(lines)


def serve() -> str:
    """The newest records of the service under load, and of its soak."""
    lines = [
        "| workers | connections | requests a second | to `score_many` in one process | p50 | p99 | memory |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for workers in (1, 2):
        record = newest(f"serve-{workers}")
        if record is None:
            continue
        runs: dict[str, dict[str, float]] = record["connections"]  # type: ignore[assignment]
        ratios: dict[str, float] = record["to_score_many"]  # type: ignore[assignment]
        memory: dict[str, int] = record["memory_mb"]  # type: ignore[assignment]
        lines += [
            f"| {workers} | {count} | {run['per_second']:.0f} | {ratios[count]:.2f} | {run['p50_ms']:.0f} ms | "
            f"{run['p99_ms']:.0f} ms | {memory['after_load']} MB |"
            for count, run in runs.items()
        ]
        note = (
            f"Measured {record['date']}: {record['cores']} cores shared with the clients and others (load average "
            f"{record['load_average']:.1f}), one prompt a request, {record['distinct_texts']:,} real prompts. Read the ratios."
        )
        lines = [*[line for line in lines if line.startswith("|")], "", note]
    soak = newest("serve-soak-2")
    if soak is not None:
        answers: dict[str, int] = soak["answers"]  # type: ignore[assignment]
        lines += [
            "",
            (
                f"Soak, two workers: {soak['seconds']:.0f} seconds of load with the policy changed {soak['policies']} times and "
                f"the catalogue {soak['catalogues']} times: {sum(answers.values()):,} answers, {soak['errors']} errors."
            ),
        ]
    return "\n".join(lines)


def example() -> str:
    """What the first command of the README prints."""
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r'ipguard score "([^"]+)"', readme)
    if found is None:
        raise SystemExit("README.md names no example")
    guard = Guard()
    console = Console(width=116, highlight=False, markup=False, emoji=False, file=StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(render(found[1], guard.score(found[1]), guard.rights_holder))
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "```\n" + "\n".join(lines) + "\n```"


def size() -> str:
    """What the catalogue holds, in a sentence."""
    held = dict(counts(Catalogue.load(packs=("franchises", "brands"))).items())
    number = {key: f"{value:,}" for key, value in held.items() if isinstance(value, int)}
    return (
        f"{number['works']} works ({number['public_domain']} of them in the public domain), "
        f"{number['items']} characters and things ({number['described_items']} described), "
        f"{number['names']} names, {number['people']} real persons, {number['rights_holders']} rights holders."
    )


def parts() -> dict[str, str]:
    """Name of each marked place to what stands there."""
    record = newest("accuracy")
    measured = {name: make(record) for name, make in accuracy_tables.PARTS.items()} if record else {}
    return {
        "accuracy": accuracy(), "speed": speed(), "size": size(), "example": example(), "batch": batch(),
        "latency": latency(), "growth": growth(), "peers": peers(), "serve": serve(), **measured,
    }  # fmt: skip


def model_card() -> str:
    """The card of the bundle, and what the written test sets say that it cannot do."""
    card = (ROOT / "models" / "default" / "CARD.md").read_text("utf-8")
    record = newest("accuracy")
    return f"{card}\n{accuracy_tables.limits(record)}" if record else card


def main() -> None:
    """Fill every marked place."""
    filled = parts()
    for path in PAGES:
        text = path.read_text("utf-8")
        for name, content in filled.items():
            pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
            text = re.sub(pattern, lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text, flags=re.DOTALL)  # type: ignore[misc]
        path.write_text(text, "utf-8")
    (ROOT / "docs" / "model-card.md").write_text(model_card(), "utf-8")


if __name__ == "__main__":
    main()
