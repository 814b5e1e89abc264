"""The registry of rules: the same on SQLite and PostgreSQL."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError, RegistryError
from ipguard.policy.rules import EFFECTS, Policy, Rule
from ipguard.policy.territories import CODES

sa = pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")

from ipguard.policy.registry import Registry  # noqa: E402
from ipguard.policy.registry.database import Database  # noqa: E402
from ipguard.policy.registry.tables import VERSION_TABLE, metadata  # noqa: E402

FULL = Rule(
    "block",
    reason="opted_out",
    work="dragon-ball",
    item="son-goku",
    rights_holder="shueisha",
    medium="manga",
    category="franchise",
    territories=("JP", "FR"),
    since=date(2026, 1, 1),
    until=date(2027, 3, 31),
    source="letter 「通知」 of 2025-10-27",
    review=0.2,
    block=0.6,
)


def test_a_rule_comes_back_as_it_was(registry):
    stored = registry.add(FULL, by="legal")
    assert stored.rule == FULL
    assert stored.added_by == "legal"
    assert stored.added_at.utcoffset().total_seconds() == 0
    assert registry.get(stored.id) == stored
    assert registry.rules() == [stored]
    assert registry.policy() == Policy(rules=(FULL,))


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
days = st.none() | st.dates(min_value=date(1000, 1, 1))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(EFFECTS), words, days, st.sets(st.sampled_from(sorted(CODES))), words, st.none() | st.floats(0, 1)
)
def test_any_rule_comes_back_as_it_was(registry, effect, work, since, territories, source, review):
    rule = Rule(
        effect, work=work, since=since, territories=tuple(territories), source=source,
        review=None if effect == "permit" else review,
    )  # fmt: skip
    assert registry.add(rule).rule == rule


def test_the_same_rule_twice_is_one(registry):
    first = registry.add(FULL)
    before = registry.revision
    assert registry.add(FULL).id == first.id
    assert registry.add_many([FULL, FULL]) == 0
    assert registry.revision == before, "nothing changed"
    assert registry.add_many([FULL, Rule("review"), Rule("review")]) == 1


def test_every_change_raises_the_revision(registry):
    seen = [registry.revision]
    stored = registry.add(Rule("block", work="pokemon"))
    seen.append(registry.revision)
    registry.set_thresholds(review=0.2)
    seen.append(registry.revision)
    registry.replace(Policy(rules=(FULL,)))
    seen.append(registry.revision)
    registry.remove(registry.add(stored.rule).id)
    seen.append(registry.revision)
    assert seen == sorted(set(seen))


def test_what_fails_leaves_nothing_behind(registry):
    before = registry.revision
    with pytest.raises(InvalidArgumentError, match="review must lie in"):
        registry.set_thresholds(block=0.5, review=2.0)
    with pytest.raises(InvalidArgumentError, match="rule_id must be"):
        registry.remove(99)
    with pytest.raises(RegistryError), registry._database.writing() as connection:  # noqa: PT012
        connection.execute(sa.text("DELETE FROM ipguard_state"))
        connection.execute(sa.text("no such statement"))
    assert registry.revision == before
    assert registry.policy() == Policy()


def test_ids_are_not_used_again(registry):
    first = registry.add(Rule("review", work="pokemon"))
    assert registry.remove(first.id) == first
    with pytest.raises(InvalidArgumentError, match="rule_id"):
        registry.get(first.id)
    assert registry.add(Rule("review", work="kirby")).id > first.id


def test_thresholds(registry):
    assert registry.set_thresholds(review=0.2, block=0.7, style="review") == Policy(
        review=0.2, block=0.7, style="review"
    )
    assert registry.set_thresholds(review=None).review is None
    with pytest.raises(InvalidArgumentError, match="thresholds must be among"):
        registry.set_thresholds(blok=1)


def test_rules_are_filtered(registry):
    registry.add_many(
        [Rule("block", work="pokemon"), Rule("permit", work="pokemon"), Rule("block", rights_holder="nintendo")]
    )
    assert [s.rule.effect for s in registry.rules(work="pokemon")] == ["block", "permit"]
    assert [s.rule.effect for s in registry.rules(work="pokemon", effect="permit")] == ["permit"]
    assert len(registry.rules(rights_holder="nintendo")) == 1


def test_replacing_keeps_the_ids_of_what_stays(registry):
    stays, _ = registry.add(FULL), registry.add(Rule("review"))
    registry.replace(Policy(block=0.7, rules=(Rule("permit", work="kirby"), FULL)))
    assert registry.policy() == Policy(block=0.7, rules=(FULL, Rule("permit", work="kirby")))
    assert registry.get(stays.id) == stays


def test_several_writers_lose_nothing(where):
    Registry.create(where).close()

    def write(number):
        with Registry(where) as mine:
            for at in range(20):
                mine.add(Rule("block", source=f"{number} {at}"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    with Registry(where) as registry:
        assert len(registry.rules()) == 60
        assert registry.revision == 60


def test_sqlite_keeps_a_log_that_readers_do_not_wait_for(tmp_path):
    with Registry(tmp_path / "rules.db") as registry, registry._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_a_lock_that_is_never_given_back_ends_in_an_error(where, monkeypatch):
    from ipguard.policy.registry import database

    monkeypatch.setitem(database._SQLITE, "timeout", 0.1)
    monkeypatch.setitem(database._POSTGRES, "options", "-c lock_timeout=100")
    with Registry.create(where) as one, Registry(where) as other, one._database.writing() as connection:
        connection.execute(sa.text("UPDATE ipguard_state SET revision = 99"))
        with pytest.raises(RegistryError, match="lock"):
            other.add(FULL)


def test_readers_go_on_while_somebody_writes(registry):
    with registry._database.writing() as connection:
        connection.execute(sa.text("UPDATE ipguard_state SET revision = 99"))
        assert registry.revision == 0, "not committed yet"
    assert registry.revision == 99


def test_creating_at_the_same_time(where):
    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(Registry.create, [where] * 4):
            assert made.revision == 0
            made.close()


def test_tables_and_migrations_agree(registry):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with registry._database.reading() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


@pytest.mark.parametrize(("version", "message"), [("9999", "newer version"), (None, "holds no registry")])
def test_another_schema_is_refused(registry, where, version, message):
    with registry._database.writing() as connection:
        stamp = sa.table(VERSION_TABLE, sa.column("version_num"))
        connection.execute(sa.delete(stamp))
        if version:
            connection.execute(sa.insert(stamp).values(version_num=version))
    with pytest.raises(RegistryError, match=message):
        Registry(where)
    if version:
        with pytest.raises(RegistryError, match=message):
            Registry.create(where)


NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade():
    op.add_column("ipguard_rules", sa.Column("added_in_0002", sa.Text))
"""


