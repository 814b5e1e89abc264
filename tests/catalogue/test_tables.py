"""Packed strings and subjects, and the two automata."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.catalogue import automaton as automata
from ipguard.catalogue.tables import StringTable, SubjectInfo, SubjectTable

TEXTS = st.lists(st.text(st.characters(), max_size=12), max_size=20)


@given(TEXTS)
def test_strings_come_back(texts):
    table = StringTable.of(texts)
    again = StringTable.from_arrays("t", table.arrays("t"))
    assert list(again) == list(table) == texts
    assert table[-2:] == texts[-2:]


@pytest.mark.parametrize("at", [2, -3])
def test_a_place_that_is_not_there(at):
    with pytest.raises(IndexError):
        StringTable.of(["a", "b"])[at]


def test_subjects_come_back():
    subjects = [
        SubjectInfo(0, None, "ドラえもん", "protected", "a blue robot cat", None),
        SubjectInfo(0, "nobita", "Nobita", "protected", None, "character"),
    ]
    table = SubjectTable.from_arrays(SubjectTable.of(subjects).arrays())
    assert list(table) == table[0:2] == subjects
    assert list(table.of_work) == [0, 0]


def occurrences(patterns, text):
    return sorted(
        (s, s + len(p), n)
        for n, p in enumerate(patterns)
        for s in range(len(text) - len(p) + 1)
        if text.startswith(p, s)
    )


@given(st.sets(st.text("abcア孫", min_size=1, max_size=4), min_size=1, max_size=12), st.text("abcア孫x", max_size=40))
def test_both_automata_find_every_occurrence(patterns, text):
    ordered = sorted(patterns)
    wanted = occurrences(ordered, text)
    assert sorted(automata._Built(ordered).find(text)) == wanted
    pytest.importorskip("daachorse", reason="no wheel for this platform")
    stored = automata.serialise(ordered)
    assert sorted(automata.automaton(ordered, stored, automata.maker()).find(text)) == wanted
    assert sorted(automata.automaton(ordered, b"of another version", "daachorse 0.0").find(text)) == wanted


def test_without_a_maker_it_is_built(monkeypatch):
    monkeypatch.setattr(automata, "maker", lambda: "")
    assert automata.serialise(["a"]) == b""
    assert automata.automaton(["ab"], b"junk", "daachorse 0.5.0").find("cab") == [(1, 3, 0)]


def test_no_patterns():
    assert automata.serialise([]) == b""
    assert automata.automaton([]).find("anything") == []


def test_arrays_are_views_of_the_file(tmp_path, compiled):
    from ipguard.catalogue.compiled import CompiledCatalogue

    compiled.write(tmp_path / "c.bin")
    read = CompiledCatalogue.read(tmp_path / "c.bin")
    assert not read.first.flags.owndata
    assert np.array_equal(read.first, compiled.first)
