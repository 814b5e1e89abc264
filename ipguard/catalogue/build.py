"""Compiling records to the form that matching reads."""

from __future__ import annotations

import itertools
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from ipguard.catalogue.automaton import maker, serialise
from ipguard.catalogue.compiled import (
    FORMAT,
    PERSON,
    PERSONAL,
    SENSE_CODES,
    SWAPPED,
    TITLE,
    CompiledCatalogue,
    Meta,
    WorkInfo,
)
from ipguard.catalogue.schema import SCHEMA, Item, Name, Work
from ipguard.catalogue.store import Catalogue, default_folder, source_hash
from ipguard.catalogue.tables import StringTable, SubjectInfo, SubjectTable
from ipguard.text.frequency import zipf
from ipguard.text.normalize import NO_GAP, fold
from ipguard.text.scripts import Script, script_of

COMPILED_NAME = "catalogue.bin"
MIN_FUZZY_LATIN, MIN_FUZZY_KANA, MIN_TWO_EDITS, MAX_FUZZY = 6, 5, 10, 28


@dataclass(frozen=True, slots=True)
class _Entry:
    subject: int
    sense: int
    lang: int
    flags: int
    text: str
    gaps: str
    not_in: tuple[str, ...]


@dataclass
class _Builder:
    catalogue: Catalogue
    langs: list[str] = field(default_factory=list)
    subjects: list[SubjectInfo] = field(default_factory=list)
    entries: defaultdict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    descriptions: list[tuple[int, int, str]] = field(default_factory=list)
    roles: list[tuple[str, ...]] = field(default_factory=list)

    def lang(self, code: str) -> int:
        if code not in self.langs:
            self.langs.append(code)
        return self.langs.index(code)

    def add_name(self, name: Name, subject: int, flags: int) -> None:
        flags |= PERSONAL if name.personal else 0
        lang, sense = self.lang(name.lang), SENSE_CODES[name.sense]
        longer = tuple(fold(text).chars for text in name.not_in)
        for text, extra in itertools.chain([(name.text, 0)], swapped(name)):
            key, gaps = folded_name(text)
            if key:
                self.entries[key].append(_Entry(subject, sense, lang, flags | extra, name.text, gaps, longer))

    def add_subject(self, work: Work, at: int, item: Item | None) -> None:
        subject = item or work
        title = next(
            (n.text for n in subject.names if n.lang == "en"),
            subject.names[0].text if subject.names else work.title,
        )
        self.subjects.append(
            SubjectInfo(
                work=at,
                item=item.id if item else None,
                title=title if item else work.title,
                status=(item.status if item and item.status else work.status),
                generic=subject.generic,
                kind=item.kind if item else None,
            )
        )
        number = len(self.subjects) - 1
        for name in subject.names:
            self.add_name(name, number, TITLE if item is None else 0)
        self.descriptions += [(number, self.lang(code), text) for code, text in sorted(subject.descriptions.items())]


def folded_name(text: str) -> tuple[str, str]:
    """Return the matched form of a name and the gaps between its characters.

    Parameters
    ----------
    text
        A name.

    Returns
    -------
    tuple of str
        Folded characters, and one digit for the gap class before each character but the first.
    """
    folded = fold(text)
    return folded.chars, "".join(map(str, folded.gaps[1:-1].tolist()))


def swapped(name: Name) -> Iterator[tuple[str, int]]:
    """Yield a person's name with family and given name in the other order.

    Parameters
    ----------
    name
        A name; nothing is yielded unless it is personal and of two or three parts in a script with spaces.

    Yields
    ------
    tuple
        The text and the flag that marks it.
    """
    parts = name.text.split()
    if name.personal and len(parts) in (2, 3) and name.sense in ("only", "usually", "sometimes"):
        yield " ".join([parts[-1], *parts[:-1]]), SWAPPED
        if len(parts) == 3:
            yield " ".join([*parts[1:], parts[0]]), SWAPPED


