"""Counting a scored file for a report, in one pass and constant memory."""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ipguard.batch.files import kind_of
from ipguard.batch.many import inputs_of
from ipguard.batch.results import COLUMNS
from ipguard.batch.sources import open_file
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.errors import BatchError
from ipguard.text.language import plain_language

BINS = 20
TOP_PROMPTS, TOP_DOUBTS = 5, 20
STYLE = 0.5
"""Chance of a style from which a prompt that is not at risk counts as asking for one."""
TIME_NAMES = ("time", "timestamp", "created_at", "datetime", "date", "created")


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """A prompt for the page.

    Attributes
    ----------
    weight
        By which the prompts to show are chosen.
    number
        Of the row, from 1 over all files; later rows give way.
    prompt
        The text.
    risk, decision
        Of the verdict.
    spans
        Start, end and title of each match, in order, none overlapping.
    """

    weight: float
    number: int
    prompt: str = field(compare=False)
    risk: float = field(compare=False)
    decision: str = field(compare=False)
    spans: tuple[tuple[int, int, str], ...] = field(compare=False)


@dataclass
class Group:
    """Prompts that have something in common.

    Attributes
    ----------
    prompts, review, block
        Numbers of rows.
    top
        The riskiest prompts; a heap.
    """

    prompts: int = 0
    review: int = 0
    block: int = 0
    top: list[Shown] = field(default_factory=list)

    def add(self, decision: str) -> None:
        """Count a row."""
        self.prompts += 1
        self.review += decision == "review"
        self.block += decision == "block"

    @property
    def flagged(self) -> int:
        """Rows that were not allowed."""
        return self.review + self.block


@dataclass
class Tally:
    """What a scored file holds.

    Attributes
    ----------
    rows, unscored
        Numbers of rows; those without a prompt.
    decisions
        Rows by decision.
    histogram
        Rows by risk, in :data:`BINS` equal bins.
    works, holders, media, languages
        Groups by id, medium and language.
    styles
        Prompts that ask for a style and are not at risk, by the work they name.
    days
        Groups by time, if there is a time column.
    doubts
        Flagged prompts that look most like false positives: the weakest evidence first.
    versions
        Model and catalogue versions met.
    """

    rows: int = 0
    unscored: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    works: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    holders: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    media: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    languages: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    styles: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    days: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    doubts: list[Shown] = field(default_factory=list)
    versions: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def flagged(self) -> int:
        """Rows that were not allowed."""
        return self.decisions["review"] + self.decisions["block"]


@dataclass(frozen=True, slots=True)
class _Row:
    prompt: str
    risk: float
    style: float
    decision: str
    works: tuple[str, ...]
    matches: list[dict[str, Any]]
    versions: tuple[str, str]
    when: datetime | None


def tally(
    source: str | Path,
    compiled: CompiledCatalogue,
    *,
    column: str = "prompt",
    time_column: str | None = None,
    holder: str | None = None,
) -> Tally:
    """Count a scored file.

    Parameters
    ----------
    source
        Output of ``ipguard batch``: a file, a folder or a pattern.
    compiled
        Gives media and holders of the works.
    column
        Where the prompts are.
    time_column
        Where times are; None for a column that is called so, if there is one.
    holder
        Id of a rights holder: only works of that party are counted.

    Returns
    -------
    Tally
        All counts.

    Raises
    ------
    BatchError
        If a file cannot be read or holds no results, or the time column is not there.
    """
    found = Tally()
    media = {work.id: work.media for work in compiled.meta.works}
    parties = {work.id: work.rights_holders for work in compiled.meta.works}
    for path in inputs_of(str(source)):
        for row in _rows(path, column, time_column, found):
            _count(found, row, media, parties, holder)
    return found


def _rows(path: Path, column: str, time_column: str | None, found: Tally) -> Iterator[_Row]:
    with open_file(path, kind_of(path), column) as source:
        missing = [name for name in COLUMNS if name not in source.columns]
        if missing:
            raise BatchError(f"{path} has no column {missing[0]!r}; a report needs the output of ipguard batch.")
        if time_column is not None and time_column not in source.columns:
            raise BatchError(f"{path} has no column {time_column!r}; it has {', '.join(source.columns)}.")
        when = time_column or next((c for c in source.columns if c.casefold() in TIME_NAMES), None)
        wanted = [column, *COLUMNS, *([when] if when else [])]
        places = [source.columns.index(name) for name in wanted]
        for chunk in source.chunks():
            for cells in chunk.rows.cells(source.columns):
                row = _parsed([cells[place] for place in places], path)
                if row is None:
                    found.rows += 1
                    found.unscored += 1
                else:
                    yield row


