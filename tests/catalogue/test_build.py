"""The compiled catalogue."""

import pytest

from ipguard.catalogue.build import (
    COMPILED_NAME,
    build_folder,
    compile_catalogue,
    deletions,
    folded_name,
    load_or_build,
)
from ipguard.catalogue.compiled import SENSE_CODES, CompiledCatalogue
from ipguard.errors import CatalogueError, CatalogueVersionError


def test_write_and_read_agree(tmp_path, compiled):
    compiled.write(tmp_path / "c.bin")
    again = CompiledCatalogue.read(tmp_path / "c.bin")
    assert again.meta == compiled.meta
    assert again.to_bytes() == compiled.to_bytes()


def test_compiling_is_deterministic(small, compiled):
    assert compile_catalogue(small).to_bytes() == compiled.to_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1],
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),
        lambda b: b[:0],
        lambda b: b[32:],
        lambda b: b"x" * len(b),
    ],
)
def test_damage_is_refused(tmp_path, compiled, damage):
    path = tmp_path / "c.bin"
    path.write_bytes(damage(compiled.to_bytes()))
    with pytest.raises(CatalogueError, match=r"c\.bin"):
        CompiledCatalogue.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"none\.bin"):
        CompiledCatalogue.read(tmp_path / "none.bin")


def test_a_stale_file_is_not_used(tmp_path, small):
    small.write(tmp_path)
    build_folder(tmp_path).write(tmp_path / "catalogue.bin")
    assert "new-work" not in load_or_build(tmp_path).work_index
    small.add("# new-work | New Work | game | 2026 | JP | H | protected\n= en:o:Brand New Work\n").write(tmp_path)
    assert "new-work" in load_or_build(tmp_path).work_index


def test_senses_survive(compiled):
    place = compiled.patterns.index("goku")
    entries = range(compiled.first[place], compiled.first[place + 1])
    assert {int(compiled.sense[e]) for e in entries} == {SENSE_CODES["usually"]}


def test_gaps_of_a_name():
    assert folded_name("Spider-Man") == ("spiderman", "00000100")


def test_deletions():
    assert deletions("abc") == {"abc", "bc", "ac", "ab"}


def test_a_compiled_file_of_another_format_is_compiled_anew(tmp_path, small, monkeypatch):
    small.write(tmp_path)
    monkeypatch.setattr("ipguard.catalogue.build.FORMAT", 1)
    build_folder(tmp_path).write(tmp_path / COMPILED_NAME)
    monkeypatch.undo()
    with pytest.raises(CatalogueVersionError, match="format 1"):
        CompiledCatalogue.read(tmp_path / COMPILED_NAME)
    assert load_or_build(tmp_path).meta.works[0].id in small.works