def deletions(word: str) -> set[str]:
    """Return a word and what is left of it with one character deleted.

    Parameters
    ----------
    word
        A folded word.

    Returns
    -------
    set of str
        At most one more than the word has characters.
    """
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def deletion_key(word: str) -> int:
    """Return the 32-bit key of a word in the deletion index; candidates are verified after look-up."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def allowed_edits(word: str) -> int:
    """Return how many edits a folded name may be away: 0 where it is too short or of another script.

    Parameters
    ----------
    word
        A folded name or word.

    Returns
    -------
    int
        1 for Latin from six letters and kana from five, 2 for Latin from ten.
    """
    if word.isascii():
        if not word.isalpha() or len(word) < MIN_FUZZY_LATIN:
            return 0
        return 2 if len(word) >= MIN_TWO_EDITS else 1
    if len(word) >= MIN_FUZZY_KANA and all(script_of(c) == Script.KATAKANA for c in word):
        return 1
    return 0


def _fuzzy_index(
    patterns: list[str], entries: dict[str, list[_Entry]]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Keys of one-character deletions with their patterns, and the patterns that may be two edits away."""
    keys: list[int] = []
    owners: list[int] = []
    distant: list[int] = []
    for number, pattern in enumerate(patterns):
        edits = allowed_edits(pattern)
        specific = any(e.sense <= SENSE_CODES["usually"] and not e.flags & (PERSON | SWAPPED) for e in entries[pattern])
        if edits and specific and len(pattern) <= MAX_FUZZY:
            found = {deletion_key(w) for w in deletions(pattern)}
            keys += found
            owners += [number] * len(found)
            distant += [number] if edits > 1 else []
    order = np.argsort(np.array(keys, dtype=np.uint32), kind="stable")
    return (
        np.array(keys, dtype=np.uint32)[order],
        np.array(owners, dtype=np.int32)[order],
        np.array(distant, dtype=np.int32),
    )


def _pattern_zipf(entries: Iterable[_Entry], pattern: str) -> float:
    """Frequency of the rarest word of a name as it is written."""
    words: list[str] = []
    gaps = next(iter(entries)).gaps
    start = 0
    for at in range(1, len(pattern) + 1):
        if at == len(pattern) or gaps[at - 1] != str(NO_GAP):
            words.append(pattern[start:at])
            start = at
    return min(zipf(word) for word in words)