def test_an_older_schema_is_upgraded_when_asked(registry, where, monkeypatch, tmp_path):
    from ipguard.policy.registry import database

    registry.add(FULL)
    later = tmp_path / "migrations %"
    shutil.copytree(database._MIGRATIONS, later)
    (later / "versions" / "v0002_next.py").write_text(NEXT_STEP)
    monkeypatch.setattr(database, "_MIGRATIONS", later)
    with pytest.raises(RegistryError, match=r"older version.*policy upgrade"):
        Registry(where)
    with Registry.create(where) as upgraded:
        assert upgraded.policy() == Policy(rules=(FULL,))
    monkeypatch.undo()
    with pytest.raises(RegistryError, match="newer version"):
        Registry(where)


def test_an_empty_database_that_is_not_ours_is_left_alone(tmp_path, postgres_url):
    import sqlite3

    path = tmp_path / "theirs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id INTEGER)")
    connection.close()
    for address in (str(path), postgres_url):
        with pytest.raises(RegistryError, match="policy init"):
            Registry(address)
        with Registry.create(address) as made:
            assert made.revision == 0


def test_a_file_that_must_be_there_is_not_made(tmp_path):
    with pytest.raises(RegistryError, match="is not there"):
        Registry(tmp_path / "typo.db", may_create=False)
    (tmp_path / "empty.db").touch()
    with pytest.raises(RegistryError, match="holds no registry"):
        Registry(tmp_path / "empty.db", may_create=False)
    assert not (tmp_path / "typo.db").exists()


def test_a_fresh_file_gets_its_tables(tmp_path):
    with Registry(tmp_path / "new.db") as registry:
        assert registry.policy() == Policy()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "registry must be"),
        ("mysql://x/y", "registry must be"),
        ("sqlite://", "registry must be"),
        ("sqlite:///:memory:", "registry must be"),
        ("postgresql://u:secret@x:port/y", "registry must be"),
    ],
)
def test_other_addresses_are_refused(address, message):
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        Database(address)
    assert "secret" not in str(caught.value)


def test_what_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "bad.db").write_bytes(b"this is no database at all" * 100)
    for path in (tmp_path / "bad.db", tmp_path / "nowhere" / "rules.db"):
        with pytest.raises(RegistryError, match=path.name):
            Registry(path)


def test_an_unreachable_server_is_named_without_its_password():
    pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:1/") as caught:
        Registry("postgresql://user:secret@127.0.0.1:1/rules")
    assert "secret" not in str(caught.value)


def test_a_killed_server_is_survived(postgres, postgres_url):
    with Registry.create(postgres_url) as registry:
        registry.add(FULL)
        postgres.kill()
        with pytest.raises(RegistryError):
            registry.policy()
        with pytest.raises(RegistryError):
            registry.add(Rule("review"))
        postgres.start()
        assert registry.policy() == Policy(rules=(FULL,))
        registry.add(Rule("review"))
        assert len(registry.rules()) == 2


def test_a_server_restarted_between_two_questions_is_not_noticed(postgres, postgres_url):
    with Registry.create(postgres_url) as registry:
        registry.add(FULL)
        postgres.kill()
        postgres.start()
        assert registry.revision == 1
