"""Recorded decisions: written behind the back of scoring, reviewed, exported, forgotten."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ipguard.errors import InvalidArgumentError, RegistryError
from ipguard.evaluation.data import read_examples
from ipguard.policy.rules import Policy, Rule
from ipguard.text.keys import text_key

pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")

from ipguard.policy.registry import AuditWriter, Registry
from ipguard.policy.registry.audit import record_of

PROMPT = "Pikachu in the rain"


@pytest.fixture(scope="module")
def verdict(guard):
    return guard.score(PROMPT)


def test_a_record_comes_back_as_it_was(registry, verdict):
    record = record_of(verdict, PROMPT, request_id="r1", caller="web", policy_version="7", keep_text=True)
    registry.audit.append([record])
    found = registry.audit.decisions()[0]
    assert replace(found, id=None) == record
    assert registry.audit.get(found.id) == found
    assert found.matches[0]["work_id"] == "pokemon"
    assert json.dumps(found.to_dict())


def test_without_leave_nothing_of_the_text_is_kept(registry, verdict):
    registry.audit.append([record_of(verdict, PROMPT)])
    with registry._database.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM ipguard_decisions").mappings().one()
    # The name of the item is the catalogue's, not the prompt's.
    assert "Pikachu" not in json.dumps({**row}, default=str)
    assert row["prompt_sha256"] == text_key(PROMPT)


@pytest.mark.parametrize("text", ["nul \0 inside", "lone \ud800 surrogate", "👨‍👩‍👧", "x" * 100_000, ""])
def test_any_text_can_be_kept(registry, verdict, text):
    registry.audit.append([record_of(verdict, text, request_id=text[:9], caller=text[:9], keep_text=True)])
    found = registry.audit.decisions()[0]
    assert found.prompt_sha256 == text_key(text)
    assert found.prompt == text.replace("\0", "\ufffd").replace("\ud800", "\ufffd")


def test_a_record_written_again_counts_once(registry, verdict):
    record = record_of(verdict, PROMPT)
    registry.audit.append([record])
    registry.audit.append([record, record_of(verdict, PROMPT)])
    assert len(registry.audit.decisions()) == 2
    registry.audit.append([])


def test_decisions_are_listed(registry, verdict):
    old = datetime.now(tz=UTC) - timedelta(days=3)
    registry.audit.append([replace(record_of(verdict, f"p{n}"), at=old + timedelta(days=n)) for n in range(3)])
    newest = registry.audit.decisions()
    assert [r.id for r in newest] == sorted((r.id for r in newest), reverse=True)
    assert len(registry.audit.decisions(limit=2)) == 2
    assert len(registry.audit.decisions(since=old + timedelta(hours=30))) == 1
    registry.audit.uphold(newest[0].id)
    assert [r.id for r in registry.audit.decisions(review="open")] == [r.id for r in newest[1:]]
    assert [r.id for r in registry.audit.decisions(after=newest[-1].id)] == [newest[1].id, newest[0].id]


def test_all_pages_are_read(registry, verdict, monkeypatch):
    from ipguard.policy.registry import audit

    monkeypatch.setattr(audit, "PAGE", 3)
    registry.audit.append([record_of(verdict, f"p{n}") for n in range(8)])
    ids = [record.id for record in registry.audit]
    assert len(ids) == 8
    assert ids == sorted(ids)


def test_review(registry, verdict):
    registry.audit.append([record_of(verdict, PROMPT)])
    record_id = registry.audit.decisions()[0].id
    upheld = registry.audit.uphold(record_id, note="clear", by="ann")
    assert (upheld.review, upheld.note, upheld.reviewed_by, upheld.label) == ("upheld", "clear", "ann", None)
    assert upheld.reviewed_at >= upheld.at
    overturned = registry.audit.overturn(record_id, note="a real mouse")
    assert (overturned.review, overturned.label) == ("overturned", "no")
    for wrong in (registry.audit.get, registry.audit.uphold, registry.audit.overturn):
        with pytest.raises(InvalidArgumentError, match="record_id"):
            wrong(99)
    with pytest.raises(InvalidArgumentError, match="label must be one of"):
        registry.audit.overturn(record_id, label="maybe")


def test_what_a_rule_decided_gets_no_label_by_itself(registry, guard):
    strict = guard.with_policy(Policy(rules=(Rule("block", reason="opted_out", work="pokemon"),)))
    registry.audit.append([record_of(strict.score(PROMPT), PROMPT, keep_text=True)])
    record_id = registry.audit.decisions()[0].id
    assert registry.audit.overturn(record_id).label is None
    assert list(registry.audit.training_rows()) == []
    registry.audit.overturn(record_id, label="yes")
    assert next(registry.audit.training_rows())["works"] == ["Pokémon"]


def test_overturned_texts_are_read_by_train(registry, verdict, tmp_path):
    texts = ("Link zum Artikel", "白いワンピースの少女", "upheld", "without text", "Link zum Artikel ")
    records = [record_of(verdict, text, keep_text=text != "without text") for text in texts]
    registry.audit.append(records)
    for record in registry.audit:
        if record.prompt == "upheld":
            registry.audit.uphold(record.id)
        else:
            registry.audit.overturn(record.id, label="style" if "ワンピース" in (record.prompt or "") else None)
    lines = [json.dumps(row, ensure_ascii=False) for row in registry.audit.training_rows()]
    (tmp_path / "reviewed.jsonl").write_text("\n".join(lines), "utf-8")
    examples = read_examples(tmp_path)
    assert sorted((e.text.strip(), e.label, e.lang) for e in examples) == [
        ("Link zum Artikel", "no", ""),
        ("白いワンピースの少女", "style", "ja"),
    ]
    assert examples[0].source == "review"


def test_old_records_are_forgotten(registry, verdict):
    at = datetime.now(tz=UTC) - timedelta(days=40)
    registry.audit.append([replace(record_of(verdict, "old"), at=at), record_of(verdict, "new")])
    assert registry.audit.purge(timedelta(days=30)) == 1
    assert [r.prompt_sha256 for r in registry.audit] == [text_key("new")]
    with pytest.raises(InvalidArgumentError, match="older_than"):
        registry.audit.purge(timedelta(days=-1))


def test_the_writer_writes_behind_the_back(registry, verdict):
    writer = AuditWriter(registry.audit)
    for number in range(1500):
        writer.record(record_of(verdict, f"p{number}"))
    writer.close()
    assert (writer.status.recorded, writer.status.dropped, writer.status.queued) == (1500, 0, 0)
    assert len(registry.audit.decisions(limit=None)) == 1500


def test_what_finds_the_queue_full_is_counted_and_said(tmp_path, verdict, caplog, settle):
    with Registry(tmp_path / "rules.db") as registry:
        with registry._database.writing():  # in SQLite nobody else can write meanwhile
            writer = AuditWriter(registry.audit, capacity=5)
            with caplog.at_level(logging.ERROR):
                writer.record(record_of(verdict, "first"))
                settle(lambda: writer._waiting)
                for number in range(600):
                    writer.record(record_of(verdict, f"p{number}"))
            assert (writer.status.dropped, writer.status.queued) == (595, 6)
        writer.close()
        writer.record(record_of(verdict, "too late"))
        assert (writer.status.recorded, writer.status.dropped) == (6, 596)
    assert caplog.records[0].message == "Decisions are not recorded: the queue is full; 1 lost so far."
    assert len(caplog.records) == 1, "it is not said for each of them"


def test_a_required_record_is_written_before_the_request_goes_on(registry, verdict):
    writer = AuditWriter(registry.audit, required=True)
    writer.record(record_of(verdict, PROMPT))
    assert len(registry.audit.decisions()) == 1

    async def many():
        await asyncio.gather(*(writer.arecord(record_of(verdict, f"p{n}")) for n in range(50)))

    asyncio.run(many())
    assert len(registry.audit.decisions()) == 51
    writer.close()
    with pytest.raises(RegistryError, match="required"):
        writer.record(record_of(verdict, PROMPT))


def test_a_required_record_that_cannot_be_written_fails_the_request(registry, verdict):
    with registry._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE ipguard_decisions")
    writer = AuditWriter(registry.audit, required=True)
    with pytest.raises(RegistryError, match="could not be recorded, which is required"):
        writer.record(record_of(verdict, PROMPT))
    with pytest.raises(RegistryError, match="could not be recorded, which is required"):
        asyncio.run(writer.arecord(record_of(verdict, PROMPT)))
    assert writer.status.failures == 2
    assert writer.status.last_error
    writer.close()


def test_a_required_record_does_not_wait_for_ever(tmp_path, verdict):
    with Registry(tmp_path / "rules.db") as registry, registry._database.writing():
        writer = AuditWriter(registry.audit, required=True, patience=0.1)
        for call in (writer.record, lambda r: asyncio.run(writer.arecord(r))):
            with pytest.raises(RegistryError, match=r"within 0\.1 s, which is required"):
                call(record_of(verdict, PROMPT))
    writer.close()


def test_one_record_that_the_database_refuses_does_not_hold_up_the_others(registry, verdict, caplog):
    writer = AuditWriter(registry.audit)
    good = record_of(verdict, PROMPT)
    with caplog.at_level(logging.ERROR):
        for record in (good, replace(record_of(verdict, PROMPT), rule=None), record_of(verdict, "other")):
            writer.record(record)
        writer.close()
    assert (writer.status.recorded, writer.status.dropped) == (2, 1)
    assert caplog.records
    assert len(registry.audit.decisions()) == 2


def test_a_killed_server_delays_records_and_loses_none(postgres, postgres_url, verdict, caplog, settle):
    with Registry.create(postgres_url) as registry:
        writer = AuditWriter(registry.audit)
        writer.record(record_of(verdict, "before"))
        settle(lambda: writer.status.recorded == 1)
        postgres.kill()
        try:
            writer.record(record_of(verdict, "meanwhile"))
            settle(lambda: writer.status.failures)
            assert writer.status.last_error
        finally:
            postgres.start()
        writer.record(record_of(verdict, "after"))
        settle(lambda: writer.status.recorded == 3)
        writer.close()
        assert len(registry.audit.decisions()) == 3
        assert any("not recorded" in record.message for record in caplog.records)


def test_what_cannot_be_written_before_the_end_is_counted(postgres, postgres_url, verdict, caplog, settle):
    with Registry.create(postgres_url) as registry:
        writer = AuditWriter(registry.audit)
        postgres.kill()
        try:
            writer.record(record_of(verdict, PROMPT))
            settle(lambda: writer.status.failures)
            writer.close(patience=10)
        finally:
            postgres.start()
        assert (writer.status.recorded, writer.status.dropped) == (0, 1)
        assert "closed before it could write" in caplog.records[-1].message
