"""What a review sees of a change."""

import msgspec

from ipguard.catalogue.compact import parse
from ipguard.catalogue.diff import diff
from ipguard.catalogue.store import Catalogue

OLD = """# one | One | manga | 2001 | JP | H | protected
= en:o:Oneword; ja:s:ワン = one
! en: a tale
- character | en:op:Ada Bee | en: a girl in red
- place | en:o:Xanaland

# gone | Gone | game | 2002 | JP | H | protected
= en:o:Gonegame
"""
NEW = """# one | One | manga,anime | 2001 | JP | H | protected
= en:o:Oneword; ja:r:ワン = one; ko:o:원워드
! en: a longer tale
- character | en:op:Ada Bee | en: a girl in red
- creature | en:o:Zogzog

# fresh | Fresh | game | 2003 | JP | H | protected
= en:o:Freshgame
"""


def catalogue(text):
    return Catalogue(works={w.id: w for w in parse(text)})


def test_each_kind_of_change_is_named():
    found = {(c.work, c.item, c.what, c.old, c.new) for c in diff(catalogue(OLD), catalogue(NEW))}
    assert found == {
        ("gone", "", "removed", "Gone (Gonegame)", ""),
        ("fresh", "", "added", "", "Fresh (Freshgame)"),
        ("one", "", "media", "manga", "manga, anime"),
        ("one", "", "sense", "ワン sometimes", "rarely"),
        ("one", "", "name added", "", "ko:only:원워드"),
        ("one", "", "description en", "a tale", "a longer tale"),
        ("one", "xanaland", "removed", "Xanaland", ""),
        ("one", "zogzog", "added", "", "Zogzog"),
    }


def test_nothing_changed():
    assert diff(catalogue(OLD), catalogue(OLD)) == []


def test_a_line_reads_before_and_after():
    assert "one\tsense\tワン sometimes -> rarely" in [str(c) for c in diff(catalogue(OLD), catalogue(NEW))]


def test_any_fact_that_differs_is_seen():
    work = catalogue(OLD).works["one"]
    for field, value in (("title", "Two"), ("year", 1999), ("country", "US"), ("generic", "x"), ("part_of", ("gone",))):
        other = Catalogue(works={"one": msgspec.structs.replace(work, **{field: value})})
        assert [c.what for c in diff(Catalogue(works={"one": work}), other)] == [field]