def compile_catalogue(
    catalogue: Catalogue, *, source: str = "", packs: Iterable[str] = ("franchises",)
) -> CompiledCatalogue:
    """Compile records.

    Parameters
    ----------
    catalogue
        What to compile.
    source
        SHA-256 of the files it came from; computed from the records if empty.
    packs
        Named in the result.

    Returns
    -------
    CompiledCatalogue
        Ready for matching.
    """
    works = sorted(catalogue.works.values(), key=lambda w: w.id)
    index = {work.id: at for at, work in enumerate(works)}
    builder = _Builder(catalogue)
    for at, work in enumerate(works):
        builder.add_subject(work, at, None)
        for item in work.items:
            builder.add_subject(work, at, item)
    for person in catalogue.people:
        builder.roles.append(tuple(person.roles))
        for text in person.names:
            key, gaps = folded_name(text)
            if key:
                builder.entries[key].append(
                    _Entry(len(builder.roles) - 1, 0, builder.lang("en"), PERSON, text, gaps, ())
                )
    patterns = sorted(builder.entries)
    flat = [entry for pattern in patterns for entry in builder.entries[pattern]]
    counts = [len(builder.entries[pattern]) for pattern in patterns]
    fuzzy_keys, fuzzy_patterns, fuzzy_distant = _fuzzy_index(patterns, builder.entries)
    infos = tuple(
        WorkInfo(
            id=w.id, title=w.title, status=w.status, rights_holders=w.rights_holders, media=w.media, generic=w.generic,
            brand=w.id in catalogue.brands, country=w.country,
            relatives=tuple(sorted(index[r] for r in catalogue.relatives[w.id])),
            part_of=tuple(index[parent] for parent in w.part_of if parent in index),
        )
        for w in works
    )  # fmt: skip
    meta = Meta(
        format=FORMAT,
        schema=SCHEMA,
        version=catalogue.version,
        source=source or sha256(b"".join(msgspec.msgpack.encode(w) for w in works)).hexdigest(),
        packs=tuple(packs),
        works=infos,
        langs=tuple(builder.langs),
        not_in={at: entry.not_in for at, entry in enumerate(flat) if entry.not_in},
        roles=tuple(builder.roles),
        parties={i: party.names.get("en", i) for i, party in sorted(catalogue.parties.items())},
        redirects=dict(sorted(catalogue.redirects.items())),
        automaton=maker(),
    )
    return CompiledCatalogue(
        meta=meta,
        subjects=SubjectTable.of(builder.subjects),
        patterns=StringTable.of(patterns),
        texts=StringTable.of(entry.text for entry in flat),
        gaps=StringTable.of(entry.gaps for entry in flat),
        descriptions=StringTable.of(text for _, _, text in builder.descriptions),
        automaton=np.frombuffer(serialise(patterns), dtype=np.uint8),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        subject=np.array([e.subject for e in flat], dtype=np.int32),
        sense=np.array([e.sense for e in flat], dtype=np.uint8),
        lang=np.array([e.lang for e in flat], dtype=np.uint8),
        flags=np.array([e.flags for e in flat], dtype=np.uint8),
        fuzzy_keys=fuzzy_keys,
        fuzzy_patterns=fuzzy_patterns,
        fuzzy_distant=fuzzy_distant,
        description_subject=np.array([s for s, _, _ in builder.descriptions], dtype=np.int32),
        description_lang=np.array([lang for _, lang, _ in builder.descriptions], dtype=np.uint8),
        zipf=np.array([_pattern_zipf(builder.entries[p], p) for p in patterns], dtype=np.float32),
    )


def build_folder(folder: Path, *, packs: tuple[str, ...] = ("franchises",)) -> CompiledCatalogue:
    """Compile a catalogue folder.

    Parameters
    ----------
    folder
        As read by :meth:`ipguard.catalogue.store.Catalogue.load`.
    packs
        Packs to take.

    Returns
    -------
    CompiledCatalogue
        Stamped with the hash of the files.
    """
    return compile_catalogue(Catalogue.load(folder, packs=packs), source=source_hash(folder, packs), packs=packs)


def load_or_build(folder: Path | None = None, *, packs: tuple[str, ...] = ("franchises",)) -> CompiledCatalogue:
    """Read the compiled file of a folder, or compile its records where that file is missing or stale.

    Parameters
    ----------
    folder
        Catalogue folder; None for the one that is shipped.
    packs
        Packs that are wanted.

    Returns
    -------
    CompiledCatalogue
        Up to date with the folder's records.
    """
    root = default_folder() if folder is None else folder
    compiled = root / COMPILED_NAME
    if compiled.is_file():
        newest = max(p.stat().st_mtime for p in root.rglob("*.json*"))
        found = CompiledCatalogue.read(compiled)
        fresh = compiled.stat().st_mtime >= newest or found.meta.source == source_hash(root, packs)
        if fresh and found.meta.packs == packs:
            return found
    return build_folder(root, packs=packs)


def compiled_from(catalogue: Catalogue | str | Path | None) -> CompiledCatalogue:
    """Return a catalogue ready for matching, in whatever form it is given.

    Parameters
    ----------
    catalogue
        Records, a compiled file, or a catalogue folder; None for the one that is shipped.

    Returns
    -------
    CompiledCatalogue
        Read where it is compiled already, else compiled.
    """
    if isinstance(catalogue, Catalogue):
        return compile_catalogue(catalogue)
    if catalogue is None:
        return load_or_build()
    path = Path(catalogue)
    return load_or_build(path) if path.is_dir() else CompiledCatalogue.read(path)
