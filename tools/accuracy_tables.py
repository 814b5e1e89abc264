"""Tables of docs/accuracy.md and of the model card, from the newest accuracy record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
RANKING = {"auroc": "AUROC", "ap": "average precision", "recall@1%": "recall at 1 %", "recall@3%": "recall at 3 %"}
ASKING = ("named", "obfuscated", "homograph (yes)", "described")
CLEAN = ("clean", "lookalike", "homograph (no)", "public_domain", "negation", "mention", "style")
WORKS = {
    "known": "known: trained on, in the catalogue",
    "unseen": "unseen: in the catalogue, no prompt of it trained on",
    "added": "added: unseen, and put into the catalogue after training",
    "absent": "absent: unseen, and not in the catalogue",
    "absent, ablated": "absent, words of fan art and style taken out of the prompts",
}
MISSING = "Not measured yet."


def interval(cell: Sequence[float] | None) -> str:
    """Return ``0.966 (0.951–0.979)``, or nothing where there is no figure."""
    return f"{cell[0]:.3f} ({cell[1]:.3f}–{cell[2]:.3f})" if cell else ""


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _by_name(slices: Iterable[Record]) -> dict[str, Record]:
    return {part["slice"]: part for part in slices}


def _measured(parts: Mapping[str, Record], metric: str) -> dict[str, Record]:
    """Those that have enough rows for a figure; the languages left out count in the whole slice."""
    return {name: part for name, part in parts.items() if metric in part}


def _written(record: Record, name: str, section: str = "slices") -> dict[str, Record]:
    found = record["written"].get(name)
    return _by_name(found[section]) if found else {}


def scorers(record: Record) -> str:
    """All scorers on the same folds of real prompts."""
    if not record.get("real"):
        return MISSING
    rows = []
    for part in ("without keyword-found rows", "all rows"):
        for name, own in record["real"]["scorers"].items():
            figures = own[part]
            size = f"{part} ({figures['rows']}, {figures['yes']} yes)"
            rows.append([size, name, *(interval(figures[metric]) for metric in RANKING)])
    return grid(["prompts", "scorer", *RANKING.values()], rows)


def calibration(record: Record) -> str:
    """Calibration, the right work, and the two halves of the real prompts."""
    if not record.get("real"):
        return MISSING
    slices, right = _by_name(record["real"]["head"]["slices"]), record["real"]["right_work"]
    columns = ("auroc", "recall@1%", "recall@3%", "slope", "intercept", "ece")
    rows = []
    for part in ("without keyword-found rows", "all rows"):
        for prefix in ("", "look, ", "measure, "):
            own = slices.get(prefix + part)
            if own:
                first = interval(right.get(part)) if not prefix else ""
                rows.append([prefix + part, *(interval(own.get(column)) for column in columns), first])
    head = ["prompts", "AUROC", "recall at 1 %", "at 3 %", "slope", "intercept", "calibration error", "right work"]
    return grid(head, rows)


def kinds(record: Record) -> str:
    """Real prompts by kind, cross-validated: what is caught of those that ask, and flagged of those that do not."""
    if not (record.get("real") or {}).get("kinds"):
        return MISSING
    own = _measured(_by_name(record["real"]["kinds"]), "reviewed")
    rows = [
        [name, str(part["rows"]), *(interval(part.get(c)) for c in ("recall@1%", "reviewed", "blocked"))]
        for name, part in own.items()
    ]
    return grid(["kind", "rows", "recall at 1 %", "sent to review", "blocked"], rows)


def asking(record: Record) -> str:
    """Slices of the written sets that ask for a franchise, works unseen in training."""
    known, unseen = _written(record, "known"), _written(record, "unseen")
    rows = []
    for name in _measured(unseen, "recall@1%"):
        own, other = unseen[name], known.get(name, {})
        figures = [own.get("recall@1%"), own.get("recall@3%"), own.get("right work"), own.get("reviewed")]
        rows.append([name, str(own["rows"]), *(interval(f) for f in figures), interval(other.get("recall@1%"))])
    head = ["slice", "rows", "recall at 1 %", "at 3 %", "right work first", "flagged as shipped", "known works, at 1 %"]
    return grid(head, rows) if rows else MISSING


def clean(record: Record) -> str:
    """Slices that ask for nothing, and real clean prompts by language: how many are flagged."""
    known = _measured(_written(record, "known"), "reviewed")
    rows = [
        [name, str(own["rows"]), interval(own.get("reviewed")), interval(own.get("blocked"))]
        for name, own in known.items()
        if name.partition(",")[0] in CLEAN
    ]
    real = (record["written"].get("unseen") or {}).get("real_clean", {})
    rows += [
        [f"real clean prompts, {lang}", str(own["rows"]), interval(own["reviewed"]), interval(own["blocked"])]
        for lang, own in real.items()
    ]
    return grid(["prompts", "rows", "sent to review", "blocked"], rows)


def works(record: Record) -> str:
    """Known, unseen, added and absent works side by side."""
    rows = []
    for key, title in WORKS.items():
        own = _written(record, key)
        if own:
            for name in ASKING:
                part = own.get(name, {})
                cells = [interval(part.get(metric)) for metric in ("recall@1%", "recall@3%", "right work")]
                rows.append([title, name, *cells])
    return grid(["works", "slice", "recall at 1 %", "at 3 %", "right work first"], rows) if rows else MISSING


def media(record: Record) -> str:
    """All prompts of the written sets that ask for a franchise, by the medium of the work."""
    own = _written(record, "unseen", "works") or _written(record, "known", "works")
    rows = [
        [name.removeprefix("medium="), str(part["rows"]), interval(part["recall@1%"]), interval(part.get("right work"))]
        for name, part in own.items()
        if name.startswith("medium=") and "recall@1%" in part
    ]
    return grid(["medium", "rows", "recall at 1 %", "right work first"], rows) if rows else MISSING


def pairs(record: Record) -> str:
    """Look-alikes and homographs."""
    rows = []
    for key in ("unseen", "known"):
        for name, part in _measured(_written(record, key, "pairs"), "told apart").items():
            rows.append(
                [
                    f"{key} works",
                    name,
                    str(part["rows"]),
                    *(interval(part.get(c)) for c in ("yes higher", "told apart")),
                ]
            )
    return grid(["works", "pairs", "number", "true one higher", "told apart as shipped"], rows)


def written_baselines(record: Record) -> str:
    """Recall of every scorer on the written sets, works unseen in training."""
    found = record["written"].get("baselines") or {}
    parts = {"ipguard": record["written"].get("unseen"), **found}
    rows = []
    for name, own in parts.items():
        if own:
            slices, two = _by_name(own["slices"]), _by_name(own["pairs"])
            cells = [interval(slices.get(key, {}).get("recall@1%")) for key in ASKING]
            cells.append(interval(two.get("look-alike pairs", {}).get("yes higher")))
            cells.append(interval(two.get("homograph pairs", {}).get("yes higher")))
            rows.append([name, *cells])
    head = ["scorer", *ASKING, "look-alike pairs, true one higher", "homograph pairs, asking one higher"]
    return grid(head, rows) if rows else MISSING


def ablation(record: Record) -> str:
    """What each group of features adds."""
    found = (record.get("real") or {}).get("ablation")
    if not found:
        return MISSING
    rows = [
        [group, str(own["features"]), *(_signed(own[metric]) for metric in RANKING)] for group, own in found.items()
    ]  # fmt: skip
    return grid(["group", "features", *RANKING.values()], rows)


def _signed(cell: Sequence[float]) -> str:
    return f"{cell[0]:+.3f} ({cell[1]:+.3f} to {cell[2]:+.3f})"


def how(record: Record) -> str:
    """What the figures were measured on."""
    lines = [
        (
            f"Measured {record['date']} on {record['cores']} cores in {record['minutes']:.0f} minutes with bundle "
            f"`{record['model']}` and catalogue `{record['catalogue']}`; thresholds review {record['thresholds'][0]:g}, "
            f"block {record['thresholds'][1]:g}. Encoder of works unseen: {record['encoder']}. Prompts, with the SHA-256 over the hashes and labels of their texts:"
        ),
        "",
    ]
    lines += [f"- {name}: {own['rows']}, `{own['sha256'][:16]}…`" for name, own in record["prompts"].items()]
    return "\n".join(lines)


def limits(record: Record) -> str:
    """The part of the model card that says what it cannot do, slice by slice, with examples of our own."""
    known, unseen = record["written"]["known"], record["written"].get("unseen")
    lines = [
        "## What it cannot do, by slice",
        "",
        "Our written test sets (benchmarks/open), works unseen in training where the column says so. All tables are in",
        "[accuracy.md](accuracy.md).",
        "",
        grid(
            ["slice", "rows", "missed by the shipped bundle", "recall at 1 %, works unseen"],
            [
                [
                    name,
                    str(own["rows"]),
                    _complement(own["reviewed"]),
                    interval((_by_name(unseen["slices"]) if unseen else {}).get(name, {}).get("recall@1%")),
                ]
                for name, own in _by_name(known["slices"]).items()
                if name in ASKING
            ],
        ),
        "",
        grid(
            ["slice", "rows", "flagged though clean", "blocked though clean"],
            [
                [name, str(own["rows"]), interval(own["reviewed"]), interval(own["blocked"])]
                for name, own in _by_name(known["slices"]).items()
                if name in CLEAN and name != "style"
            ],
        ),
        "",
        "## Known failures by example",
        "",
        "Of each slice the first wrong decisions by the hash of the text, not the worst; the risk stands in front.",
        "",
    ]
    for name, rows in known["failures"].items():
        lines.append(f"- {name}")
        lines += [f"  - {row['risk']:.2f} · {_shown(row['text'])}" for row in rows]
    return "\n".join(lines) + "\n"


def _complement(cell: Sequence[float]) -> str:
    return interval([1 - cell[0], 1 - cell[2], 1 - cell[1]])


def _shown(text: str) -> str:
    """A prompt as code, on one line; what cannot be seen stays visible as an escape."""
    plain = "".join(c if c.isprintable() or c == " " else f"\\u{ord(c):04x}" for c in " ".join(text.split()))
    return "`" + plain.replace("`", "'") + "`"


PARTS: dict[str, Callable[[Record], str]] = {
    "accuracy-scorers": scorers,
    "accuracy-calibration": calibration,
    "accuracy-kinds": kinds,
    "accuracy-asking": asking,
    "accuracy-clean": clean,
    "accuracy-works": works,
    "accuracy-media": media,
    "accuracy-pairs": pairs,
    "accuracy-baselines": written_baselines,
    "accuracy-ablation": ablation,
    "accuracy-how": how,
}
"""Name of the marked place in docs/accuracy.md to what fills it."""
