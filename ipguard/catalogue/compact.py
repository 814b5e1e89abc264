"""The compact authoring format: a plain text file that expands to records of the schema.

One work a block, blocks parted by blank lines::

    # id | Title | medium,medium | year | country | Holder; Holder | status
    @ part_of: id, id | variant_of: id | adaptation_of: id | creators: A; B | free: what (since)
    = lang:sense:name [= ordinary meaning] [!longer,longer]; …
    ! en: what it is and how it looks
    ^ en: the look when it is asked for alone
    ~ generic wording
    - kind | names | en: what is seen | generic wording | ja: … | status: public_domain | free: what (since)

``sense`` is ``o``, ``u``, ``s`` or ``r``, with a ``p`` behind it for a person's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from ipguard.catalogue.schema import Work
from ipguard.errors import CatalogueFormatError

_SENSES = {"o": "only", "u": "usually", "s": "sometimes", "r": "rarely"}
_NAME = re.compile(r"^(?P<lang>[a-z]{2,3}(?:-[A-Za-z]+)?):(?P<sense>[ousr])(?P<personal>p?):(?P<rest>.*)$", re.DOTALL)
_NOT_IN = re.compile(r"\s!(\S.*)$")
_STARTS_NAME = re.compile(r"^\s*[a-z]{2,3}(?:-[A-Za-z]+)?:[ousr]p?:")
_FREE = re.compile(r"^(?P<what>.+?)(?:\s*\((?P<since>-?\d{1,4})\))?(?:\s*\[(?P<territories>[A-Z, ]+)\])?$")
_RELATIONS = ("part_of", "variant_of", "adaptation_of")


def slug(text: str) -> str:
    """Return a stable identifier for a name: lower case ASCII words joined by hyphens.

    Parameters
    ----------
    text
        Any name.

    Returns
    -------
    str
        Empty if the name holds no Latin letter or digit.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = plain.replace("'", "").replace("’", "").casefold()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:80].strip("-")


