"""Rules as a table: its columns by their English and Japanese headings, its cells, and writing it back."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from ipguard.errors import PolicyError
from ipguard.policy.rules import CATEGORIES, EFFECTS, REASONS, Rule

HEADINGS: dict[str, tuple[str, ...]] = {
    "title": ("title", "work title", "name", "作品名", "作品", "タイトル", "題名"),
    "work": ("work", "work id", "作品id"),
    "item": ("item", "character", "item id", "キャラクター", "キャラクター名", "キャラ", "登場人物", "項目"),
    "rights_holder": ("rights holder", "rightsholder", "holder", "owner", "権利者", "権利者名", "権利元", "著作権者"),
    "medium": ("medium", "media", "媒体", "メディア", "種別"),
    "category": ("category", "区分", "分類", "カテゴリ", "カテゴリー"),
    "effect": ("effect", "decision", "action", "扱い", "措置", "対応", "可否", "効果"),
    "reason": ("reason", "理由", "事由"),
    "territories": ("territories", "territory", "country", "countries", "地域", "対象地域", "国"),
    "since": ("since", "from", "start", "開始日", "適用開始日", "開始"),
    "until": ("until", "to", "end", "終了日", "期限", "有効期限", "終了"),
    "source": ("source", "url", "document", "出典", "根拠", "資料"),
    "review": ("review", "review threshold", "確認しきい値", "確認閾値"),
    "block": ("block", "block threshold", "禁止しきい値", "禁止閾値"),
}
COLUMNS = tuple(HEADINGS)

_WORDS: dict[str, dict[str, str]] = {
    "effect": {
        "禁止": "block", "不可": "block", "拒否": "block", "除外": "block", "ブロック": "block",
        "確認": "review", "要確認": "review", "審査": "review", "要審査": "review",
        "許可": "permit", "可": "permit", "許諾": "permit", "allow": "permit",
    },
    "reason": {
        "オプトアウト": "opted_out", "opt out": "opted_out", "オプトイン": "opted_in", "opt in": "opted_in",
        "ライセンス": "licensed", "許諾": "licensed", "許諾済み": "licensed", "license": "licensed",
        "パブリックドメイン": "public_domain", "公有": "public_domain", "保護期間満了": "public_domain",
        "社内規定": "house_rule", "自社規定": "house_rule",
    },
    "category": {"作品": "franchise", "画風": "style", "作風": "style", "スタイル": "style", "ブランド": "brand"},
    "medium": {
        "漫画": "manga", "マンガ": "manga", "コミック": "manga", "アニメ": "anime", "ゲーム": "game", "映画": "film",
        "小説": "novel", "ライトノベル": "light_novel", "特撮": "tokusatsu", "テレビ": "tv", "玩具": "toy",
        "絵本": "book", "書籍": "book", "音楽": "music", "ブランド": "brand",
        "ウェブトゥーン": "webtoon",
    },
    "territories": {
        "日本": "JP", "日本国内": "JP", "国内": "JP", "米国": "US", "アメリカ": "US", "中国": "CN", "韓国": "KR",
        "台湾": "TW", "香港": "HK", "英国": "GB", "フランス": "FR", "ドイツ": "DE",
    },
}  # fmt: skip
_EVERYWHERE = frozenset({"worldwide", "world", "all", "全世界", "全世界共通", "世界", "全地域"})
_DATE = re.compile(r"(\d{4})(?:[-/.]|年\s*)(\d{1,2})(?:[-/.]|月\s*)(\d{1,2})日?")
_SEPARATORS = re.compile(r"[;,、，/+\s]+")


def plain(text: str) -> str:
    """Return a heading or word as it is compared: width, case, and what joins its parts put aside.

    Parameters
    ----------
    text
        As somebody wrote it.

    Returns
    -------
    str
        The same for what reads the same.
    """
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", text).strip().casefold())


_FIELDS = {plain(heading): field for field, headings in HEADINGS.items() for heading in headings}
_VALUES = {
    field: {plain(word): value for word, value in words.items()} for field, words in _WORDS.items()
}  # fmt: skip
for _field, _choices in (("effect", EFFECTS), ("reason", REASONS), ("category", CATEGORIES)):
    _VALUES[_field] |= {plain(choice): choice for choice in _choices}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    number
        As a spreadsheet counts, the heading being row 1.
    cells
        As they stand, in the order of the headings.
    fields
        Column to text, without empty ones.
    """

    number: int
    cells: tuple[str, ...]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of rules as it was read.

    Attributes
    ----------
    headings
        As they stand.
    ignored
        Headings that mean nothing here.
    rows
        Those that are not empty.
    """

    headings: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(text: str, *, delimiter: str = ",") -> Table:
    """Read a CSV table.

    Parameters
    ----------
    text
        Its content.
    delimiter
        Between cells.

    Returns
    -------
    Table
        Rows with their columns found by the headings.

    Raises
    ------
    PolicyError
        If it is no CSV, has no heading that is known, two of one meaning, or a row longer than the heading.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise PolicyError(f"The table is not CSV: {error} (line {reader.line_num}).") from None
    headings = tuple(lines[0]) if lines else ()
    fields = [_FIELDS.get(plain(heading)) for heading in headings]
    named = [field for field in fields if field]
    for field in named:
        if named.count(field) > 1:
            raise PolicyError(f"The table has more than one column for {field}.")
    if not {"title", "work", "rights_holder", "medium", "category"} & set(named):
        raise PolicyError(
            "The table has no column title (作品名), work, rights_holder (権利者), medium or category; "
            f"its first row holds {', '.join(headings) or 'nothing'}."
        )
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        if len(cells) > len(headings):
            raise PolicyError(f"Row {number} of the table has more cells than the heading.")
        pairs = zip(fields, (cell.strip() for cell in cells), strict=False)
        found = {field: cell for field, cell in pairs if field and cell}
        if any(cell.strip() for cell in cells):
            rows.append(Row(number, tuple(cells), found))
    ignored = tuple(h for h, field in zip(headings, fields, strict=True) if not field and h.strip())
    return Table(headings, ignored, tuple(rows))


