"""Settings from the environment."""

import json

import pytest

from ipguard import Guard
from ipguard.errors import BundleMissingError, CatalogueError, PolicyError
from ipguard.settings import Settings


def test_empty_counts_as_unset(monkeypatch):
    monkeypatch.setenv("IPGUARD_MODEL", "")
    assert Settings.from_environment() == Settings()


@pytest.mark.parametrize(
    ("variable", "error"),
    [("IPGUARD_MODEL", BundleMissingError), ("IPGUARD_CATALOGUE", CatalogueError), ("IPGUARD_POLICY", PolicyError)],
)
def test_each_variable_is_used(monkeypatch, tmp_path, variable, error):
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    with pytest.raises(error, match="nowhere"):
        Guard()


def test_a_policy_from_the_environment(monkeypatch, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"review": 0.0, "block": 0.0}))
    monkeypatch.setenv("IPGUARD_POLICY", str(path))
    assert Guard().score("a cat").decision == "block"
    assert Guard(review=1.0, block=1.0).score("a cat").decision == "allow", "arguments win"
