"""Loading, looking up, extending and writing the catalogue."""

import json

import pytest

from ipguard.catalogue.compact import parse
from ipguard.catalogue.merge import merge
from ipguard.catalogue.store import Catalogue, resolve_label
from ipguard.errors import CatalogueError, CatalogueFormatError, InvalidArgumentError


@pytest.fixture
def folder(tmp_path, small):
    small.write(tmp_path)
    return tmp_path


def test_write_and_load_agree(folder, small):
    again = Catalogue.load(folder)
    assert dict(again.works) == dict(small.works)
    assert again.people == small.people
    assert dict(again.parties) == dict(small.parties)


def test_files_are_one_a_medium_and_sorted(folder):
    assert sorted(p.stem for p in (folder / "franchises").iterdir()) == ["comic", "folklore", "game", "manga"]
    ids = [json.loads(line)["id"] for line in (folder / "franchises" / "game.jsonl").read_text().splitlines()]
    assert ids == sorted(ids)


def test_an_unknown_field_is_refused_with_its_line(folder):
    path = folder / "franchises" / "game.jsonl"
    lines = path.read_text("utf-8").splitlines()
    lines[1] = lines[1].replace('"title"', '"titel"', 1)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(CatalogueFormatError, match=r"game\.jsonl:2: schema: .*(titel|title)"):
        Catalogue.load(folder)


def test_duplicate_ids_are_refused(folder):
    path = folder / "franchises" / "game.jsonl"
    path.write_text(path.read_text("utf-8") + path.read_text("utf-8").splitlines()[0], "utf-8")
    with pytest.raises(CatalogueFormatError, match="duplicate id"):
        Catalogue.load(folder)


def test_another_schema_is_refused(folder):
    (folder / "catalogue.json").write_text('{"schema": 99, "version": "1"}')
    with pytest.raises(CatalogueError, match="schema 99"):
        Catalogue.load(folder)


def test_a_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match=r"catalogue\.json"):
        Catalogue.load(tmp_path)


def test_get_follows_redirects(small):
    from dataclasses import replace

    moved = replace(small, redirects={"pocket-monsters": "pokemon"})
    assert moved.get("pocket-monsters").id == "pokemon"
    with pytest.raises(InvalidArgumentError, match="no-such-work"):
        moved.get("no-such-work")


def test_search_ranks_the_exact_first(small):
    assert [w.id for w in small.search("goku")][:1] == ["dragon-ball"]
    assert small.search("ピカチュウ")[0].id == "pokemon"
    assert small.search("!!!") == []
    with pytest.raises(InvalidArgumentError):
        small.search("x", limit=0)


def test_relatives_pass_through_part_of_but_not_to_myths(small):
    assert small.relatives["marvel-spider-man"] == {"marvel", "marvel-spider-man"}
    assert small.relatives["sun-wukong-myth"] == {"sun-wukong-myth"}


@pytest.mark.parametrize(
    ("label", "work"),
    [
        ("Pokémon: Pikachu", "pokemon"),
        ("Marvel: Ant-Man", "marvel-spider-man"),
        ("Dragon Ball", "dragon-ball"),
        ("Nowhere: Pikachu", "pokemon"),
    ],
)
def test_labels_resolve(small, label, work):
    assert work in resolve_label(small, label)


def test_add_accepts_compact_text(small):
    more = small.add("# new-work | New Work | game | 2026 | JP | New Holder | protected\n= en:o:Brand New Work\n")
    assert more.get("new-work").rights_holders == ("new-holder",)
    assert "new-holder" in more.parties
    assert "new-work" not in small.works


def test_merge_joins_names_and_items_and_keeps_the_weaker_sense(small):
    text = "# pokemon | Pokémon | game | 1996 | JP | Nintendo | protected\n= en:u:POKEMON = a doubt; fr:o:Pokémon Rouge\n- creature | en:o:Pikachu; fr:o:Pikachou\n- creature | en:o:Raichu\n"
    merged = merge(small, parse(text)).get("pokemon")
    senses = {n.text: n.sense for n in merged.names}
    assert senses["POKEMON"] == "usually"
    assert "Pokémon" not in senses
    assert [i.id for i in merged.items] == ["pikachu", "raichu"]
    assert any(n.text == "Pikachou" for n in merged.items[0].names)
