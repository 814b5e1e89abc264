"""Entries proposed by other sources: a table of works, or the result of a Wikidata query. Never merged unseen.

Both give text in the compact format, which a person reads, mends and then adds. Whether a title is also an ordinary
word cannot be known from such a source: a name of common words is proposed as ``sometimes`` with a gloss to fill in.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ipguard.catalogue.compact import slug
from ipguard.catalogue.schema import SENSES
from ipguard.catalogue.store import Catalogue
from ipguard.errors import CatalogueError
from ipguard.text.frequency import zipf
from ipguard.text.normalize import fold

COMMON_WORD = 3.0
"""Zipf frequency from which a word of a title is taken for an ordinary one."""
TO_JUDGE = "TO JUDGE: what else it means"
COLUMNS = ("title", "media", "year", "country", "rights_holders", "names", "description", "id", "status", "generic")


@dataclass(frozen=True)
class Proposal:
    """A work that may be missing.

    Attributes
    ----------
    title
        English title, or any that is written in Latin letters.
    names
        Pairs of language and text, the title not among them.
    media, year, country, rights_holders, description
        What is known; empty where it is not.
    identifier
        Id of the work; made of the title if empty.
    source
        Where it came from, for a comment line.
    """

    title: str
    names: tuple[tuple[str, str], ...] = ()
    media: tuple[str, ...] = ()
    year: str = ""
    country: str = ""
    rights_holders: tuple[str, ...] = ()
    description: str = ""
    identifier: str = ""
    status: str = "protected"
    generic: str = ""
    source: str = ""
    senses: Mapping[str, str] = field(default_factory=dict)


def suggested_sense(text: str) -> str:
    """Return ``only`` for a string that no ordinary text holds, else ``sometimes``.

    Parameters
    ----------
    text
        A title or name.

    Returns
    -------
    str
        A sense, to be judged by a reader.
    """
    key = fold(text).chars
    words = [fold(word).chars for word in text.split()]
    short = len(key) <= (3 if key.isascii() else 2)
    common = all(zipf(word) >= COMMON_WORD for word in words if word)
    return "sometimes" if short or common else "only"


def to_compact(proposals: Iterable[Proposal], held: Catalogue) -> Iterator[str]:
    """Yield a block of the compact format a proposal, leaving out what the catalogue holds by name.

    Parameters
    ----------
    proposals
        What another source offers.
    held
        The catalogue.

    Yields
    ------
    str
        A block that ends with an empty line. Facts that are missing read ``?`` and are refused until filled in.
    """
    for proposal in proposals:
        texts = [("en", proposal.title), *proposal.names]
        if any(held.named(text) for _, text in texts):
            continue
        yield _block(proposal, texts)


def _block(proposal: Proposal, texts: list[tuple[str, str]]) -> str:
    identifier = proposal.identifier or slug(proposal.title) or "?"
    head = (
        identifier, proposal.title, ",".join(proposal.media) or "?", proposal.year or "?", proposal.country or "?",
        "; ".join(proposal.rights_holders) or "?", proposal.status,
    )  # fmt: skip
    seen: set[str] = set()
    names = []
    for lang, text in texts:
        key = fold(text).chars
        if not key or key in seen:
            continue
        seen.add(key)
        sense = proposal.senses.get(text) or suggested_sense(text)
        gloss = "" if sense == "only" else f" = {TO_JUDGE}"
        names.append(f"{lang}:{sense[0]}:{text}{gloss}")
    lines = [f"# {' | '.join(head)}", f"= {'; '.join(names)}"]
    if proposal.description:
        lines.append(f"! en: {proposal.description}")
    if proposal.generic:
        lines.append(f"~ {proposal.generic}")
    return "\n".join(lines) + "\n"


def read_table(text: str) -> list[Proposal]:
    """Read works from CSV.

    Parameters
    ----------
    text
        A header of some of the columns ``title`` (needed), ``media``, ``year``, ``country``, ``rights_holders``,
        ``names``, ``description``, ``id``, ``status``, ``generic``. Several values in a cell are parted by ``;``;
        a name may read ``ja:ドラゴンボール`` or ``ja:only:ドラゴンボール``, and is English otherwise.

    Returns
    -------
    list of Proposal
        One a row.

    Raises
    ------
    CatalogueError
        If the header lacks the title or has an unknown column, or a row has none; the message names the line.
    """
    rows = csv.DictReader(text.splitlines(keepends=True))
    heads = [head or "" for head in rows.fieldnames or ()]
    unknown = sorted(set(heads) - set(COLUMNS))
    if "title" not in heads or unknown:
        found = (
            f"unknown columns {', '.join(map(repr, unknown))}" if unknown else f"columns {', '.join(heads) or 'none'}"
        )
        raise CatalogueError(
            f"A table of works needs the column 'title' and knows {', '.join(COLUMNS)}; it has {found}."
        )
    proposals = []
    for row in rows:
        cell = {key: (value or "").strip() for key, value in row.items() if isinstance(value, str | None) and key}
        if not cell["title"]:
            raise CatalogueError(f"Line {rows.line_num} of the table has no title.")
        names, senses = _table_names(_parts(cell.get("names", "")), rows.line_num)
        proposals.append(
            Proposal(
                title=cell["title"],
                names=names,
                senses=senses,
                media=_parts(cell.get("media", "")),
                year=cell.get("year", ""),
                country=cell.get("country", ""),
                rights_holders=_parts(cell.get("rights_holders", "")),
                description=cell.get("description", ""),
                identifier=cell.get("id", ""),
                status=cell.get("status", "") or "protected",
                generic=cell.get("generic", ""),
            )
        )
    return proposals


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def _table_names(parts: Iterable[str], line: int) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    names: list[tuple[str, str]] = []
    senses: dict[str, str] = {}
    for part in parts:
        lang, colon, rest = part.partition(":")
        if not colon or not (len(lang) in (2, 3) and lang.isascii() and lang.islower()):
            names.append(("en", part))
            continue
        sense, colon, text = rest.partition(":")
        if colon and sense.strip() in SENSES:
            senses[text.strip()] = sense.strip()
            rest = text
        if not rest.strip():
            raise CatalogueError(f"Line {line} of the table has a name without text: {part!r}.")
        names.append((lang, rest.strip()))
    return tuple(names), senses


WIKIDATA_MEDIA = {
    "Q21198342": "manga", "Q8274": "manga", "Q63952888": "anime", "Q1107": "anime", "Q20650540": "anime",
    "Q7889": "game", "Q7058673": "game", "Q11424": "film", "Q202866": "film", "Q24856": "film", "Q5398426": "tv",
    "Q1004": "comic", "Q14406742": "comic", "Q838795": "comic", "Q581714": "cartoon", "Q747381": "light_novel",
    "Q104213567": "light_novel", "Q689445": "visual_novel", "Q8261": "novel", "Q277759": "novel",
    "Q74262765": "webtoon", "Q11422": "toy", "Q131436": "tabletop",
}  # fmt: skip
"""Classes of Wikidata (``?class`` of the query) and the medium that each stands for."""

QUERY = """SELECT ?work ?class ?label ?lang ?alias ?aliasLang ?year ?country ?holderLabel WHERE {
  VALUES ?class { wd:Q21198342 wd:Q63952888 wd:Q7058673 wd:Q7889 wd:Q196600 }
  ?work wdt:P31 ?class ; wikibase:sitelinks ?links . FILTER(?links >= 20)
  ?work rdfs:label ?label . BIND(LANG(?label) AS ?lang) FILTER(?lang IN ("en", "ja", "ko", "zh-hans", "zh-hant"))
  OPTIONAL { ?work wdt:P577|wdt:P571 ?date . BIND(YEAR(?date) AS ?year) }
  OPTIONAL { ?work wdt:P495 ?origin . ?origin wdt:P297 ?country }
  OPTIONAL { ?work wdt:P3931|wdt:P123|wdt:P272 ?holder . ?holder rdfs:label ?holderLabel
             FILTER(LANG(?holderLabel) = "en") }
}"""
"""A query whose result :func:`read_wikidata` reads; classes and the number of site links are yours to set."""


def read_wikidata(text: str) -> list[Proposal]:
    """Read works from the SPARQL JSON result of a query like :data:`QUERY`.

    Parameters
    ----------
    text
        ``application/sparql-results+json``. Labels in a language that the catalogue does not know are left out.

    Returns
    -------
    list of Proposal
        One a work with a label in Latin letters, in order of first appearance.

    Raises
    ------
    CatalogueError
        If it is not such a result, or its rows lack ``work`` or ``label``.
    """
    try:
        bindings = json.loads(text)["results"]["bindings"]
        rows = [{key: cell["value"] for key, cell in row.items()} for row in bindings]
        grouped: dict[str, list[dict[str, Any]]] = {}
        for row, cells in zip(bindings, rows, strict=True):
            cells.setdefault("lang", row["label"].get("xml:lang", "en"))
            grouped.setdefault(cells["work"].rsplit("/", 1)[-1], []).append(cells)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(
            f"This is no SPARQL JSON result with the variables work and label: {type(error).__name__} {error}."
        ) from None
    proposals = (_of_wikidata(identifier, rows) for identifier, rows in grouped.items())
    return [proposal for proposal in proposals if proposal.title]


def _of_wikidata(identifier: str, rows: list[dict[str, str]]) -> Proposal:
    labels = dict.fromkeys((row["lang"].split("-")[0], row["label"]) for row in rows)
    aliases = dict.fromkeys(
        (row.get("aliasLang", row["lang"]).split("-")[0], row["alias"]) for row in rows if row.get("alias")
    )
    latin = [text for _, text in labels if fold(text).chars.isascii()]
    title = next((text for lang, text in labels if lang == "en"), latin[0] if latin else "")
    classes = [row.get("class", "").rsplit("/", 1)[-1] for row in rows]
    proposal = Proposal(title=title, source=f"Wikidata {identifier}")
    return replace(
        proposal,
        names=tuple(pair for pair in (*labels, *aliases) if pair[1] != title),
        media=tuple(dict.fromkeys(WIKIDATA_MEDIA[c] for c in classes if c in WIKIDATA_MEDIA)),
        year=min((row["year"] for row in rows if row.get("year")), default=""),
        country=next((row["country"] for row in rows if row.get("country")), ""),
        rights_holders=tuple(dict.fromkeys(row["holderLabel"] for row in rows if row.get("holderLabel"))),
    )
