"""What a catalogue holds, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ipguard.catalogue.schema import SENSES, Item, Work
from ipguard.catalogue.store import Catalogue

TRANSLATED_APART = ("pokemon",)
"""Works whose names are translated one by one by their owner; their names beyond English and Japanese count apart."""


def counts(catalogue: Catalogue) -> dict[str, Any]:
    """Return what a catalogue holds.

    Parameters
    ----------
    catalogue
        The records.

    Returns
    -------
    dict
        Numbers of works, items, names, by medium, language and sense, and the described share.
    """
    works = [work for i, work in sorted(catalogue.works.items()) if i not in catalogue.brands]
    items = [item for work in works for item in work.items]
    subjects: list[Work | Item] = [*works, *items]
    names = [name for subject in subjects for name in subject.names]
    described = Counter(lang for item in items for lang in item.descriptions)
    apart = [
        name
        for work in works
        if work.id in TRANSLATED_APART
        for item in work.items
        for name in item.names
        if name.lang not in ("en", "ja")
    ]
    return {
        "works": len(works),
        "public_domain": sum(work.status == "public_domain" for work in works),
        "brands": len(catalogue.brands),
        "items": len(items),
        "described_items": sum(bool(item.descriptions) for item in items),
        "described_share": round(sum(bool(item.descriptions) for item in items) / max(len(items), 1), 3),
        "described_items_by_language": dict(described.most_common()),
        "described_works_by_language": dict(Counter(lang for w in works for lang in w.descriptions).most_common()),
        "generic_items": sum(bool(item.generic) for item in items),
        "styles": sum(bool(work.style) for work in works),
        "names": len(names) - len(apart),
        "translated_names_apart": len(apart),
        "people": len(catalogue.people),
        "rights_holders": len(catalogue.parties),
        "by_medium": dict(Counter(work.media[0] for work in works if work.media).most_common()),
        "names_by_language": dict(Counter(name.lang for name in names).most_common()),
        "names_by_sense": {sense: sum(name.sense == sense for name in names) for sense in SENSES},
    }
