"""The prompts and labels of the open benchmark. Needs numpy at most; knows nothing of any library under test.

    python benchmarks/open/load.py > prompts.jsonl                       the written prompts
    python benchmarks/open/load.py --public FILE … >> prompts.jsonl      and real ones, for which labels are stored

Every line is {"id": …, "text": …}. Score each and hand the scores to score.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LABELS = FOLDER.parents[1] / "data" / "labels"


@dataclass(frozen=True)
class Row:
    """One labelled prompt; ``text`` is empty where only its hash is stored, and then the hash is the id."""

    id: str
    label: str
    slice: str
    lang: str = ""
    works: tuple[str, ...] = ()
    pair: str | None = None
    text: str = ""


def text_key(text: str) -> str:
    """Return the SHA-256 of a text's NFC, stripped form, under which labels of public texts are stored."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).strip().encode("utf-8", "surrogatepass")).hexdigest()


def _lines(path: Path) -> Iterator[dict[str, object]]:
    for line in path.read_text("utf-8").split("\n"):
        if line.strip():
            yield json.loads(line)


def check_hashes(folder: Path = FOLDER / "prompts") -> None:
    """Stop if a file of prompts is not the one whose hash was published before any training."""
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{folder / name} is not the file that SHA256SUMS names.")


def left_out() -> set[str]:
    """Return the ids that CORRECTIONS.tsv takes out of all scores."""
    lines = (FOLDER / "CORRECTIONS.tsv").read_text("utf-8").splitlines()[1:]
    return {line.split("\t")[0] for line in lines}


def written() -> list[Row]:
    """Return the written prompts, in order, without those that were found to be wrong."""
    check_hashes()
    dropped = left_out()
    return [
        Row(r["id"], r["label"], r["slice"], r["lang"], tuple(r["works"]), r.get("pair"), r["text"])
        for path in sorted((FOLDER / "prompts").glob("*.jsonl"))
        for r in _lines(path)
        if r["id"] not in dropped
    ]


def public_labels(folder: Path = LABELS) -> list[Row]:
    """Return the labels of public prompts, without the texts; a row's id is the hash of its text."""
    return [
        Row(r["sha256"], r["label"], "real", "", tuple(r.get("works", ())))
        for path in sorted(folder.glob("*.jsonl"))
        for r in _lines(path)
        if r["label"] != "skip"
    ]


def join(paths: Iterable[Path], labels: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Find the public texts that a label is stored for.

    Parameters
    ----------
    paths
        JSON Lines whose rows hold the prompt under ``text`` or ``prompt``.
    labels
        From :func:`public_labels`.

    Yields
    ------
    tuple of str
        Id and text, each text once.
    """
    known = {row.id for row in labels}
    for path in paths:
        for row in _lines(path):
            text = row.get("text") or row.get("prompt")
            if isinstance(text, str) and (key := text_key(text)) in known:
                known.discard(key)
                yield key, text


def main() -> None:
    """Print prompts to score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, nargs="+", default=[], help="JSON Lines of real prompts")
    parser.add_argument("--labels", type=Path, default=LABELS)
    arguments = parser.parse_args()
    rows = join(arguments.public, public_labels(arguments.labels))
    for key, text in rows if arguments.public else ((row.id, row.text) for row in written()):
        sys.stdout.write(json.dumps({"id": key, "text": text}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
