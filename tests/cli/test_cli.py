"""The command line: answers, exit codes, one clear line for an error."""

import csv
import json
import subprocess
import sys

import pytest


def run(*arguments, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "ipguard.cli", *arguments],
        capture_output=True,
        input=stdin,
        check=False,
        encoding="utf-8",
    )


def test_score_shows_span_work_holder_and_reason():
    done = run("score", "ワンピースのルフィ and Pikachu")
    assert done.returncode == 0, done.stderr
    for text in ("ルフィ", "One Piece", "Pikachu", "Pokémon", "Nintendo", "block"):
        assert text in done.stdout


def test_score_json_reads_standard_input():
    done = run("score", "--json", stdin="Pikachu\na lake\n")
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [v["flagged"] for v in verdicts] == [True, False]


def test_options_reach_the_guard():
    done = run("score", "Pikachu", "--json", "--allow", "pokemon")
    assert json.loads(done.stdout)["decision"] == "allow"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score", "x", "--purpose", "smell"), "purpose must"),
        (("score", "x", "--review", "7"), "review must lie in"),
        (("score", "x", "--model", "nowhere"), "nowhere"),
        (("score", "x", "--catalogue", "nowhere.bin"), "nowhere.bin"),
        (("score", "x", "--allow", "no-such"), "allow must"),
        (("batch", "nowhere.csv", "out.csv"), "nowhere.csv"),
        (("catalogue", "show", "no-such-work"), "no-such-work"),
        (("catalogue", "export", "--format", "xml"), "format must"),
        (("eval", "nowhere.jsonl"), "nowhere.jsonl"),
        (("eval", "nowhere.jsonl", "--scorer", "magic"), "scorer must"),
        (("tune", "nowhere.jsonl", "--out", "p.json", "--fpr", "0.01"), "nowhere.jsonl"),
    ],
)
def test_errors_are_one_line_and_exit_code_two(arguments, message):
    done = run(*arguments)
    if "extra 'train'" in done.stderr:
        pytest.skip("the extra 'train' is not installed")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("ipguard: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_batch(tmp_path):
    (tmp_path / "in.csv").write_text("id,text\n1,Pikachu\n2,a lake\n", "utf-8")
    done = run("batch", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--column", "text")
    assert done.returncode == 0, done.stderr
    assert "2 rows" in done.stderr
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["ipguard_decision"] != "allow" for row in rows] == [True, False]


def test_batch_says_that_rows_were_not_scored(tmp_path):
    (tmp_path / "in.csv").write_text("id,prompt\n1\n", "utf-8")
    assert run("batch", str(tmp_path / "in.csv"), str(tmp_path / "out.csv")).returncode == 1


def test_batch_reads_standard_input_and_reports(tmp_path):
    piped = run("batch", "-", "-", "--format", "jsonl", "--workers", "0", stdin='{"prompt": "Pikachu"}\n')
    assert json.loads(piped.stdout)["ipguard_works"] == ["pokemon"]
    (tmp_path / "out.jsonl").write_text(piped.stdout, "utf-8")
    pytest.importorskip("jinja2", reason="needs the extra 'report'")
    done = run("report", str(tmp_path / "out.jsonl"), "-o", str(tmp_path / "r.html"))
    assert done.returncode == 0, done.stderr
    assert "1 at risk" in done.stderr
    assert "Pikachu" in (tmp_path / "r.html").read_text("utf-8")
    assert run("batch", "-", "-", "--engine", "spark", stdin="").returncode == 2


def test_rewrite():
    done = run("rewrite", "Pikachu in the rain", "a lake")
    assert done.returncode == 0, done.stderr
    assert "Pikachu" not in done.stdout
    assert done.stdout.splitlines()[1] == "a lake"
    assert "allow" in done.stderr
    assert json.loads(run("rewrite", "--json", "Pikachu").stdout)["replacements"][0]["work_id"] == "pokemon"


def test_catalogue_search_show_stats_export():
    assert "pokemon\tPokémon" in run("catalogue", "search", "ピカチュウ").stdout
    assert run("catalogue", "search", "qqqxyzzy").returncode == 1
    assert json.loads(run("catalogue", "show", "pokemon").stdout)["id"] == "pokemon"
    assert json.loads(run("catalogue", "stats").stdout)["works"] > 800
    names = run("catalogue", "export", "--format", "names").stdout
    assert names.startswith("work,item,text,lang,sense\n")
    assert run("catalogue", "export", "--format", "csv").stdout.startswith("id,title")


def test_catalogue_lint_build_and_add(tmp_path, small):
    small.write(tmp_path)
    (tmp_path / "new.txt").write_text(
        "# new-work | New Work | game | 2026 | JP | H | protected\n= en:o:Brand New Work\n", "utf-8"
    )
    assert run("catalogue", "add", str(tmp_path / "new.txt"), "--folder", str(tmp_path)).returncode == 0
    assert "new-work" in (tmp_path / "franchises" / "game.jsonl").read_text("utf-8")
    done = run("catalogue", "build", "--folder", str(tmp_path), "--out", str(tmp_path / "c.bin"))
    assert done.returncode == 0, done.stderr
    assert json.loads(run("score", "Brand New Work", "--json", "--catalogue", str(tmp_path / "c.bin")).stdout)[
        "matches"
    ]
    bad = (tmp_path / "franchises" / "game.jsonl").read_text("utf-8").replace('"only"', '"mostly"', 1)
    (tmp_path / "franchises" / "game.jsonl").write_text(bad, "utf-8")
    done = run("catalogue", "lint", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "game.jsonl:" in done.stdout


def test_help_and_version():
    assert "ipguard 0." in run("--version").stdout
    for command in ("score", "batch", "eval", "train", "distill", "catalogue"):
        done = run(command, "--help")
        assert done.returncode == 0
        assert len(done.stdout) > 200
