"""Build the data tables of ipguard/text/data from public packages.

    pip install wordfreq==3.1.1 confusable-homoglyphs==3.3.1 opencc-python-reimplemented==0.1.7 \
        sudachipy==0.7.0 sudachidict-core==20261015
    python tools/text_tables.py

Writes ``words.npz`` (ordinary words and their frequency), ``confusables.json`` (letters of other scripts that
look like Latin ones) and ``ideographs.json`` (traditional and old Japanese forms to simplified). Sources and
licences are named in NOTICE.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np

from ipguard.text.frequency import word_key
from ipguard.text.normalize import fold

OUT = Path(__file__).parent.parent / "ipguard" / "text" / "data"
ENGLISH_FLOOR, FLOOR, KATAKANA_FLOOR = 2.2, 3.6, 2.0
LATIN = ("ca", "cs", "da", "de", "es", "fi", "fil", "fr", "hu", "id", "is", "it", "lt", "lv", "ms", "nb", "nl", "pl",
         "pt", "ro", "sh", "sk", "sl", "sv", "tr", "vi")  # fmt: skip


def confusables() -> None:
    """Letters of Cyrillic, Greek, Armenian, Cherokee and phonetic blocks that look like one Latin letter."""
    source = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    table: dict[str, str] = {}
    for char, twins in source.items():
        if len(char) != 1 or not unicodedata.category(char).startswith("L") or char.isascii():
            continue
        if unicodedata.normalize("NFKC", char) != char:
            continue
        name = unicodedata.name(char, "")
        if not name.startswith(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LATIN", "COPTIC", "LISU")):
            continue
        latin = {t["c"].casefold() for t in twins if len(t["c"]) == 1 and t["c"].isascii() and t["c"].isalpha()}
        if len(latin) == 1 or (latin and name.startswith(("CYRILLIC", "GREEK"))):
            table[char] = min(latin)
    for code in range(0x1D00, 0x1DC0):
        name = unicodedata.name(chr(code), "")
        if name.startswith("LATIN LETTER SMALL CAPITAL ") and len(name.rsplit(" ", 1)[1]) == 1:
            table[chr(code)] = name[-1].lower()
    table.update({"ʙ": "b", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ʟ": "l", "ɴ": "n", "ʀ": "r", "ʏ": "y", "ꜰ": "f", "ꜱ": "s"})
    # Lower-case forms that the Unicode list reaches only through their capitals.
    table.update(
        {
            "ɑ": "a",
            "ı": "i",
            "ɡ": "g",
            "ɩ": "i",
            "α": "a",
            "ο": "o",
            "ν": "v",
            "ρ": "p",
            "τ": "t",
            "κ": "k",
            "ι": "i",
        }
    )
    table.update({"к": "k", "м": "m", "н": "h", "т": "t", "в": "b", "п": "n", "и": "u"})
    (OUT / "confusables.json").write_text(json.dumps(dict(sorted(table.items())), ensure_ascii=False, indent=0) + "\n")
    print("confusables", len(table))


def ideographs() -> None:
    """Traditional to simplified, and Japanese new forms to old ones, each as two aligned strings."""
    folder = files("opencc").joinpath("dictionary")
    pairs: dict[str, dict[str, str]] = {"traditional": {}, "japanese": {}}
    for line in folder.joinpath("TSCharacters.txt").read_text("utf-8").splitlines():
        old, _, new = line.partition("\t")
        first = new.split()[0]
        if len(old) == len(first) == 1 and old != first:
            pairs["traditional"][old] = first
    for line in folder.joinpath("JPVariants.txt").read_text("utf-8").splitlines():
        old, _, new = line.partition("\t")
        first = new.split()[0]
        if len(old) == len(first) == 1 and old != first:
            pairs["japanese"].setdefault(first, old)
    out = {name: {"from": "".join(t), "to": "".join(t.values())} for name, t in pairs.items()}
    (OUT / "ideographs.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n")
    print({k: len(v["from"]) for k, v in out.items()})


def common_noun() -> Callable[[str], bool]:
    """Return what tells whether SudachiDict lists a string as one common noun."""
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="core").tokenizer(SplitMode.C)

    def known(word: str) -> bool:
        found = tokenizer.tokenize(word)
        return len(found) == 1 and not found[0].is_oov() and found[0].part_of_speech()[1] == "普通名詞"

    return known


def words() -> None:
    """Ordinary words as sorted 64-bit keys with Zipf frequencies (log10 per 10⁹ words)."""
    import wordfreq

    best: dict[int, float] = {}

    def take(lang: str, size: str, floor: float, script: str) -> None:
        for word, frequency in wordfreq.get_frequency_dict(lang, wordlist=size).items():
            zipf = np.log10(frequency) + 9
            key_text = fold(word).chars
            if zipf < floor or len(key_text) < 2:
                continue
            first = unicodedata.name(key_text[0], "")
            if first.startswith(script):
                key = word_key(key_text)
                best[key] = max(best.get(key, 0.0), float(zipf))

    take("en", "large", ENGLISH_FLOOR, "LATIN")
    for lang in LATIN:
        if lang in wordfreq.available_languages("small"):
            take(lang, "small", FLOOR, "LATIN")
    take("ja", "large", KATAKANA_FLOOR, "KATAKANA")
    # Rarer loan words ("caulking") must not pass for misspelled names; rare names must not pass for words.
    common = common_noun()
    for word, frequency in wordfreq.get_frequency_dict("ja", wordlist="large").items():
        folded = fold(word).chars
        rare = len(folded) >= 4 and np.log10(frequency) + 9 < KATAKANA_FLOOR
        if rare and all(unicodedata.name(char, "").startswith("KATAKANA") for char in folded) and common(word):
            best.setdefault(word_key(folded), KATAKANA_FLOOR)
    keys = np.array(sorted(best), dtype=np.uint64)
    zipf = np.array([min(255, round(best[int(k)] * 30)) for k in keys], dtype=np.uint8)
    np.savez_compressed(OUT / "words.npz", keys=keys, zipf=zipf)
    print("words", len(keys), (OUT / "words.npz").stat().st_size)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    confusables()
    ideographs()
    words()
