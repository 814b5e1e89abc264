"""What changed between two catalogues, in the terms in which people review it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ipguard.catalogue.merge import name_key
from ipguard.catalogue.schema import Item, Name, Work
from ipguard.catalogue.store import Catalogue

FACTS = ("title", "year", "country", "media", "status", "rights_holders", "part_of", "variant_of", "adaptation_of",
         "free", "generic", "kind")  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference.

    Attributes
    ----------
    work
        Id of the work.
    item
        Id of the item, or empty for the work itself.
    what
        ``added``, ``removed``, ``name added``, ``name removed``, ``sense``, ``description`` or the name of a fact.
    old, new
        Before and after; empty where there is none.
    """

    work: str
    item: str
    what: str
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        """Return one line for reading."""
        place = f"{self.work}/{self.item}" if self.item else self.work
        change = f"{self.old} -> {self.new}" if self.old and self.new else self.new or self.old
        return f"{place}\t{self.what}\t{change}"


def diff(old: Catalogue, new: Catalogue) -> list[Change]:
    """Compare two catalogues.

    Parameters
    ----------
    old, new
        Before and after.

    Returns
    -------
    list of Change
        Sorted by work and item; empty if they hold the same.
    """
    changes: list[Change] = []
    for work_id in {*old.works, *new.works}:
        before, after = old.works.get(work_id), new.works.get(work_id)
        if before is None or after is None:
            changes += _whole(work_id, "", before, after)
            continue
        changes += _subject(work_id, "", before, after)
        held, given = ({item.id: item for item in work.items} for work in (before, after))
        for item_id in {*held, *given}:
            first, second = held.get(item_id), given.get(item_id)
            if first is None or second is None:
                changes += _whole(work_id, item_id, first, second)
            else:
                changes += _subject(work_id, item_id, first, second)
    return sorted(changes)


def _whole(work: str, item: str, before: Work | Item | None, after: Work | Item | None) -> Iterator[Change]:
    if before is None and after is not None:
        yield Change(work, item, "added", new=_title(after))
    elif before is not None:
        yield Change(work, item, "removed", old=_title(before))


def _title(subject: Work | Item) -> str:
    names = ", ".join(name.text for name in subject.names[:3])
    return f"{subject.title} ({names})" if isinstance(subject, Work) else names


def _subject(work: str, item: str, before: Work | Item, after: Work | Item) -> Iterator[Change]:
    for fact in FACTS:
        old, new = _shown(getattr(before, fact, None)), _shown(getattr(after, fact, None))
        if old != new:
            yield Change(work, item, fact, old or "none", new or "none")
    yield from _names(work, item, before.names, after.names)
    for field in ("descriptions", "style"):
        old_texts, new_texts = getattr(before, field, {}), getattr(after, field, {})
        for lang in sorted({*old_texts, *new_texts}):
            if old_texts.get(lang) != new_texts.get(lang):
                what = f"{field.removesuffix('s')} {lang}"
                yield Change(work, item, what, old_texts.get(lang, ""), new_texts.get(lang, ""))


def _names(work: str, item: str, before: Iterable[Name], after: Iterable[Name]) -> Iterator[Change]:
    old, new = ({name_key(n): n for n in names} for names in (before, after))
    for key in sorted({*old, *new}):
        first, second = old.get(key), new.get(key)
        if first is None and second is not None:
            yield Change(work, item, "name added", new=f"{second.lang}:{second.sense}:{second.text}")
        elif second is None and first is not None:
            yield Change(work, item, "name removed", old=f"{first.lang}:{first.sense}:{first.text}")
        elif first is not None and second is not None and first.sense != second.sense:
            yield Change(work, item, "sense", f"{first.text} {first.sense}", second.sense)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
