"""A policy that changes while it is in use."""

import logging
import os
import shutil

import pytest

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.rules import Policy, Rule
from ipguard.policy.source import PolicySource

ONE = '{"rules": [{"effect": "block", "work": "pokemon"}]}'
TWO = '{"block": 0.7}'


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(ONE)
    return path


def test_a_changed_file_is_taken_over(path):
    with PolicySource(path, interval=1e-9) as source:
        first = source.current()
        assert first == Policy(rules=(Rule("block", work="pokemon"),))
        assert source.current() is first, "the same object until it changes"
        version = source.status.version
        path.write_text(TWO)
        assert source.current() == Policy(block=0.7)
        assert (source.status.reloads, source.status.failures, source.status.healthy) == (1, 0, True)
        assert source.status.version != version


def test_a_file_that_was_only_touched_is_the_same_policy(path):
    with PolicySource(path) as source:
        first = source.current()
        os.utime(path, (1, 1))
        assert not source.refresh()
        assert source.current() is first
        assert source.status.reloads == 0


def test_it_is_not_looked_at_before_its_time(path):
    with PolicySource(path, interval=3600) as source:
        first = source.current()
        path.write_text(TWO)
        assert source.current() is first
        assert source.refresh()
        assert source.current() == Policy(block=0.7)


@pytest.mark.parametrize("content", ["", '{"rules": [', '{"block": 7}', "\xff"])
def test_a_bad_file_keeps_the_last_good_policy_and_says_so(path, content, caplog):
    with PolicySource(path, interval=1e-9) as source:
        first = source.current()
        path.write_text(content, "latin-1")
        with caplog.at_level(logging.ERROR):
            assert source.current() is first
            assert source.current() is first
        assert source.status.failures == 2
        assert "policy.json" in source.status.last_error
        assert not source.status.healthy
        assert len(caplog.records) == 1, "the same failure is said once a minute"
        path.write_text(TWO)
        assert source.current() == Policy(block=0.7)
        assert source.status.healthy


def test_a_file_that_is_gone_keeps_the_last_good_policy(path):
    with PolicySource(path, interval=1e-9) as source:
        first = source.current()
        path.unlink()
        assert source.current() is first
        age = source.status.age
        assert not source.status.healthy
        assert source.status.age >= age
        path.write_text(ONE)
        assert source.current() == first
        assert source.status.healthy


def test_without_a_good_policy_there_is_no_start(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    for name in ("bad.json", "missing.json", "missing.db"):
        with pytest.raises(PolicyError, match=name):
            PolicySource(tmp_path / name)
    assert not (tmp_path / "missing.db").exists(), "looking makes no empty registry"
    with pytest.raises(InvalidArgumentError, match="interval"):
        PolicySource(tmp_path / "bad.json", interval=0)


def test_what_a_guard_refuses_is_not_taken_over(path, guard):
    with PolicySource(path, interval=1e-9, check=guard.with_policy) as source:
        first = source.current()
        path.write_text('{"rules": [{"effect": "block", "work": "pokemonn"}]}')
        assert source.current() is first
        assert source.current() is first
        assert "pokemonn" in source.status.last_error
        assert source.status.failures == 2, "it is refused at each look, not only at the first"
        path.write_text(ONE)
        assert source.current() is first
        assert source.status.healthy
    path.write_text('{"rules": [{"effect": "block", "work": "pokemonn"}]}')
    with pytest.raises(PolicyError, match="pokemonn"):
        PolicySource(path, check=guard.with_policy)


def test_a_thread_looks_in_the_background(path, settle):
    with PolicySource(path, interval=0.01, background=True) as source:
        path.write_text(TWO)
        settle(lambda: source.current() == Policy(block=0.7))
        path.write_text("{")
        settle(lambda: not source.status.healthy)
        assert source.current() == Policy(block=0.7)
        path.write_text(ONE)
        settle(lambda: source.status.healthy)


def test_a_registry_is_followed(registry, where):
    registry.add(Rule("block", work="pokemon"))
    with PolicySource(where, interval=1e-9) as source:
        first = source.current()
        assert first == registry.policy()
        assert source.current() is first
        stored = registry.add(Rule("review", work="kirby"))
        assert source.current() == registry.policy() != first
        registry.remove(stored.id)
        assert source.current() == first
        assert source.status.version == str(registry.revision)
        assert source.status.reloads == 2


def test_a_killed_server_keeps_the_last_good_policy(postgres, postgres_url, settle):
    from ipguard.policy.registry import Registry

    with (
        Registry.create(postgres_url) as registry,
        PolicySource(postgres_url, interval=0.01, background=True) as source,
    ):
        registry.add(Rule("block", work="pokemon"))
        settle(lambda: source.current() == registry.policy())
        held = source.current()
        postgres.kill()
        try:
            settle(lambda: not source.status.healthy)
            assert source.current() is held
        finally:
            postgres.start()
        settle(lambda: source.status.healthy)
        registry.set_thresholds(block=0.5)
        settle(lambda: source.current().block == 0.5)


def test_a_look_that_never_ends_is_noticed(postgres_url, settle, monkeypatch):
    import psycopg

    from ipguard.policy import source as module
    from ipguard.policy.registry import Registry

    monkeypatch.setattr(module, "STALE", 0.2)
    Registry.create(postgres_url).close()
    with PolicySource(postgres_url, interval=0.01, background=True) as source:
        with psycopg.connect(postgres_url) as other:
            other.execute("LOCK TABLE ipguard_state IN ACCESS EXCLUSIVE MODE")
            settle(lambda: not source.status.healthy)
            assert "No look has come to an end" in source.status.last_error
        settle(lambda: source.status.healthy)


def test_a_database_file_put_in_the_place_of_another_is_seen(tmp_path):
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    from ipguard.policy.registry import Registry

    for name, work in (("a.db", "pokemon"), ("b.db", "kirby")):
        with Registry(tmp_path / name) as registry:
            registry.add(Rule("block", work=work))
    with PolicySource(tmp_path / "a.db", interval=1e-9) as source:
        assert source.current().rules[0].work == "pokemon"
        (tmp_path / "a.db").unlink()
        assert source.current().rules[0].work == "pokemon"
        assert not source.status.healthy
        shutil.copy(tmp_path / "b.db", tmp_path / "a.db")
        assert source.current().rules[0].work == "kirby"
