"""What a larger catalogue costs: start, memory and batch throughput with copies of all works.

    python benchmarks/growth.py FILE [--times 1 10] [--rows 512] [--out benchmarks/records]

A copy of a work has names that are no words of any language (their letters moved along the alphabet, ideographs and
kana along their block) and descriptions put together from halves of two others, so that neither names nor vectors
repeat. Each size is compiled to a folder of its own and measured in a process of its own. Prompts are those of FILE.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from machine import describe

from ipguard import Catalogue, Guard
from ipguard.catalogue.build import compile_catalogue
from ipguard.catalogue.schema import Item, Name, Work
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding import StaticEncoder
from ipguard.evidence.table import TABLE, store_table

CHILD = r"""
import json, re, sys, time
from pathlib import Path
begin = time.perf_counter(), time.process_time()
from ipguard import Guard
guard = Guard(model=sys.argv[1], catalogue=sys.argv[2])
guard.score("a red bicycle")
start = [now - then for now, then in zip((time.perf_counter(), time.process_time()), begin)]
prompts = json.loads(sys.stdin.read())
guard.score_many(prompts[:64])
begin = time.perf_counter(), time.process_time()
guard.score_many(prompts[64:])
batch = [(now - then) / len(prompts[64:]) for now, then in zip((time.perf_counter(), time.process_time()), begin)]
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"start_s": start, "batch_s": batch, "peak_mb": peak}))
"""


def moved(text: str, steps: int) -> str:
    """Return a name with every letter moved along its alphabet or block."""
    out = []
    for char in text:
        for first, last in (("a", "z"), ("A", "Z"), ("ァ", "ヴ"), ("ぁ", "ゔ"), ("一", "龠"), ("가", "힣")):
            if first <= char <= last:
                size = ord(last) - ord(first) + 1
                char = chr(ord(first) + (ord(char) - ord(first) + steps) % size)  # noqa: PLW2901 - the same letter, moved
                break
        out.append(char)
    return "".join(out)


def copies(works: list[Work], number: int) -> Iterator[Work]:
    """Yield a copy of every work under other names and descriptions."""
    chance = random.Random(number)  # noqa: S311 - the same catalogue every time
    texts = [text for work in works for part in (work, *work.items) for text in part.descriptions.values()]

    def renamed(names: tuple[Name, ...]) -> tuple[Name, ...]:
        return tuple(msgspec.structs.replace(n, text=moved(n.text, number), not_in=()) for n in names)

    def mixed(own: dict[str, str]) -> dict[str, str]:
        pairs = ((lang, text, chance.choice(texts)) for lang, text in own.items())
        return {lang: text[: len(text) // 2] + other[len(other) // 2 :] for lang, text, other in pairs}

    def like(part: Work | Item) -> dict[str, object]:
        return {"names": renamed(part.names), "descriptions": mixed(dict(part.descriptions))}

    for work in works:
        items = tuple(msgspec.structs.replace(item, **like(item)) for item in work.items)
        relations = {"part_of": (), "variant_of": (), "adaptation_of": ()}
        kept = {name: value for name, value in relations.items() if hasattr(work, name)}
        yield msgspec.structs.replace(work, id=f"{work.id}-copy-{number}", items=items, **like(work), **kept)


def measure(times: int, prompts: list[str], folder: Path) -> dict[str, object]:
    """Compile a catalogue of so many times the works, and measure a process that uses it."""
    catalogue = Catalogue.load()
    works = list(catalogue.works.values())
    for number in range(1, times):
        catalogue = catalogue.add(copies(works, number))
    compiled = compile_catalogue(catalogue)
    file, bundle = folder / f"{times}.bin", folder / f"{times}"
    compiled.write(file)
    bundle.mkdir()
    for entry in default_bundle().iterdir():
        if entry.name != TABLE:
            (bundle / entry.name).symlink_to(entry.resolve())
    store_table(bundle / TABLE, StaticEncoder(bundle / "encoder"), compiled)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(bundle), str(file)],
        input=json.dumps(prompts),
        capture_output=True,
        text=True,
        check=True,
    )
    sizes = {"works": len(catalogue.works), "names": len(compiled.patterns), "descriptions": len(compiled.descriptions)}
    return {**sizes, **json.loads(done.stdout)}


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = arguments.file.read_text("utf-8").splitlines()[: arguments.rows]
    prompts = [json.loads(line)["text"] for line in lines]
    sizes: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for times in arguments.times:
            sizes[str(times)] = measure(times, prompts, Path(temporary))
            print(times, json.dumps(sizes[str(times)]), flush=True)
    guard = Guard()
    record = {
        "what": "growth",
        "sizes": sizes,
        "prompts": len(prompts),
        "file": arguments.file.name,
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        "load_average": os.getloadavg()[0],
        **describe(),
    }
    if arguments.out:
        day = datetime.now(tz=UTC).date().isoformat()
        (arguments.out / f"{day}-growth.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