def _parsed(cells: list[str], path: Path) -> _Row | None:
    prompt, risk, decision, works, _, matches, _, style, model, catalogue, *when = cells
    if not risk:
        return None
    try:
        return _Row(
            prompt=prompt,
            risk=float(risk),
            style=float(style or 0),
            decision=decision,
            works=tuple(json.loads(works) if works.startswith("[") else filter(None, works.split(";"))),
            matches=json.loads(matches),
            versions=(model, catalogue),
            when=_time(when[0]) if when else None,
        )
    except ValueError as error:
        raise BatchError(f"{path} holds results that ipguard batch did not write: {error}.") from None


def _time(text: str) -> datetime | None:
    """A time in ISO 8601 or seconds since 1970; None where it is neither."""
    text = text.strip().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _count(
    found: Tally,
    row: _Row,
    media: dict[str, tuple[str, ...]],
    parties: dict[str, tuple[str, ...]],
    holder: str | None,
) -> None:
    found.rows += 1
    works = [work for work in row.works if holder is None or holder in parties.get(work, ())]
    if holder is not None and not works:
        return
    found.decisions[row.decision] += 1
    found.versions[row.versions] += 1
    found.histogram[min(int(row.risk * BINS), BINS - 1)] += 1
    found.languages[plain_language(row.prompt) or ("Latin script" if row.prompt.isascii() else "other")].add(
        row.decision
    )
    if row.when is not None:
        found.days[row.when.date().isoformat()].add(row.decision)
    if row.decision == "allow":
        _count_style(found, row, parties, holder)
        return
    shown = _shown(row, found.rows, holder, parties)
    for work in works:
        group = found.works[work]
        group.add(row.decision)
        _keep(group.top, shown, TOP_PROMPTS)
    for party in {p for work in works for p in parties.get(work, ()) if holder is None or p == holder}:
        found.holders[party].add(row.decision)
    for medium in {media[work][0] for work in works if media.get(work)}:
        found.media[medium].add(row.decision)
    _keep(found.doubts, Shown(-row.risk, -found.rows, *_facts(shown)), TOP_DOUBTS)


def _count_style(found: Tally, row: _Row, parties: dict[str, tuple[str, ...]], holder: str | None) -> None:
    if row.style < STYLE:
        return
    named = [str(m["work_id"]) for m in row.matches if holder is None or holder in parties.get(str(m["work_id"]), ())]
    if named or holder is None:
        found.styles[named[0] if named else ""].add(row.decision)


def _facts(shown: Shown) -> tuple[str, float, str, tuple[tuple[int, int, str], ...]]:
    return shown.prompt, shown.risk, shown.decision, shown.spans


def _shown(row: _Row, number: int, holder: str | None, parties: dict[str, tuple[str, ...]]) -> Shown:
    spans: list[tuple[int, int, str]] = []
    for match in row.matches:
        work, start, end = str(match["work_id"]), int(match["start"]), int(match["end"])
        mine = holder is None or holder in parties.get(work, ())
        if mine and end > start and work in row.works and all(end <= s or e <= start for s, e, _ in spans):
            spans.append((start, end, str(match["title"])))
    return Shown(row.risk, -number, row.prompt, row.risk, row.decision, tuple(sorted(spans)))


def _keep(heap: list[Shown], shown: Shown, most: int) -> None:
    """Keep the heaviest; of equal prompts one."""
    if any(held.prompt == shown.prompt for held in heap):
        return
    if len(heap) < most:
        heapq.heappush(heap, shown)
    else:
        heapq.heappushpop(heap, shown)


def largest(groups: dict[str, Group], most: int | None = None) -> Iterable[tuple[str, Group]]:
    """Return groups by the number of flagged rows, the largest first.

    Parameters
    ----------
    groups
        By name.
    most
        At most so many; None for all.

    Returns
    -------
    iterable
        Pairs of name and group; equal ones by name.
    """
    return sorted(groups.items(), key=lambda pair: (-pair[1].flagged, -pair[1].prompts, pair[0]))[:most]
