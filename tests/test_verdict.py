"""Verdicts are frozen and serialise."""

import dataclasses

import pytest

from ipguard.verdict import Match, Verdict


def make() -> Verdict:
    match = Match("w", "Work", None, ("h",), "protected", "name", "x", 0, 1, 0.9, "why")
    return Verdict(
        0.9, 0.9, "block", (match,), {"franchise": 0.9, "style": 0.1, "brand": None}, "r", "code", "rule", "m", "c"
    )


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().risk = 0.1


def test_to_dict_holds_every_field():
    data = make().to_dict()
    assert {f.name for f in dataclasses.fields(Verdict)} | {"flagged"} == set(data)
    assert {f.name for f in dataclasses.fields(Match)} == set(data["matches"][0])
    assert data["flagged"] is True
