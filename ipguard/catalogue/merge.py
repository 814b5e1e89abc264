"""Bringing proposed records into a catalogue without losing what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from ipguard.catalogue.schema import SENSES, Item, Name, Party, Work
from ipguard.catalogue.store import Catalogue
from ipguard.text.normalize import fold
from ipguard.text.scripts import Script, script_of


def name_key(name: Name) -> tuple[str, str]:
    """Return the key under which two names of a subject are one: script or language, and folded text."""
    key = fold(name.text).chars
    latin = bool(key) and script_of(key[0]) in (Script.LATIN, Script.DIGIT)
    return "Latn" if latin else name.lang, key


def merge_names(held: Iterable[Name], more: Iterable[Name]) -> tuple[Name, ...]:
    """Join names; of two that are one the less specific sense stays.

    Parameters
    ----------
    held, more
        Names of one subject.

    Returns
    -------
    tuple of Name
        In order of first appearance.
    """
    names: dict[tuple[str, str], Name] = {}
    for name in (*held, *more):
        key = name_key(name)
        if not key[1]:
            continue
        old = names.get(key)
        if old is None or SENSES.index(name.sense) > SENSES.index(old.sense):
            names[key] = name
    return tuple(names.values())


def _merge_items(held: tuple[Item, ...], more: tuple[Item, ...]) -> tuple[Item, ...]:
    items = {item.id: item for item in held}
    owner = {name_key(n): item.id for item in held for n in item.names if n.sense in ("only", "usually")}
    for item in more:
        twin = item.id if item.id in items else next((owner[k] for k in map(name_key, item.names) if k in owner), None)
        if twin is None:
            items[item.id] = item
            continue
        old = items[twin]
        items[twin] = msgspec.structs.replace(
            old,
            names=merge_names(old.names, item.names),
            descriptions={**item.descriptions, **old.descriptions},
            generic=old.generic or item.generic,
        )
    return tuple(items.values())


def merge_work(held: Work, more: Work) -> Work:
    """Join two records of one work; facts that the first holds stay.

    Parameters
    ----------
    held, more
        Records with one id.

    Returns
    -------
    Work
        With the names, items, descriptions and relations of both.
    """
    return msgspec.structs.replace(
        held,
        names=merge_names(held.names, more.names),
        media=tuple(dict.fromkeys((*held.media, *more.media))),
        rights_holders=held.rights_holders or more.rights_holders,
        creators=held.creators or more.creators,
        descriptions={**more.descriptions, **held.descriptions},
        style={**more.style, **held.style},
        generic=held.generic or more.generic,
        items=_merge_items(held.items, more.items),
        part_of=tuple(dict.fromkeys((*held.part_of, *more.part_of))),
        variant_of=tuple(dict.fromkeys((*held.variant_of, *more.variant_of))),
        adaptation_of=tuple(dict.fromkeys((*held.adaptation_of, *more.adaptation_of))),
    )


def merge(catalogue: Catalogue, works: Iterable[Work], *, parties: Mapping[str, str] | None = None) -> Catalogue:
    """Add works to a catalogue, joining those whose ids it knows.

    Parameters
    ----------
    catalogue
        What is held.
    works
        What is proposed.
    parties
        Id and name of the rights holders that they refer to.

    Returns
    -------
    Catalogue
        A new catalogue.
    """
    joined = dict(catalogue.works)
    for work in works:
        joined[work.id] = merge_work(joined.get(work.id, work), work)
    more = {i: Party(id=i, names={"en": name}) for i, name in (parties or {}).items()}
    return replace(catalogue, works=joined, parties={**more, **catalogue.parties})