class _Parser:
    """One file; errors name it and the line being read."""

    def __init__(self, path: str | Path, parties: dict[str, str]) -> None:
        self.path, self.parties, self.line = path, parties, 0

    def fail(self, rule: str, detail: str) -> NoReturn:
        raise CatalogueFormatError(self.path, self.line, rule, detail)

    def names(self, text: str) -> list[dict[str, Any]]:
        tokens: list[str] = []
        for token in text.split("; "):
            # A gloss may hold "; " itself; only what starts like a name starts one.
            if tokens and not _STARTS_NAME.match(token):
                tokens[-1] += ", " + token
            else:
                tokens.append(token)
        return [self.name(token.strip().rstrip(";")) for token in tokens if token.strip(" ;")]

    def name(self, token: str) -> dict[str, Any]:
        match = _NAME.match(token)
        if not match:
            self.fail("name must read lang:sense:text", token)
        rest = match["rest"]
        name: dict[str, Any] = {"lang": match["lang"], "sense": _SENSES[match["sense"]]}
        if longer := _NOT_IN.search(rest):
            name["not_in"] = [part.strip() for part in longer[1].split(",") if part.strip()]
            rest = rest[: longer.start()]
        text, _, ordinary = rest.partition(" = ")
        name["text"] = text.strip()
        if ordinary.strip():
            name["ordinary"] = ordinary.strip()
        if match["personal"]:
            name["personal"] = True
        return name

    def party(self, name: str) -> str:
        identifier = slug(name)
        if not identifier:
            self.fail("rights holder must have a Latin name", name)
        self.parties.setdefault(identifier, name)
        return identifier

    def header(self, line: str) -> dict[str, Any]:
        fields = [field.strip() for field in line[2:].split("|")]
        if len(fields) != 7:
            self.fail("header must hold seven fields", line)
        identifier, title, media, year, country, holders, status = fields
        if not re.fullmatch(r"-?\d{1,4}", year):
            self.fail("year must be a number", year)
        return {
            "id": identifier,
            "title": title,
            "media": [medium.strip() for medium in media.split(",") if medium.strip()],
            "year": int(year),
            "country": country,
            "rights_holders": [self.party(h.strip()) for h in holders.split(";") if h.strip(" -–—")],
            "status": status,
            "names": [],
            "items": [],
        }

    def free(self, text: str) -> list[dict[str, Any]]:
        match = _FREE.match(text.strip())
        if not match:
            self.fail("free must read what (since) [territories]", text)
        entry: dict[str, Any] = {"what": match["what"].strip()}
        if match["since"]:
            entry["since"] = int(match["since"])
        if match["territories"]:
            entry["territories"] = [code for code in re.split(r"[ ,]+", match["territories"]) if code]
        return [entry]

    def relations(self, work: dict[str, Any], line: str) -> None:
        for part in line[2:].split("|"):
            key, _, value = (x.strip() for x in part.partition(":"))
            if key in _RELATIONS:
                work[key] = [v.strip() for v in re.split("[,;]", value) if v.strip()]
            elif key == "creators":
                work[key] = [v.strip() for v in value.split(";") if v.strip()]
            elif key == "free":
                work[key] = self.free(value)
            else:
                self.fail("unknown relation", key)

    def item(self, work: dict[str, Any], line: str) -> dict[str, Any]:
        fields = [field.strip() for field in line[2:].split("|")]
        names = self.names(fields[1]) if len(fields) > 1 else []
        if not names:
            self.fail("item must have a name", line)
        item: dict[str, Any] = {"kind": fields[0], "names": names}
        for place, field in enumerate(fields[2:]):
            key, colon, value = field.partition(":")
            if colon and re.fullmatch(r"[a-z]{2}", key):
                if value.strip():
                    item.setdefault("descriptions", {})[key] = value.strip()
            elif key == "status" and colon:
                item["status"] = value.strip()
            elif key == "free" and colon:
                item["free"] = self.free(value)
            elif field and place == 1:
                item["generic"] = field
            elif field:
                self.fail("item field must start with a language", field)
        item["id"] = self.item_id(work, names)
        return item

    @staticmethod
    def item_id(work: dict[str, Any], names: list[dict[str, Any]]) -> str:
        latin = [slug(n["text"]) for n in names if n["lang"] == "en"] + [slug(n["text"]) for n in names]
        base = next((s for s in latin if s), f"item-{len(work['items']) + 1}")
        taken = {item["id"] for item in work["items"]}
        number, identifier = 1, base
        while identifier in taken:
            number += 1
            identifier = f"{base}-{number}"
        return identifier

    def block(self, lines: list[tuple[int, str]]) -> Work:
        self.line = first = lines[0][0]
        if not lines[0][1].startswith("# "):
            self.fail("block must start with '# '", lines[0][1])
        work = self.header(lines[0][1])
        for number, line in lines[1:]:
            self.line = number
            self.body(work, line)
        try:
            return msgspec.convert(work, Work)
        except msgspec.ValidationError as error:
            self.line = first
            self.fail(str(error), work["id"])

    def body(self, work: dict[str, Any], line: str) -> None:
        mark, text = line[:2], line[2:].strip()
        if mark == "= ":
            work["names"] += self.names(text)
        elif mark in ("! ", "^ "):
            lang, _, sentence = text.partition(":")
            work.setdefault("descriptions" if mark == "! " else "style", {})[lang.strip()] = sentence.strip()
        elif mark == "~ ":
            work["generic"] = text
        elif mark == "@ ":
            self.relations(work, line)
        elif mark == "- ":
            work["items"].append(self.item(work, line))
        else:
            self.fail("line must start with one of = ! ^ ~ @ -", line)


def _blocks(lines: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    block: list[tuple[int, str]] = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\n")
        if block and (line.startswith("# ") or not line.strip()):
            yield block
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield block


def parse(text: str, *, path: str | Path = "<text>", parties: dict[str, str] | None = None) -> list[Work]:
    """Expand compact text to records.

    Parameters
    ----------
    text
        Blocks of the compact format.
    path
        Named in errors.
    parties
        Receives the id and name of each rights holder that is met.

    Returns
    -------
    list of Work
        In the order of the text.

    Raises
    ------
    CatalogueFormatError
        Naming the line and the rule that it breaks.
    """
    parser = _Parser(path, {} if parties is None else parties)
    return [parser.block(block) for block in _blocks(text.splitlines())]
