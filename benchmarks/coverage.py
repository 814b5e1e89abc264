"""How much of public rankings the catalogue covers.

    python benchmarks/coverage.py DIR [--missing FILE] [--folder CATALOGUE]

DIR holds tab-separated lists with the columns rank, name and other_names. A row counts as covered when the
catalogue bears its name, one of its other names, or the name without a subtitle or a bracket. Rows that were left
out on purpose stand, with the reason, in ``benchmarks/left_out.tsv``.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ipguard.catalogue.store import Catalogue
from ipguard.text.normalize import fold

BANDS = (50, 100, 250, 10**6)
CHARACTERS = ("characters", "pokemon")
LEFT_OUT = Path(__file__).parent / "left_out.tsv"


def forms(text: str) -> Iterator[str]:
    """Yield spellings of a title: whole, without brackets, without subtitle, swapped."""
    yield text
    bare = re.sub(r"\s*[\(\[（].*?[\)\]）]", "", text)
    yield bare
    for mark in (": ", " - ", " ~", "：", " – ", "/", " Season ", " Part ", " series"):
        yield bare.split(mark)[0]
    words = bare.split()
    if len(words) == 2:
        yield " ".join(reversed(words))
    yield re.sub(r"\s+(?:\d+|[IVX]+|Part \w+|Season \d+|Vol.*)$", "", bare)
    yield re.sub(r"^(?:The|A|An)\s+", "", bare)


def covered(catalogue: Catalogue, row: dict[str, str]) -> bool:
    """Return whether the catalogue bears one of a row's names."""
    texts = [row["name"], *(row.get("other_names") or "").split("|")]
    return any(catalogue.named(form) for text in texts if text for form in forms(text) if fold(form).chars)


def left_out() -> set[tuple[str, str]]:
    """Return list and name of the rows that were left out on purpose."""
    if not LEFT_OUT.is_file():
        return set()
    with LEFT_OUT.open(encoding="utf-8", newline="") as stream:
        return {(row["list"], row["name"]) for row in csv.DictReader(stream, delimiter="\t")}


def main() -> None:
    """Print one line a list and write what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--missing", type=Path, help="file to write the uncovered rows to")
    parser.add_argument("--folder", type=Path, help="catalogue folder")
    arguments = parser.parse_args()
    catalogue = Catalogue.load(arguments.folder, packs=("franchises", "brands"))
    skipped = left_out()
    missing: list[str] = []
    print("| list | kind | " + " | ".join(f"rank ≤ {b}" if b < 10**6 else "all" for b in BANDS) + " |")
    print("|---|---|" + "--:|" * len(BANDS))
    for path in sorted(arguments.directory.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        if not rows or "rank" not in rows[0]:
            continue
        for kind in sorted({row.get("kind") or "" for row in rows}):
            own = [r for r in rows if (r.get("kind") or "") == kind and (path.stem, r["name"]) not in skipped]
            hit = [covered(catalogue, row) for row in own]
            ranks = [int(re.sub(r"\D", "", row["rank"]) or 0) for row in own]
            cells = []
            for band in BANDS:
                inside = [h for h, rank in zip(hit, ranks, strict=True) if rank <= band]
                cells.append(f"{sum(inside) / len(inside):.0%} of {len(inside)}" if inside else "")
            print(f"| {path.stem} | {kind} | " + " | ".join(cells) + " |")
            missing += [
                "\t".join(
                    (
                        path.stem,
                        kind,
                        row["rank"],
                        row["name"],
                        (row.get("franchise") or ""),
                        (row.get("other_names") or "")[:120],
                    )
                )
                for row, h in zip(own, hit, strict=True)
                if not h
            ]
    if arguments.missing:
        arguments.missing.write_text("\n".join(missing) + "\n", "utf-8")
    sys.stderr.write(f"{len(missing)} rows are not covered\n")


if __name__ == "__main__":
    main()
