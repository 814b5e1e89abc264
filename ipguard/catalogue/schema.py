"""Records of the catalogue, schema 1. One JSON object a line; unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

SCHEMA = 1
"""Number of the schema; a change that old readers would misread raises it (docs/catalogue.md says how)."""

Sense = Literal["only", "usually", "sometimes", "rarely"]
SENSES: tuple[Sense, ...] = ("only", "usually", "sometimes", "rarely")
"""From the most to the least specific."""

Status = Literal["protected", "public_domain"]
ItemKind = Literal["character", "creature", "place", "vehicle", "artefact", "faction", "logo", "ability"]
Medium = Literal[
    "manga", "anime", "novel", "light_novel", "visual_novel", "game", "film", "tv", "comic", "cartoon", "book",
    "toy", "tabletop", "mascot", "vtuber", "virtual_singer", "webtoon", "tokusatsu", "studio", "music", "web",
    "brand", "folklore", "artwork",
]  # fmt: skip
NameKind = Literal["abbreviation", "nickname"]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Lang = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z]+)?$")]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all records: immutable, strict, written without defaults."""


class Name(Record, frozen=True):
    """One string that people write for a subject.

    Attributes
    ----------
    text
        As written officially or by fans.
    lang
        BCP 47 language; romanised Japanese counts as ``en``.
    sense
        What the string means in a prompt that holds no other hint.
    ordinary
        The other meaning; required for every sense but ``only``.
    kind
        Set for abbreviations and nicknames.
    not_in
        Longer strings in which the name does not count.
    personal
        Whether it is a person's family and given name, whose order may be swapped.
    """

    text: Text
    lang: Lang
    sense: Sense
    ordinary: Text | None = None
    kind: NameKind | None = None
    not_in: tuple[Text, ...] = ()
    personal: bool = False


class Free(Record, frozen=True):
    """What of a subject is in the public domain.

    Attributes
    ----------
    what
        The part that is free, in words.
    territories
        ISO 3166 codes; empty means that no territory is known, so the strictest reading applies.
    since
        Year from which it is free.
    """

    what: Text
    territories: tuple[str, ...] = ()
    since: int | None = None


class Item(Record, frozen=True):
    """A character, place or thing of a work.

    Attributes
    ----------
    id
        Unique within the work; never changes.
    kind
        What sort of thing it is.
    names
        At least one.
    descriptions
        Language to a text of what is seen, free of the work's own specific names.
    generic
        Wording that could replace the item in a prompt.
    status
        Set where it differs from the work's.
    free
        What of it is in the public domain.
    """

    id: Slug
    kind: ItemKind
    names: tuple[Name, ...]
    descriptions: dict[Lang, Text] = {}
    generic: Text | None = None
    status: Status | None = None
    free: tuple[Free, ...] = ()


class Work(Record, frozen=True):
    """A work, franchise, studio, public-domain figure or brand.

    Attributes
    ----------
    id
        Unique in the catalogue; never changes, since policies refer to it.
    title
        English title.
    media
        Where it lives, the first one first.
    year
        Of first publication; negative before the common era, 0 where it is not known.
    country
        ISO 3166 code of origin.
    creators
        Persons, for information.
    rights_holders
        Ids of parties in ``rights-holders.jsonl``.
    status
        ``protected`` or ``public_domain``.
    names
        Of the work itself.
    descriptions, style
        Language to what it is and how it looks; language to the look when that alone is asked for.
    generic
        Wording that could replace the work in a prompt.
    items
        Its characters and things.
    part_of, variant_of, adaptation_of
        Ids of related works.
    free
        What of it is in the public domain.
    """

    id: Slug
    title: Text
    media: tuple[Medium, ...]
    year: int
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]
    names: tuple[Name, ...]
    status: Status = "protected"
    creators: tuple[Text, ...] = ()
    rights_holders: tuple[Slug, ...] = ()
    descriptions: dict[Lang, Text] = {}
    style: dict[Lang, Text] = {}
    generic: Text | None = None
    items: tuple[Item, ...] = ()
    part_of: tuple[Slug, ...] = ()
    variant_of: tuple[Slug, ...] = ()
    adaptation_of: tuple[Slug, ...] = ()
    free: tuple[Free, ...] = ()


class Party(Record, frozen=True):
    """A rights holder.

    Attributes
    ----------
    id
        Unique; works refer to it.
    names
        Language to name.
    country
        ISO 3166 code, or None where it is not known.
    """

    id: Slug
    names: dict[Lang, Text]
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")] | None = None


PersonRole = Literal[
    "artist", "director", "actor", "musician", "politician", "athlete", "writer", "photographer", "designer",
    "scientist", "historical", "celebrity",
]  # fmt: skip


class Person(Record, frozen=True):
    """A real person whom prompts name.

    Attributes
    ----------
    id
        Unique.
    names
        As prompts write them.
    roles
        What the person is known for, the first one first.
    """

    id: Slug
    names: tuple[Text, ...]
    roles: tuple[PersonRole, ...]


class Manifest(Record, frozen=True):
    """``catalogue.json``: what a folder of catalogue files holds.

    Attributes
    ----------
    schema
        Number of the schema.
    version
        Version of the data, ``YYYY.M.N``.
    redirects
        Old id to the id it was merged into.
    """

    schema: int
    version: str
    redirects: dict[str, str] = {}