def word(field: str, text: str) -> str:
    """Return what a cell of a column with fixed values says.

    Parameters
    ----------
    field
        ``effect``, ``reason``, ``category`` or ``medium``.
    text
        The cell, English or Japanese.

    Returns
    -------
    str
        The value, or the text itself if it is none that is known.
    """
    return _VALUES[field].get(plain(text), text)


def territories(text: str) -> tuple[str, ...]:
    """Return the codes of a cell; none for everywhere.

    Parameters
    ----------
    text
        Codes in any case, or names of some countries in Japanese, parted by commas, semicolons or spaces.

    Returns
    -------
    tuple of str
        In capitals where they look like codes.
    """
    if plain(text) in _EVERYWHERE:
        return ()
    parts = [part for part in _SEPARATORS.split(unicodedata.normalize("NFKC", text)) if part]
    return tuple(_VALUES["territories"].get(plain(part), part.upper()) for part in parts)


def day(text: str) -> date:
    """Return the day of a cell.

    Parameters
    ----------
    text
        As 2026-03-31, 2026/3/31 or 2026年3月31日.

    Returns
    -------
    datetime.date
        The day.

    Raises
    ------
    ValueError
        If it is no such day.
    """
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise ValueError("must be a day such as 2026-03-31")
    return date(*map(int, found.groups()))


def _risk(text: str) -> float:
    try:
        return float(unicodedata.normalize("NFKC", text))
    except ValueError:
        raise ValueError("must be a number between 0 and 1") from None


PARSERS: dict[str, Callable[[str], Any]] = {
    "territories": territories, "since": day, "until": day, "review": _risk, "block": _risk, "source": str,
}  # fmt: skip
"""How cells are read that need no catalogue."""


def write_table(rules: Iterable[Rule], titles: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a CSV table that :func:`read_table` reads.

    Parameters
    ----------
    rules
        What it shall hold.
    titles
        Id to title of works, for those who read it.

    Yields
    ------
    str
        The heading and a line a rule, with their ends.
    """
    yield csv_line(COLUMNS)
    for rule in rules:
        content = {"title": titles.get(rule.work or "", ""), **msgspec.structs.asdict(rule)}
        content["territories"] = " ".join(rule.territories)
        yield csv_line("" if content[column] is None else str(content[column]) for column in COLUMNS)


def csv_line(cells: Iterable[object]) -> str:
    """Return one line of a CSV file with its end.

    Parameters
    ----------
    cells
        What it holds.

    Returns
    -------
    str
        Quoted where needed.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
