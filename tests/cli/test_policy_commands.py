"""``ipguard policy`` and ``ipguard review`` as people use them."""

import json
import sys
from dataclasses import dataclass

import pytest

from ipguard.cli.app import main
from ipguard.evaluation.data import read_examples
from ipguard.policy.rules import Policy

pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")

OPT_OUTS = """作品名,権利者,扱い,対象地域,終了日,根拠,備考
『ドラゴンボール』,Shueisha,禁止,日本,2099年3月31日,通知書,x
ポケモン,,禁止,,,,
"""
PROMPT = "ドラゴンボールの孫悟空"


@dataclass
class Done:
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def folder(small, tmp_path_factory):
    """A small catalogue: names of the shipped one take seconds to lay out."""
    path = tmp_path_factory.mktemp("catalogue")
    small.write(path)
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, folder):
    """The command in this process: a new one for each of so many calls would take minutes."""
    monkeypatch.chdir(tmp_path)

    def of(*arguments, code=0, registry="rules.db"):
        monkeypatch.setenv("IPGUARD_REGISTRY", registry)
        small = ["--folder", folder] if arguments[:2] in {("policy", c) for c in ("add", "import", "export")} else []
        monkeypatch.setattr(sys, "argv", ["ipguard", *map(str, [*arguments, *small])])
        with pytest.raises(SystemExit) as done:
            main()
        captured = capsys.readouterr()
        assert (done.value.code or 0) == code, captured.err
        return Done(captured.out, captured.err)

    return of


@pytest.fixture
def optouts(tmp_path):
    path = tmp_path / "optouts.csv"
    path.write_text(OPT_OUTS, "cp932")
    return path


