"""The catalogue as records: read from JSON Lines, looked up, searched, extended, written back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from ipguard.catalogue.compact import parse
from ipguard.catalogue.schema import SCHEMA, Manifest, Party, Person, Record, Work
from ipguard.errors import CatalogueError, CatalogueFormatError, InvalidArgumentError
from ipguard.text.normalize import fold

Pack = Literal["franchises", "brands"]
PACKS: tuple[Pack, ...] = ("franchises", "brands")
R = TypeVar("R", bound=Record)


def default_folder() -> Path:
    """Return the folder of the catalogue that is shipped with the package."""
    return Path(str(files("ipguard.catalogue").joinpath("data")))


def read_lines(path: Path, record: type[R]) -> Iterator[tuple[int, R]]:
    """Read a JSON Lines file of one record type.

    Parameters
    ----------
    path
        The file.
    record
        Type of its lines.

    Yields
    ------
    tuple
        Line number from 1, and the record.

    Raises
    ------
    CatalogueFormatError
        For a line that is not such a record; the message names the field.
    """
    decoder = msgspec.json.Decoder(record)
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except msgspec.ValidationError as error:
            raise CatalogueFormatError(path, number, "schema", str(error)) from None
        except msgspec.DecodeError as error:
            raise CatalogueFormatError(path, number, "JSON", str(error)) from None


@dataclass(frozen=True)
class Catalogue:
    """All records of one or more packs.

    Attributes
    ----------
    works
        Id to work.
    parties
        Id to rights holder.
    people
        Real persons whom prompts name.
    version
        Version of the data.
    redirects
        Old work id to the id it was merged into.
    brands
        Ids of the works that came from the brands pack.
    """

    works: Mapping[str, Work]
    parties: Mapping[str, Party] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    version: str = "0"
    redirects: Mapping[str, str] = field(default_factory=dict)
    brands: frozenset[str] = frozenset()

    @classmethod
    def load(cls, folder: str | Path | None = None, *, packs: Iterable[str] = ("franchises",)) -> Catalogue:
        """Read a folder of catalogue files.

        Parameters
        ----------
        folder
            Holds ``catalogue.json``, ``rights-holders.jsonl``, ``people.jsonl`` and a folder a pack; None for
            the one that is shipped.
        packs
            ``franchises``, ``brands`` or both.

        Returns
        -------
        Catalogue
            Its records.

        Raises
        ------
        CatalogueError
            If a file is missing, breaks the schema, or repeats an id.
        """
        root = default_folder() if folder is None else Path(folder)
        try:
            manifest = msgspec.json.decode((root / "catalogue.json").read_bytes(), type=Manifest)
        except FileNotFoundError:
            raise CatalogueError(f"{root} holds no catalogue.json; a catalogue folder must have one.") from None
        except msgspec.DecodeError as error:
            raise CatalogueError(f"{root / 'catalogue.json'} is not a catalogue manifest: {error}") from None
        if manifest.schema != SCHEMA:
            raise CatalogueError(f"{root} has schema {manifest.schema}; this version reads schema {SCHEMA}.")
        works: dict[str, Work] = {}
        brands: set[str] = set()
        for pack in packs:
            if pack not in PACKS:
                raise InvalidArgumentError("packs", f"hold only {', '.join(PACKS)}", pack)
            for path in sorted((root / pack).glob("*.jsonl")):
                for number, work in read_lines(path, Work):
                    if work.id in works:
                        raise CatalogueFormatError(path, number, "duplicate id", work.id)
                    works[work.id] = work
                    if pack == "brands":
                        brands.add(work.id)
        return cls(
            works=works,
            parties={p.id: p for _, p in read_lines(root / "rights-holders.jsonl", Party)},
            people=tuple(p for _, p in read_lines(root / "people.jsonl", Person)),
            version=manifest.version,
            redirects=manifest.redirects,
            brands=frozenset(brands),
        )

    def add(self, works: Work | Iterable[Work] | str) -> Catalogue:
        """Return a catalogue with more works; a work whose id exists replaces it.

        Parameters
        ----------
        works
            A record, several, or text in the compact format.

        Returns
        -------
        Catalogue
            A new catalogue; this one is unchanged.
        """
        parties: dict[str, str] = {}
        if isinstance(works, str):
            works = parse(works, parties=parties)
        added = {w.id: w for w in ([works] if isinstance(works, Work) else works)}
        held = {i: Party(id=i, names={"en": name}) for i, name in parties.items() if i not in self.parties}
        return replace(self, works={**self.works, **added}, parties={**self.parties, **held})

    def get(self, work_id: str) -> Work:
        """Return a work by id, following redirects.

        Parameters
        ----------
        work_id
            An id that is or was in use.

        Returns
        -------
        Work
            The record.

        Raises
        ------
        InvalidArgumentError
            If no work has or had that id.
        """
        seen = work_id
        for _ in range(len(self.redirects) + 1):
            if seen in self.works:
                return self.works[seen]
            if seen not in self.redirects:
                break
            seen = self.redirects[seen]
        raise InvalidArgumentError("work_id", "be the id of a work in the catalogue", work_id)

    @cached_property
    def _index(self) -> dict[str, set[str]]:
        """Folded name to ids of the works that bear it, themselves or in an item."""
        index: defaultdict[str, set[str]] = defaultdict(set)
        for work in self.works.values():
            for name in (work.names, *(item.names for item in work.items)):
                for entry in name:
                    index[fold(entry.text).chars].add(work.id)
            index[fold(work.title).chars].add(work.id)
            index[fold(work.id).chars].add(work.id)
        return dict(index)

    def named(self, text: str) -> frozenset[str]:
        """Return ids of the works that bear a name, in any language and spelling that folds to it.

        Parameters
        ----------
        text
            A title, alias or name of a character.

        Returns
        -------
        frozenset of str
            Empty if none does.
        """
        return frozenset(self._index.get(fold(text).chars, ()))

    def search(self, query: str, *, limit: int = 20) -> list[Work]:
        """Find works by name: exact first, then by beginning, then by any part.

        Parameters
        ----------
        query
            What to look for, in any language.
        limit
            At most so many.

        Returns
        -------
        list of Work
            Best first.
        """
        if limit < 1:
            raise InvalidArgumentError("limit", "be at least 1", limit)
        needle = fold(query).chars
        if not needle:
            return []
        ranks: dict[str, tuple[int, int, str]] = {}
        for name, owners in self._index.items():
            if needle in name:
                rank = 0 if name == needle else 1 if name.startswith(needle) else 2
                for owner in owners:
                    own = fold(self.works[owner].title).chars == name
                    ranks[owner] = min(ranks.get(owner, (9, 0, "")), (rank, 0 if own else len(name), owner))
        return [self.works[owner] for owner in sorted(ranks, key=ranks.__getitem__)[:limit]]

    @cached_property
    def relatives(self) -> dict[str, frozenset[str]]:
        """Id to ids of the work itself, what it is part of or a variant of, and what is part of it.

        Public-domain works are relatives of nothing: a myth does not answer for a film.
        """
        up: defaultdict[str, set[str]] = defaultdict(set)
        for work in self.works.values():
            for parent in (*work.part_of, *work.variant_of, *work.adaptation_of):
                other = self.works.get(parent)
                if other and other.status == work.status == "protected":
                    up[work.id].add(parent)
        related: dict[str, set[str]] = {i: {i} for i in self.works}
        for work_id in self.works:
            todo, seen = [work_id], {work_id}
            while todo:
                for parent in up[todo.pop()] - seen:
                    seen.add(parent)
                    todo.append(parent)
            for other_id in seen:
                related[work_id].add(other_id)
                related[other_id].add(work_id)
        return {i: frozenset(r) for i, r in related.items()}

    def write(self, folder: str | Path) -> None:
        """Write the franchises as one file a medium, sorted by id, beside parties and people.

        Parameters
        ----------
        folder
            Created if it is not there; files of the pack that are no longer needed are removed.
        """
        root = Path(folder)
        for pack in PACKS:
            by_medium: defaultdict[str, list[Work]] = defaultdict(list)
            for work in self.works.values():
                if (work.id in self.brands) == (pack == "brands"):
                    by_medium[work.media[0] if work.media else "other"].append(work)
            if not by_medium:
                continue
            (root / pack).mkdir(parents=True, exist_ok=True)
            for stale in (root / pack).glob("*.jsonl"):
                if stale.stem not in by_medium:
                    stale.unlink()
            for medium, works in by_medium.items():
                works.sort(key=lambda work: work.id)
                write_lines(root / pack / f"{medium}.jsonl", works)
        write_lines(root / "rights-holders.jsonl", [self.parties[i] for i in sorted(self.parties)])
        people = sorted(self.people, key=lambda person: person.id)
        write_lines(root / "people.jsonl", people)
        manifest = Manifest(schema=SCHEMA, version=self.version, redirects=dict(self.redirects))
        (root / "catalogue.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON Lines, through a temporary file that replaces the old one.

    Parameters
    ----------
    path
        The file.
    records
        In the order in which they shall stand.
    """
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    temporary.replace(path)


