"""What docs/policy.md shows holds."""

import re
from pathlib import Path

import pytest

from ipguard.policy.resolving import Resolver
from ipguard.policy.rules import Policy
from ipguard.policy.tables import HEADINGS, read_table

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")


def blocks(mark):
    return re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)


def test_the_examples_in_python_run(tmp_path, monkeypatch):
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    monkeypatch.chdir(tmp_path)
    names = {}
    found = blocks("run")
    assert len(found) == 3
    for block in found:
        exec(compile(block, "docs/policy.md", "exec"), names)  # noqa: S102


def test_the_policy_file_is_one(guard):
    policy = Policy.decode(blocks("policy")[0].encode())
    assert guard.with_policy(policy).thresholds == (0.3, 0.8)
    assert len(policy.rules) == 3


def test_the_table_is_one():
    from ipguard import Catalogue

    found = Resolver(Catalogue.load()).resolve(read_table(blocks("table")[0]))
    assert found.rejects == ()
    assert [rule.name for rule in found.rules] == [
        "opted_out:block:work=dragon-ball,territories=JP",
        "opted_out:block:work=pokemon,item=pikachu",
        "opted_out:review:rights_holder=nintendo",
    ]


def test_every_column_is_described():
    for column in HEADINGS:
        assert re.search(rf"\| [^|]*\b{column}\b", PAGE), column
