"""Rules that a catalogue must keep; each finding names the file, the line and the rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ipguard.catalogue.merge import name_key
from ipguard.catalogue.schema import Item, Name, Party, Person, Work
from ipguard.catalogue.store import PACKS, Catalogue, read_lines
from ipguard.errors import CatalogueFormatError
from ipguard.text.normalize import fold
from ipguard.text.scripts import Script, script_of

MAX_WORDS, MAX_CHARS_CJK = 60, 220
_CJK = frozenset({"ja", "zh", "ko"})
_WORD = re.compile(r"\w+")
_LUMPED = re.compile(r"\s/\s|／")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A broken rule.

    Attributes
    ----------
    path
        The file.
    line
        Its line, from 1.
    rule
        Short name of the rule.
    detail
        What was found.
    """

    path: str
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        """Return ``path:line: rule: detail``."""
        return f"{self.path}:{self.line}: {self.rule}: {self.detail}"


def folded_key(name: Name) -> str:
    """Return the string under which a name is matched."""
    return fold(name.text).chars


def _name_findings(name: Name) -> Iterator[tuple[str, str]]:
    key = folded_key(name)
    if not key:
        yield "folds-to-nothing", name.text
        return
    if name.sense != "only" and not name.ordinary:
        yield "missing-ordinary", f"{name.text} ({name.sense}) needs its ordinary meaning"
    if name.sense == "only" and name.ordinary:
        yield "ordinary-on-only", f"{name.text} is 'only' and yet has another meaning"
    if name.sense == "only" and len(key) <= 2 and all(script_of(c) in (Script.LATIN, Script.DIGIT) for c in key):
        yield "short-only", f"{name.text}: up to two Latin characters are never 'only'"
    if name.sense == "only" and len(key) == 1:
        yield "short-only", f"{name.text}: one character is never 'only'"
    for longer in name.not_in:
        if key not in fold(longer).chars:
            yield "not-in", f"{longer} does not hold {name.text}"


def _subject_findings(names: Iterable[Name]) -> Iterator[tuple[str, str]]:
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        yield from _name_findings(name)
        place = name_key(name)
        if place in seen:
            yield "same-name-twice", f"{name.text} and {seen[place]} are one name"
        seen[place] = name.text


def _description_findings(descriptions: dict[str, str], strong: list[str]) -> Iterator[tuple[str, str]]:
    for lang, text in descriptions.items():
        too_long = len(text) > MAX_CHARS_CJK if lang in _CJK else len(text.split()) > MAX_WORDS
        if not text.strip():
            yield "empty-description", lang
        elif too_long:
            yield "long-description", f"{lang}: {text[:50]}…"
        padded = f" {' '.join(_WORD.findall(text.casefold()))} "
        for name in strong:
            plain = " ".join(_WORD.findall(name.casefold()))
            latin = bool(plain) and script_of(plain[0]) in (Script.LATIN, Script.DIGIT)
            if (latin and f" {plain} " in padded) or (not latin and len(name) > 1 and name in text):
                yield "name-in-description", f"{name} in {lang}: {text[:50]}…"


def lint_work(work: Work) -> list[tuple[str, str]]:
    """Check one work by itself.

    Parameters
    ----------
    work
        The record.

    Returns
    -------
    list of tuple
        Rule and detail of each finding.
    """
    findings: list[tuple[str, str]] = []
    if not work.names:
        findings.append(("no-names", work.id))
    if work.status == "protected" and not work.rights_holders:
        findings.append(("no-rights-holder", work.id))
    if _LUMPED.search(work.title):
        findings.append(("lumped-work", work.title))
    if len({item.id for item in work.items}) < len(work.items):
        findings.append(("duplicate-id", f"items of {work.id}"))
    subjects: list[Work | Item] = [work, *work.items]
    strong = [n.text for s in subjects for n in s.names if n.sense in ("only", "usually") and len(folded_key(n)) > 2]
    for subject in subjects:
        findings += _subject_findings(subject.names)
        findings += _description_findings(subject.descriptions, strong)
        if isinstance(subject, Item) and not subject.names:
            findings.append(("no-names", f"{work.id}/{subject.id}"))
    return [(rule, f"{work.id}: {detail}") for rule, detail in findings]


