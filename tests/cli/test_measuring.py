"""``ipguard eval`` and ``ipguard tune`` on files of labelled prompts."""

import json

import pytest
from typer.testing import CliRunner

from ipguard import Guard
from ipguard.cli.app import app
from ipguard.errors import DataError, InvalidArgumentError
from ipguard.policy.rules import Policy

PLACES = ("a lake", "an old bridge", "the market", "a quiet library", "a stone tower", "the harbour", "a wheat field")


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def clean(count):
    return [
        {"text": f"{PLACES[n % 7]} at dawn, take {n}", "label": "no", "slice": "clean", "lang": "en"}
        for n in range(count)
    ]


def guilty(count):
    return [
        {
            "text": f"Pikachu near {PLACES[n % 7]}, take {n}",
            "label": "yes",
            "slice": "named",
            "works": ["Pokémon"],
            "lang": "en",
        }
        for n in range(count)
    ]


def test_eval_of_several_files(tmp_path):
    pytest.importorskip("sklearn", reason="the extra 'train' is not installed")
    one, two = write(tmp_path / "a.jsonl", guilty(60)), write(tmp_path / "b.jsonl", clean(60))
    done = run("eval", one, two, "--rounds", 30, "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    named = next(part for part in found["parts"] if part["slice"] == "named")
    assert named["right work"][0] == 1.0
    assert named["recall@1%"][0] == 1.0
    assert found["clean_prompts"] == 60
    assert "| clean | 60 | 0 |" in run("eval", one, two, "--rounds", 30).stdout


def test_eval_against_public_clean_prompts(tmp_path):
    pytest.importorskip("datasets", reason="the extra 'train' is not installed")
    from ipguard.text.keys import text_key

    rows = clean(50)
    public = write(tmp_path / "public.jsonl", [{"text": row["text"]} for row in rows])
    (tmp_path / "labels").mkdir()
    write(tmp_path / "labels" / "l.jsonl", [{"sha256": text_key(row["text"]), "label": "no"} for row in rows[:40]])
    test = write(tmp_path / "test.jsonl", [*guilty(60), *clean(5)])
    done = run("eval", test, "--public", public, "--labels", tmp_path / "labels", "--rounds", 20, "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["clean_prompts"] == 40


def test_tune_writes_a_policy_that_a_guard_takes(tmp_path):
    file = write(tmp_path / "labelled.jsonl", [*guilty(40), *clean(310)])
    rules = write(tmp_path / "rules.json", [{"rules": [{"effect": "block", "work": "pokemon"}]}])
    out = tmp_path / "policy.json"
    done = run("tune", file, "--fpr", "0.01", "--out", out, "--policy", rules)
    assert done.exit_code == 0, done.exception
    policy = Policy.load(out)
    assert policy.rules == Policy.load(rules).rules
    assert policy.review <= policy.block
    guard = Guard(policy=out)
    assert guard.thresholds[0] == policy.review
    flagged = [guard.score(row["text"]).flagged for row in clean(310)]
    assert sum(flagged) <= 3
    assert f"review from {policy.review:g}: " in done.stdout
    assert "350 prompts, 40 yes" in done.stdout
    assert "1.000 (0.912–1.000) recall" in done.stdout


def test_tune_for_precision(tmp_path):
    file = write(tmp_path / "labelled.jsonl", [*guilty(40), *clean(40)])
    done = run("tune", file, "--precision", "0.9", "--out", tmp_path / "p.json")
    assert done.exit_code == 0, done.exception
    assert 0 < Policy.load(tmp_path / "p.json").review < 1


def test_tune_refuses_what_the_prompts_cannot_support(tmp_path):
    file = write(tmp_path / "labelled.jsonl", [*guilty(5), *clean(120)])
    out = tmp_path / "p.json"
    refused = run("tune", file, "--fpr", "0.01", "--out", out).exception
    assert isinstance(refused, DataError)
    assert "180 are missing" in str(refused)
    assert not out.exists()
    refused = run("tune", file, "--fpr", "0.1", "--precision", "0.9", "--out", out).exception
    assert isinstance(refused, InvalidArgumentError)
