"""The report as one self-contained page; every text from outside is escaped by the template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ipguard.batch.charts import bin_rows, histogram_chart, trend_chart
from ipguard.batch.sinks import atomic
from ipguard.batch.tally import Group, Shown, Tally, largest, tally
from ipguard.catalogue.build import load_or_build
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.errors import InvalidArgumentError, MissingExtraError
from ipguard.text.normalize import fold

TABLE_ROWS, PROMPT_WORKS, LONGEST = 40, 20, 1200
"""Rows of a table, works with prompts, and characters of a prompt that are shown."""
_LANGUAGES = {
    "ja": "Japanese", "en": "English", "zh": "Chinese", "ko": "Korean", "es": "Spanish", "fr": "French",
    "de": "German", "pt": "Portuguese", "it": "Italian", "ru": "Russian", "th": "Thai", "ar": "Arabic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """A table of groups."""

    anchor: str
    title: str
    head: str
    note: str
    rows: list[dict[str, Any]]
    left: int


def write_report(
    source: str | Path,
    target: str | Path,
    *,
    column: str = "prompt",
    time_column: str | None = None,
    rights_holder: str | None = None,
    catalogue: str | Path | None = None,
) -> Tally:
    """Write a page about scored prompts.

    Parameters
    ----------
    source
        Output of ``ipguard batch``: a file, a folder or a pattern.
    target
        HTML file; it appears when it is whole.
    column, time_column
        Where the prompts and the times are; a time column that is called so is found.
    rights_holder
        Id or name of a party: a page of that party's works alone, to be sent to it.
    catalogue
        Compiled file or folder; None for the one that is shipped.

    Returns
    -------
    Tally
        What the page shows.

    Raises
    ------
    BatchError
        If a file cannot be read or written, or holds no results.
    InvalidArgumentError
        If no party has that id or name.
    MissingExtraError
        If Jinja is not installed.
    """
    template = _template()
    path = Path(catalogue) if catalogue else None
    compiled = CompiledCatalogue.read(path) if path and path.is_file() else load_or_build(path)
    holder = party_id(compiled, rights_holder) if rights_holder else None
    found = tally(source, compiled, column=column, time_column=time_column, holder=holder)
    page = template.render(_context(found, compiled, holder, str(source)))
    with atomic(Path(target)) as stream:
        stream.write(page.encode("utf-8", "replace"))
    return found


def _template() -> Any:  # noqa: ANN401 - a jinja2.Template
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("A report", "report") from None
    environment = Environment(loader=PackageLoader("ipguard.batch"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html.j2")


def party_id(compiled: CompiledCatalogue, wanted: str) -> str:
    """Return the id of a rights holder.

    Parameters
    ----------
    compiled
        The catalogue.
    wanted
        Id, or name in any spelling.

    Returns
    -------
    str
        The id.

    Raises
    ------
    InvalidArgumentError
        If there is none; the message names parties that hold the text.
    """
    key = fold(wanted).chars
    folded = {fold(name).chars: identifier for identifier, name in compiled.meta.parties.items()}
    if wanted in compiled.meta.parties:
        return wanted
    if key in folded:
        return folded[key]
    near = sorted(name for name in compiled.meta.parties.values() if key and key in fold(name).chars)[:5]
    hint = f" (such as {', '.join(near)})" if near else ""
    raise InvalidArgumentError("rights_holder", f"be the id or name of a party in the catalogue{hint}", wanted)


def _context(found: Tally, compiled: CompiledCatalogue, holder: str | None, source: str) -> dict[str, Any]:
    titles = {work.id: work.title for work in compiled.meta.works}
    holders = {w.id: ", ".join(compiled.meta.parties.get(p, p) for p in w.rights_holders) for w in compiled.meta.works}
    party = compiled.meta.parties.get(holder, holder) if holder else ""
    scored = sum(found.decisions.values())
    trend, unit, trend_rows = trend_chart(found)
    names = {"works": titles, "holders": compiled.meta.parties, "languages": _LANGUAGES, "media": {}}
    tables = [
        _section("works", "By franchise", "Work", found.works, names["works"], holders if not holder else {}),
        _section("holders", "By rights holder", "Rights holder", found.holders, names["holders"], {}),
        _section("media", "By medium", "Medium", found.media, {m: m.replace("_", " ") for m in found.media}, {}),
        _section("languages", "By language of the prompt", "Language", found.languages, names["languages"], {}),
    ]
    tables[0] = _noted(tables[0], "A prompt that names several works counts for each.")
    if holder:
        tables = [table for table in tables if table.anchor != "holders"]
    sections = [("risk", "Risk"), *([("trend", "Over time")] if trend else []), *((t.anchor, t.title) for t in tables),
                ("prompts", "Prompts"), ("doubts", "False positives?"), ("styles", "Styles")]  # fmt: skip
    return {
        "title": f"Prompts at risk: works of {party}" if holder else "Prompts at risk",
        "subtitle": f"{Path(source).name}: {found.rows:,} rows",
        "sections": sections,
        "cards": _cards(found, scored, holder is not None),
        "histogram": histogram_chart(found.histogram),
        "bins": bin_rows(found.histogram),
        "trend": trend, "trend_unit": unit, "trend_rows": trend_rows,
        "tables": tables,
        "prompts": [
            {"name": titles.get(i, i), "flagged": f"{g.flagged:,}", "prompts": _listed(g.top, titles.get(i, i))}
            for i, g in largest(found.works, PROMPT_WORKS)
        ],
        "doubts": _listed(found.doubts),
        "styles": [
            (titles.get(i, i) or "no work named", f"{g.prompts:,}")
            for i, g in sorted(found.styles.items(), key=lambda pair: -pair[1].prompts)[:TABLE_ROWS]
        ],
        "versions": [pair for pair, _ in found.versions.most_common(3)],
        "version": version("ipguard-prompts"),
    }  # fmt: skip


def _cards(found: Tally, scored: int, one_holder: bool) -> list[tuple[str, str, str, str]]:
    def share(count: int) -> str:
        return f"{100 * count / scored:.1f} %" if scored and not one_holder else ""

    counts = found.decisions
    first = ("Prompts", f"{found.rows:,}", f"{found.unscored:,} without text" if found.unscored else "", "")
    return [
        first,
        ("At risk", f"{found.flagged:,}", share(found.flagged), ""),
        ("Blocked", f"{counts['block']:,}", share(counts["block"]), "block"),
        ("For review", f"{counts['review']:,}", share(counts["review"]), "review"),
        ("Works", f"{len(found.works):,}", "", ""),
    ]


def _section(
    anchor: str, title: str, head: str, groups: dict[str, Group], names: dict[str, str], details: dict[str, str]
) -> Section:
    chosen = list(largest({i: g for i, g in groups.items() if g.flagged}))
    most = max((group.flagged for _, group in chosen), default=1)
    rows = [
        {
            "name": names.get(i, i), "detail": details.get(i, ""), "flagged": f"{g.flagged:,}", "block": f"{g.block:,}",
            "review": f"{g.review:,}", "b": round(100 * g.block / most, 2), "r": round(100 * g.review / most, 2),
        }
        for i, g in chosen[:TABLE_ROWS]
    ]  # fmt: skip
    return Section(anchor, title, head, "", rows, max(0, len(chosen) - TABLE_ROWS))


def _noted(section: Section, note: str) -> Section:
    return Section(section.anchor, section.title, section.head, note, section.rows, section.left)


def _listed(heap: Iterable[Shown], title: str | None = None) -> list[dict[str, Any]]:
    return [
        {"decision": shown.decision, "risk": f"{shown.risk:.2f}", "pieces": pieces(shown, title)}
        for shown in sorted(heap, reverse=True)
    ]


def pieces(shown: Shown, only: str | None = None) -> list[tuple[str, str]]:
    """Return a prompt cut into what was matched and what was not.

    Parameters
    ----------
    shown
        The prompt.
    only
        Title of the work whose matches are wanted; None for those of all.

    Returns
    -------
    list of tuple
        Text, and the title of the work or nothing. Long stretches between matches are shortened.
    """
    out: list[tuple[str, str]] = []
    at = 0
    for start, end, title in (span for span in shown.spans if only in (None, span[2])):
        out += [(_shortened(shown.prompt[at:start]), ""), (_shortened(shown.prompt[start:end]), title)]
        at = end
    out.append((_shortened(shown.prompt[at:]), ""))
    return [piece for piece in out if piece[0]]


def _shortened(text: str) -> str:
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} […] {text[-half:]}"
