"""From rows that people wrote to rules: titles and names in any language to ids, nothing guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

from rapidfuzz import process

from ipguard.catalogue.schema import Medium, Work
from ipguard.catalogue.store import Catalogue
from ipguard.errors import InvalidArgumentError
from ipguard.policy.rules import EFFECTS, REASONS, Effect, Reason, Rule
from ipguard.policy.tables import PARSERS, Row, Table, csv_line, word
from ipguard.text.normalize import fold

NEAR, SHOWN = 75.0, 5
"""Similarity in per cent from which a name is offered for one that is not known, and how many are."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or a cell of it, was not taken as it stands.

    Attributes
    ----------
    row
        As a spreadsheet counts.
    column, value
        The cell.
    text
        What is wrong with it.
    near
        What may have been meant.
    """

    row: int
    column: str
    value: str
    text: str
    near: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line."""
        near = f" (near: {', '.join(self.near)})" if self.near else ""
        return f"row {self.row}: {self.column} {self.value!r} {self.text}{near}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of a table.

    Attributes
    ----------
    rules
        Of the rows that could be read, each once.
    rejects
        Why others could not.
    notes
        What is worth a look in rows that were taken.
    """

    rules: tuple[Rule, ...]
    rejects: tuple[Problem, ...]
    notes: tuple[Problem, ...]


class _Unresolved(Exception):  # noqa: N818 - never leaves the module
    def __init__(self, column: str, value: str, text: str, near: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.column, self.value, self.text, self.near = column, value, text, tuple(near)[:SHOWN]


class Resolver:
    """Makes rules of rows.

    Parameters
    ----------
    catalogue
        Where titles, items and rights holders are looked up.
    effect, reason
        For rows that do not say them. The reason is ``opted_out`` where none is given, or ``licensed`` for a
        permit.
    """

    def __init__(self, catalogue: Catalogue, *, effect: Effect = "block", reason: Reason | None = None) -> None:
        for name, value, choices in (("effect", effect, EFFECTS), ("reason", reason, (None, *REASONS))):
            if value not in choices:
                raise InvalidArgumentError(name, f"be one of {', '.join(c for c in choices if c)}", value)
        self._catalogue, self._effect, self._reason = catalogue, effect, reason

    def resolve(self, table: Table) -> Resolution:
        """Make rules of a table.

        Parameters
        ----------
        table
            As it was read.

        Returns
        -------
        Resolution
            Rules, and what could not be made one.
        """
        rules: dict[Rule, None] = {}
        rejects: list[Problem] = []
        notes: list[Problem] = []
        for row in table.rows:
            try:
                rules[self._rule(row, notes)] = None
            except _Unresolved as why:
                rejects.append(Problem(row.number, why.column, why.value, why.text, why.near))
        return Resolution(tuple(rules), tuple(rejects), tuple(notes))

    def _rule(self, row: Row, notes: list[Problem]) -> Rule:
        content: dict[str, Any] = {"effect": self._effect}
        for column, cell in row.fields.items():
            if column in ("effect", "reason", "category", "medium"):
                content[column] = word(column, cell)
            elif column in PARSERS:
                try:
                    content[column] = PARSERS[column](cell)
                except ValueError as error:
                    raise _Unresolved(column, cell, str(error)) from None
        if content["effect"] == "permit":
            content.setdefault("reason", self._reason or "licensed")
        content.setdefault("reason", self._reason or "opted_out")
        self._check_medium(content.get("medium"))
        content |= self._whom(row, content["effect"], notes)
        if not any(content.get(key) for key in ("work", "rights_holder", "medium", "category")):
            raise _Unresolved("title", "", "is empty, and so are work, rights_holder, medium and category")
        try:
            return Rule(**content)
        except InvalidArgumentError as error:
            raise _Unresolved(error.argument, row.fields.get(error.argument, ""), f"must {error.rule}") from None

    @staticmethod
    def _check_medium(medium: str | None) -> None:
        if medium is not None and medium not in get_args(Medium):
            near = process.extract(medium, get_args(Medium), limit=SHOWN, score_cutoff=NEAR)
            raise _Unresolved("medium", medium, "is none that the catalogue knows", (found for found, *_ in near))

    def _whom(self, row: Row, effect: str, notes: list[Problem]) -> dict[str, str | None]:
        holder = row.fields.get("rights_holder")
        item = row.fields.get("item")
        if "work" not in row.fields and "title" not in row.fields:
            if item:
                raise _Unresolved("item", item, "needs a work or title", self._bearers(item))
            return {"rights_holder": self._holder(holder) if holder else None}
        work = self._by_id(row.fields["work"]) if "work" in row.fields else self._by_title(row.fields["title"], holder)
        if holder:
            self._check_holder(row, work, holder, effect, notes)
        if work.status == "public_domain" and effect != "permit":
            notes.append(Problem(row.number, "title", work.id, "is in the public domain: the rule will do nothing"))
        return {"work": work.id, "item": self._item(work, item) if item else None}

    def _check_holder(self, row: Row, work: Work, holder: str, effect: str, notes: list[Problem]) -> None:
        """A work stands for itself; its holder is looked at only to find a slip."""
        try:
            if self._holder(holder) in work.rights_holders:
                return
        except _Unresolved:
            if effect == "permit":
                raise
        held = ", ".join(work.rights_holders) or "nobody"
        text = f"is not among the holders of {work.id} in the catalogue: {held}"
        if effect == "permit":
            raise _Unresolved("rights_holder", holder, text)
        notes.append(Problem(row.number, "rights_holder", holder, text))

    def _by_id(self, work_id: str) -> Work:
        try:
            return self._catalogue.get(work_id)
        except InvalidArgumentError:
            near = process.extract(work_id, list(self._catalogue.works), limit=SHOWN, score_cutoff=NEAR)
            raise _Unresolved("work", work_id, "is no id of a work", (found for found, *_ in near)) from None

    def _by_title(self, title: str, holder: str | None) -> Work:
        found = [self._catalogue.works[i] for i in sorted(self._own.get(fold(title).chars, ()))]
        found = [work for work in found if work.status == "protected"] or found
        if len(found) > 1 and holder:
            found = [work for work in found if self._holds(work, holder)] or found
        found = _heads(found)
        if len(found) == 1:
            return found[0]
        if found:
            raise _Unresolved("title", title, "means several works", (work.id for work in found))
        near = [*self._bearers(title), *self._similar(title)]
        raise _Unresolved("title", title, "is no title of a work", dict.fromkeys(near))

    def _similar(self, title: str) -> list[str]:
        near = [work.id for work in self._catalogue.search(title, limit=SHOWN)] if fold(title).chars else []
        names = process.extract(fold(title).chars, list(self._own), limit=SHOWN, score_cutoff=NEAR)
        return near + [work for name, *_ in names for work in sorted(self._own[name])]

    def _bearers(self, name: str) -> list[str]:
        """Items that bear a name, as WORK/ITEM."""
        folded = fold(name).chars
        works = (self._catalogue.works[i] for i in sorted(self._catalogue.named(name)))
        return [f"{work.id}/{i}" for work in works for i in sorted(_items(work).get(folded, ()))]

    def _holds(self, work: Work, holder: str) -> bool:
        return any(party in work.rights_holders for party in self._parties.get(fold(holder).chars, ()))

    def _holder(self, name: str) -> str:
        found = sorted(self._parties.get(fold(name).chars, ()))
        if len(found) == 1:
            return found[0]
        if found:
            raise _Unresolved("rights_holder", name, "means several parties", found)
        near = process.extract(fold(name).chars, list(self._parties), limit=SHOWN, score_cutoff=NEAR)
        parties = (party for known, *_ in near for party in sorted(self._parties[known]))
        raise _Unresolved("rights_holder", name, "is no rights holder of the catalogue", dict.fromkeys(parties))

    def _item(self, work: Work, name: str) -> str:
        items = _items(work)
        found = sorted(items.get(fold(name).chars, ()))
        if len(found) == 1:
            return found[0]
        if found:
            raise _Unresolved("item", name, f"means several items of {work.id}", found)
        near = process.extract(fold(name).chars, list(items), limit=SHOWN, score_cutoff=NEAR)
        ids = (item for known, *_ in near for item in sorted(items[known]))
        raise _Unresolved("item", name, f"is no item of {work.id}", dict.fromkeys(ids))

    @cached_property
    def _own(self) -> Mapping[str, set[str]]:
        """Folded name to the works that bear it themselves."""
        own: defaultdict[str, set[str]] = defaultdict(set)
        for work in self._catalogue.works.values():
            for text in (work.id, work.title, *(name.text for name in work.names)):
                own[fold(text).chars].add(work.id)
        own.pop("", None)
        return own

    @cached_property
    def _parties(self) -> Mapping[str, set[str]]:
        """Folded name to the rights holders that bear it."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for party in self._catalogue.parties.values():
            for text in (party.id, *party.names.values()):
                found[fold(text).chars].add(party.id)
        return found


def _items(work: Work) -> Mapping[str, set[str]]:
    """Folded name to the items that bear it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item in work.items:
        for text in (item.id, *(name.text for name in item.names)):
            found[fold(text).chars].add(item.id)
    return found


def _heads(works: list[Work]) -> list[Work]:
    """Those that are not part of another of them: a rule for a franchise covers its parts."""
    ids = {work.id for work in works}
    return [work for work in works if not ids & set(work.part_of)]


def reject_lines(table: Table, rejects: Iterable[Problem]) -> Iterable[str]:
    """Yield a CSV table of the rows that were not taken, to be mended and read again.

    Parameters
    ----------
    table
        What was read.
    rejects
        Of its resolution.

    Yields
    ------
    str
        The headings and rows as they stood, with the row's number, the problem and what may have been meant
        behind, and the ends of lines.
    """
    rows = {row.number: row for row in table.rows}
    yield csv_line([*table.headings, "row", "problem", "near"])
    for why in rejects:
        cells = rows[why.row].cells
        filled = [*cells, *[""] * (len(table.headings) - len(cells))]
        yield csv_line([*filled, why.row, f"{why.column}: {why.text}", " ".join(why.near)])
