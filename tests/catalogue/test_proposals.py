"""Tables and query results become text for review."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.catalogue.compact import parse
from ipguard.catalogue.proposals import TO_JUDGE, read_table, read_wikidata, suggested_sense, to_compact
from ipguard.catalogue.store import Catalogue
from ipguard.errors import CatalogueError, CatalogueFormatError, IpguardError

TABLE = """title,media,year,country,rights_holders,names,description
Zorbulon Saga,game;anime,2019,JP,Zorb Works;Publisher,"ja:ゾルブロン・サーガ; ja:usually:ゾルブ; Zorbulons",robots on the moon
Frozen,film,2013,US,The Walt Disney Company,ja:アナと雪の女王,
"""


def test_a_table_becomes_blocks_that_parse():
    first, second = to_compact(read_table(TABLE), Catalogue(works={}))
    work = parse(first)[0]
    assert (work.id, work.media, work.year, work.country) == ("zorbulon-saga", ("game", "anime"), 2019, "JP")
    assert work.rights_holders == ("zorb-works", "publisher")
    assert {(n.lang, n.text, n.sense) for n in work.names} == {
        ("en", "Zorbulon Saga", "only"),
        ("ja", "ゾルブロン・サーガ", "only"),
        ("ja", "ゾルブ", "usually"),
        ("en", "Zorbulons", "only"),
    }
    assert f"en:s:Frozen = {TO_JUDGE}" in second


def test_held_works_are_not_proposed(small):
    assert list(to_compact(read_table("title\nDragon Ball\n"), small)) == []


def test_missing_facts_are_refused_until_filled_in():
    (block,) = to_compact(read_table("title\nZorbulon Saga\n"), Catalogue(works={}))
    with pytest.raises(CatalogueFormatError):
        parse(block)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nx\n", "title"),
        ("", "none"),
        ("title,colour\nx,red\n", "colour"),
        ("title,year\n,1999\n", "Line 2"),
        ("title,names\nx,ja:\n", "ja:"),
    ],
)
def test_a_table_that_is_none(text, said):
    with pytest.raises(CatalogueError, match=said):
        read_table(text)


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_an_error(text):
    with contextlib.suppress(IpguardError):
        read_table("title,names\n" + text)


@pytest.mark.parametrize(("text", "sense"), [("Zorbulon", "only"), ("Frozen", "sometimes"), ("XY", "sometimes")])
def test_suggested_senses(text, sense):
    assert suggested_sense(text) == sense


def cell(value, lang=None):
    return {"type": "literal", "value": value} | ({"xml:lang": lang} if lang else {})


def result(*rows):
    return json.dumps({"head": {"vars": []}, "results": {"bindings": list(rows)}})


def test_a_wikidata_result():
    work, cls = cell("http://www.wikidata.org/entity/Q1"), cell("http://www.wikidata.org/entity/Q21198342")
    text = result(
        {"work": work, "class": cls, "label": cell("Zorbulon Saga", "en"), "year": cell("2003"), "country": cell("JP")},
        {
            "work": work,
            "class": cls,
            "label": cell("ゾルブロン", "ja"),
            "year": cell("2001"),
            "holderLabel": cell("Zorb"),
        },
        {"work": cell("http://x/Q2"), "label": cell("没有英文", "zh-hans")},
    )
    (proposal,) = read_wikidata(text)
    assert (proposal.title, proposal.names) == ("Zorbulon Saga", (("ja", "ゾルブロン"),))
    assert (proposal.media, proposal.year, proposal.country) == (("manga",), "2001", "JP")
    (block,) = to_compact([proposal], Catalogue(works={}))
    assert parse(block)[0].rights_holders == ("zorb",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": {"bindings": [{"work": {"value": "Q1"}}]}}', "null"])
def test_no_result(text):
    with pytest.raises(CatalogueError, match="SPARQL"):
        read_wikidata(text)