def related(catalogue: Catalogue, first: str, second: str) -> bool:
    """Return whether two works are linked by any relation, or share a relative."""
    one, two = catalogue.works[first], catalogue.works[second]
    links = {*one.part_of, *one.variant_of, *one.adaptation_of}
    if second in links or first in {*two.part_of, *two.variant_of, *two.adaptation_of}:
        return True
    return bool(catalogue.relatives[first] & catalogue.relatives[second])


def _collisions(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Work id, rule and detail of names that two unrelated works claim."""
    owners: defaultdict[str, dict[str, Name]] = defaultdict(dict)
    for work in catalogue.works.values():
        for name in (*work.names, *(n for item in work.items for n in item.names)):
            key = folded_key(name)
            held = owners[key].get(work.id)
            if held is None or name.sense == "only":
                owners[key][work.id] = name
    for key, names in owners.items():
        strict = sorted(i for i, n in names.items() if n.sense == "only")
        for other in strict[1:]:
            if not related(catalogue, strict[0], other):
                yield other, "only-in-two-works", f"{names[other].text} is 'only' in {strict[0]} too"
        if len(strict) == 1:
            for other in names:
                spelled = names[other].text.casefold() != names[strict[0]].text.casefold()
                if other != strict[0] and spelled and not related(catalogue, strict[0], other):
                    detail = f"{names[other].text} folds to {key}, which is 'only' in {strict[0]}"
                    yield other, "folds-to-another", detail


def _references(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    for work in catalogue.works.values():
        for party in work.rights_holders:
            if party not in catalogue.parties:
                yield work.id, "unknown-rights-holder", party
        for relation in (*work.part_of, *work.variant_of, *work.adaptation_of):
            if relation not in catalogue.works or relation == work.id:
                yield work.id, "unknown-relation", relation


def lint_catalogue(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """Check what holds between works.

    Parameters
    ----------
    catalogue
        All records.

    Returns
    -------
    list of tuple
        Work id, rule and detail of each finding.
    """
    return [*_references(catalogue), *_collisions(catalogue)]


def lint_folder(folder: Path) -> list[Finding]:
    """Check a catalogue folder.

    Parameters
    ----------
    folder
        As read by :meth:`ipguard.catalogue.store.Catalogue.load`.

    Returns
    -------
    list of Finding
        Sorted by file and line; empty if every rule holds.
    """
    findings: list[Finding] = []
    places: dict[str, tuple[str, int]] = {}
    try:
        for pack in PACKS:
            for path in sorted((folder / pack).glob("*.jsonl")):
                previous = ""
                for line, work in read_lines(path, Work):
                    place = (str(path), line)
                    if work.id in places:
                        findings.append(Finding(*place, "duplicate-id", work.id))
                    if work.id < previous:
                        findings.append(Finding(*place, "unsorted", work.id))
                    places[work.id], previous = place, work.id
                    findings += [Finding(*place, rule, detail) for rule, detail in lint_work(work)]
        for file, record in (("rights-holders.jsonl", Party), ("people.jsonl", Person)):
            findings += _unique_ids(folder / file, record)
        if not any(f.rule == "duplicate-id" for f in findings):
            catalogue = Catalogue.load(folder, packs=PACKS)
            findings += [Finding(*places[i], rule, f"{i}: {detail}") for i, rule, detail in lint_catalogue(catalogue)]
    except CatalogueFormatError as error:
        findings.append(Finding(error.path, error.line, error.rule, error.detail))
    return sorted(findings)


def _unique_ids(path: Path, record: type[Party | Person]) -> Iterator[Finding]:
    seen: set[str] = set()
    for line, entry in read_lines(path, record):
        if entry.id in seen:
            yield Finding(str(path), line, "duplicate-id", entry.id)
        seen.add(entry.id)
