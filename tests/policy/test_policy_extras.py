"""Without the extras the core works, and what needs them says how to get them."""

import subprocess
import sys
import textwrap

import pytest


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic"])
def test_the_registry_names_its_extra(package, tmp_path):
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    (tmp_path / "policy.json").write_text("{}")
    (tmp_path / "rules.db").touch()
    run(
        """
        import sys
        package, folder = sys.argv[1:]
        sys.modules[package] = None  # as if it were not installed
        from ipguard.errors import MissingExtraError
        from ipguard.policy import registry
        from ipguard.policy.source import PolicySource

        for call in (lambda: registry.Registry, lambda: PolicySource(f"{folder}/rules.db")):
            try:
                call()
            except MissingExtraError as error:
                assert "ipguard-prompts[policy]" in str(error)
            else:
                raise AssertionError
        with PolicySource(f"{folder}/policy.json") as source:
            assert source.current().rules == ()
        """,
        package,
        tmp_path,
    )


def test_postgresql_names_its_extra(monkeypatch):
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    from ipguard.errors import MissingExtraError
    from ipguard.policy import registry

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"ipguard-prompts\[postgres\]"):
        registry.Registry("postgresql://localhost/rules")
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = registry.no_such_thing