def test_from_a_list_of_opt_outs_to_a_blocked_prompt(run, optouts, tmp_path):
    done = run("policy", "import", optouts, "--by", "legal")
    assert done.stdout == "2 rules added, 0 there already\n"
    assert "'備考' means nothing here" in done.stderr
    assert run("policy", "import", optouts).stdout == "0 rules added, 2 there already\n"
    listed = run("policy", "list").stdout
    assert "1\tholds\topted_out:block:work=dragon-ball,territories=JP\tuntil 2099-03-31, source 通知書" in listed
    assert (
        json.loads(run("policy", "list", "--json", "--work", "pokemon").stdout)["name"]
        == "opted_out:block:work=pokemon"
    )
    checked = run("policy", "check", PROMPT, "--territory", "jp", "--json", code=1)
    assert json.loads(checked.stdout)["rule"] == "opted_out:block:work=dragon-ball,territories=JP"
    assert "opted_out:block:work=dragon-ball" in run("policy", "check", PROMPT, code=1).stdout
    assert "removed 1" in run("policy", "remove", "1").stdout
    run("policy", "check", "a plain wooden chair", code=0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_files_as_spreadsheets_write_them(run, tmp_path, encoding):
    path = tmp_path / "optouts.csv"
    path.write_text(OPT_OUTS.replace(",", ";"), encoding)
    assert run("policy", "import", path).stdout == "2 rules added, 0 there already\n"


def test_all_or_nothing_unless_partial(run, optouts, tmp_path):
    optouts.write_text(OPT_OUTS + "ドラゴンボウル,,,,,,\n", "utf-8")
    done = run("policy", "import", optouts, "--rejects", "rejects.csv", code=1)
    assert "row 4: title 'ドラゴンボウル' is no title of a work" in done.stderr
    assert "nothing was added" in done.stderr
    run("policy", "list", code=2)
    rejected = (tmp_path / "rejects.csv").read_text("utf-8-sig")
    assert rejected.splitlines()[1].startswith("ドラゴンボウル,,,,,,,4,title: is no title of a work,")
    assert (
        run("policy", "import", optouts, "--partial", "--dry-run", code=1).stdout == "0 rules added, 2 not, a dry run\n"
    )
    assert run("policy", "import", optouts, "--partial", code=1).stdout == "2 rules added, 0 there already\n"


def test_what_is_exported_can_be_imported(run, optouts, tmp_path):
    run("policy", "import", optouts)
    run("policy", "export", "--out", "rules.csv")
    run("policy", "export", "--format", "json", "--out", "rules.json")
    assert Policy.load(tmp_path / "rules.json").rules[1].work == "pokemon"
    for name in ("rules.csv", "rules.json"):
        assert run("policy", "import", name).stdout == "0 rules added, 2 there already\n"
        assert run("policy", "import", name, registry=f"{name}.db").stdout == "2 rules added, 0 there already\n"
    assert run("policy", "export", registry="rules.csv.db").stdout == run("policy", "export").stdout
    run("policy", "check", PROMPT, "--policy", "rules.json", registry="", code=1)


def test_rules_and_thresholds_by_hand(run):
    assert run("policy", "init").stdout == "sqlite:///rules.db: revision 0, 0 rules\n"
    added = run(
        "policy", "add", "--work", "ワンピース", "--effect", "permit", "--territory", "jp", "--until", "2020/1/1"
    )
    assert added.stdout == "1\tover\tlicensed:permit:work=one-piece,territories=JP\tuntil 2020-01-01\n"
    run("policy", "add", "--rights-holder", "Nintendo", "--review", "0.1", "--block", "0.2")
    run("policy", "set", "--review", "0.2", "--block", "0.6", "--style", "review")
    assert "review 0.2, block 0.6, style review" in run("policy", "list").stderr
    run("policy", "set", "--defaults")
    assert "where no rule holds: style review" in run("policy", "list").stderr
    assert run("policy", "upgrade").stdout == "sqlite:///rules.db: revision 4, 2 rules\n"


def test_reviewing_recorded_decisions(run, guard, tmp_path):
    from ipguard.policy.registry import Registry, record_of

    with Registry(tmp_path / "rules.db") as registry:
        verdict = guard.score("Pikachu")
        registry.audit.append([record_of(verdict, text, keep_text=True) for text in ("=Pikachu()", "Pikachu\tagain")])
    assert [line.split("\t")[0] for line in run("review", "list").stdout.splitlines()] == ["2", "1"]
    assert json.loads(run("review", "show", "1").stdout)["prompt"] == "=Pikachu()"
    assert "upheld" in run("review", "uphold", "2", "--note", "clear").stdout
    assert "overturned" in run("review", "overturn", "1", "--note", "a cell", "--by", "ann").stdout
    assert run("review", "list").stdout == ""
    assert json.loads(run("review", "list", "--state", "overturned", "--json").stdout)["reviewed_by"] == "ann"
    run("review", "export", "--format", "training", "--out", "reviewed.jsonl")
    assert [(e.text, e.label) for e in read_examples(tmp_path / "reviewed.jsonl")] == [("=Pikachu()", "no")]
    assert len(run("review", "export").stdout.splitlines()) == 2
    assert ",'=Pikachu()," in run("review", "export", "--format", "csv", "--excel-safe").stdout
    assert ",=Pikachu()," in run("review", "export", "--format", "csv").stdout
    assert run("review", "purge", "--days", "1").stdout == "0 records removed\n"
    assert run("review", "purge", "--days", "0").stdout == "2 records removed\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("policy", "add"), "is empty"),
        (("policy", "add", "--work", "ドラゴンボウル"), "work 'ドラゴンボウル' is no title"),
        (("policy", "add", "--work", "Pokémon", "--effect", "maybe"), "effect"),
        (("policy", "add", "--work", "Pokémon", "--territory", "UK"), "territories"),
        (("policy", "remove", "9", "--registry", "typo.db"), "typo.db is not there"),
        (("policy", "remove", "9"), "rule_id must be"),
        (("policy", "set"), "thresholds must be given"),
        (("policy", "set", "--review", "7"), "review must lie in"),
        (("policy", "import", "nowhere.csv"), "nowhere.csv cannot be read"),
        (("policy", "import", "bad.json"), "bad.json is not a policy"),
        (("policy", "import", "unknown.json"), "work 'no-such-work'"),
        (("policy", "export", "--format", "xml"), "format must be"),
        (("policy", "check", "x", "--policy", "nowhere.json"), "nowhere.json"),
        (("policy", "check", "x", "--registry", "nowhere.db"), "nowhere.db cannot be read"),
        (("policy", "list", "--registry", "mysql://x"), "registry must be"),
        (("policy", "upgrade", "--registry", "new.db"), "holds no registry"),
        (("review", "list", "--state", "odd"), "state must be"),
        (("review", "show", "9"), "record_id must be"),
        (("review", "overturn", "9", "--note", " "), "note must"),
        (("review", "export", "--format", "xml"), "format must be"),
        (("review", "purge", "--days", "-1"), "older_than must"),
    ],
)
def test_errors_are_one_line_and_exit_code_two(run, tmp_path, arguments, message):
    from ipguard.policy.registry import Registry

    Registry(tmp_path / "rules.db").close()
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "unknown.json").write_text('{"rules": [{"effect": "block", "work": "no-such-work"}]}')
    done = run(*arguments, code=2)
    assert message in done.stderr
    assert done.stderr.startswith("ipguard: ")
    assert done.stderr.count("\n") == 1
