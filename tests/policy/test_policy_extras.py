"""Without the extras the core works, and what needs them says how to get them."""

import sys

import pytest

from ipguard.errors import MissingExtraError


@pytest.fixture
def without(monkeypatch):
    """Pretend that a package is not installed."""

    def hide(package):
        for name in list(sys.modules):
            if name.split(".")[0] == package or name.startswith("ipguard.policy.registry."):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return hide


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic"])
def test_the_registry_names_its_extra(without, package, tmp_path):
    without(package)
    from ipguard.policy import registry
    from ipguard.policy.source import PolicySource

    with pytest.raises(MissingExtraError, match=r"ipguard-prompts\[policy\]"):
        _ = registry.Registry
    with pytest.raises(MissingExtraError, match=r"ipguard-prompts\[policy\]"):
        PolicySource(tmp_path / "rules.db")
    (tmp_path / "policy.json").write_text("{}")
    with PolicySource(tmp_path / "policy.json") as source:
        assert source.current().rules == ()
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = registry.no_such_thing


def test_postgresql_names_its_extra(without):
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    without("psycopg")
    from ipguard.policy.registry import Registry

    with pytest.raises(MissingExtraError, match=r"ipguard-prompts\[postgres\]"):
        Registry("postgresql://localhost/rules")
