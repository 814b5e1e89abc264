"""Every rule of the lint fires on its fault, and only there."""

import json

import pytest

from ipguard.catalogue.lint import lint_folder
from ipguard.catalogue.store import Catalogue, default_folder

GOOD = "# good-work | Good Work | game | 1999 | JP | Holder | protected\n= en:o:Goodworkian\n! en: a description of what it is and how it looks in play\n- character | en:o:Zorbaxia | en: tall woman in a red coat with a silver lamp | a tall woman\n"


def findings(tmp_path, *texts, edit=None):
    base = Catalogue(works={}, version="1")
    for text in texts:
        base = base.add(text)
    base.write(tmp_path)
    if edit:
        edit(tmp_path)
    return lint_folder(tmp_path)


def test_a_good_work_has_no_findings(tmp_path):
    assert findings(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("= en:o:Goodworkian", "= en:o:Goodworkian; en:o:good-workian"), "same-name-twice"),
        (("= en:o:Goodworkian", "= en:s:Goodworkian"), "missing-ordinary"),
        (("= en:o:Goodworkian", "= en:o:Goodworkian = a word"), "ordinary-on-only"),
        (("tall woman in", "Zorbaxia, a tall woman in"), "name-in-description"),
        (("tall woman in", "tall woman in " + "so " * 60), "long-description"),
        (("= en:o:Goodworkian", "= en:o:!!!"), "folds-to-nothing"),
        (("= en:o:Goodworkian", "= en:o:Go"), "short-only"),
        (("= en:o:Goodworkian", "= ja:o:鬼"), "short-only"),
        (("= en:o:Goodworkian", "= en:u:Goodworkian = a word !otherword"), "not-in"),
        (("| Good Work |", "| Good Work / Bad Work |"), "lumped-work"),
        (("| Holder |", "| |"), "no-rights-holder"),
        (("= en:o:Goodworkian", "@ part_of: nowhere\n= en:o:Goodworkian"), "unknown-relation"),
    ],
)
def test_each_rule(tmp_path, change, rule):
    found = findings(tmp_path, GOOD.replace(*change))
    assert [f.rule for f in found] == [rule]
    assert found[0].path.endswith("game.jsonl")
    assert found[0].line == 1


def _edit(old, new):
    def edit(folder):
        path = folder / "franchises" / "game.jsonl"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    return edit


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"year"', '"yeer"', "schema"),
        ('"sense":"only"', '"sense":"mostly"', "schema"),
        (',"sense":"only"', "", "schema"),
        ('"en":"a description of what it is and how it looks in play"', '"en":""', "schema"),
    ],
)
def test_the_schema_is_part_of_it(tmp_path, old, new, rule):
    found = findings(tmp_path, GOOD, edit=_edit(old, new))
    assert [f.rule for f in found] == [rule]


def test_duplicate_ids(tmp_path):
    def edit(folder):
        path = folder / "franchises" / "game.jsonl"
        path.write_text(path.read_text("utf-8") * 2, "utf-8")

    assert [f.rule for f in findings(tmp_path, GOOD, edit=edit)] == ["duplicate-id"]


def test_only_in_two_unrelated_works(tmp_path):
    other = GOOD.replace("good-work", "other-work").replace("Zorbaxia", "Blinkerton")
    assert [f.rule for f in findings(tmp_path, GOOD, other)] == ["only-in-two-works"]


def test_related_works_may_share_a_name(tmp_path):
    other = (
        GOOD.replace("good-work", "other-work")
        .replace("Zorbaxia", "Blinkerton")
        .replace("= en", "@ part_of: good-work\n= en", 1)
    )
    assert findings(tmp_path, GOOD, other) == []


def test_names_of_two_works_that_fold_to_one_string(tmp_path):
    other = (
        GOOD.replace("good-work", "other-work")
        .replace("Zorbaxia", "Blinkerton")
        .replace("en:o:Goodworkian", "en:s:good workian = an idiom")
    )
    assert [f.rule for f in findings(tmp_path, GOOD, other)] == ["folds-to-another"]


def test_the_shipped_catalogue_keeps_every_rule():
    found = lint_folder(default_folder())
    assert found == [], "\n".join(map(str, found[:20]))


def test_the_shipped_catalogue_is_as_large_as_it_says():
    from ipguard.cli.catalogue import counts

    held = counts(Catalogue.load(packs=("franchises", "brands")))
    assert held["works"] >= 800
    assert held["names"] >= 15_000
    assert held["described_items"] >= 3_000
    assert held["people"] >= 500
    assert held["public_domain"] >= 100


def test_every_name_that_is_not_only_has_its_ordinary_meaning():
    for path in default_folder().glob("franchises/*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            work = json.loads(line)
            for name in (*work["names"], *(n for item in work.get("items", ()) for n in item["names"])):
                assert name["sense"] == "only" or name.get("ordinary"), (work["id"], name)