def source_hash(folder: Path, packs: Iterable[str]) -> str:
    """Return the SHA-256 of the files that a catalogue is read from.

    Parameters
    ----------
    folder
        Catalogue folder.
    packs
        Packs that are read.

    Returns
    -------
    str
        Hexadecimal digest over names and contents.
    """
    digest = sha256()
    paths = [p for pack in sorted(packs) for p in sorted((folder / pack).glob("*.jsonl"))]
    for path in (*paths, folder / "rights-holders.jsonl", folder / "people.jsonl", folder / "catalogue.json"):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def resolve_label(catalogue: Catalogue, label: str) -> frozenset[str]:
    """Return the works that a label such as ``"Franchise: Item"`` may mean.

    Parameters
    ----------
    catalogue
        Where to look.
    label
        A franchise, or a franchise and an item parted by a colon.

    Returns
    -------
    frozenset of str
        Works that bear the franchise's name, and works related to them that bear the item's; where none of
        these bears it, every work that does.
    """
    parts = label.split(": ")
    titles = [": ".join(parts[:count]) for count in range(len(parts), 0, -1)]
    owners: set[str] = set()
    for title in titles:
        owners |= {work for form in _title_forms(title) for work in catalogue.named(form)}
    if len(parts) == 1:
        return frozenset(owners)
    bearers = catalogue.named(parts[-1])
    related = {b for b in bearers if any(b in catalogue.relatives[o] for o in owners)}
    return frozenset(owners | (related or bearers))


def _title_forms(title: str) -> tuple[str, ...]:
    """A title, and the series that a numbered or bracketed title belongs to."""
    bare = re.sub(r"\s*\([^)]*\)", "", title)
    series = re.sub(r"\s+(?:\d{1,2}|[IVX]+)$", "", bare)
    return title, bare, series
