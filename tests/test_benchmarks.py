"""Benchmarks run, and refuse a time for wrong answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
# What runs in another process is the code of this checkout, wherever another one is installed.
PATHS = os.pathsep.join((str(FOLDER), str(FOLDER.parent)))


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, str(FOLDER / script), *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": PATHS},
    )  # fmt: skip


def test_the_cases_hold(guard, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from cases import read_cases, wrong

    cases = read_cases()
    assert len(cases) >= 8
    for case in cases:
        verdicts = guard.score_many([prompt.text for prompt in case.prompts])
        assert wrong(case, verdicts) == ""
        assert wrong(case, verdicts[::-1]) or len(set(case.prompts)) < 2
        assert case.why


def test_instructions_skip_where_nothing_counts(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["instructions.py"])
    import instructions

    assert instructions.main() == 0
    assert capsys.readouterr().out.startswith("skipped: ")


def test_instructions_fail_above_the_limit(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", ["instructions.py"])
    import instructions

    reference = json.loads(instructions.REFERENCE.read_text("utf-8"))
    assert reference["libraries"]
    for factor, code in ((1.4, 0), (1.6, 1)):
        counted = {**reference, "a_prompt": int(reference["a_prompt"] * factor)}
        monkeypatch.setattr(instructions, "count", lambda counted=counted: counted)
        assert instructions.main() == code
    assert "more than 1.5 ×" in capsys.readouterr().out


def test_compare_gives_ratios_with_intervals(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from compare import interval

    mean, low, high = interval([2.0, 2.0, 8.0, 0.5])
    assert pytest.approx(mean) == 2.0
    assert low < 2 < high


def test_compare_tells_rounding_from_a_difference(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from compare import differ

    found = ["allow", [["pokemon", 0, 7]]]
    assert not differ([0.4999995, found], [0.4999995 + 1e-9, found])
    assert differ([0.5, found], [0.50001, found])
    assert differ([0.5, found], [0.5, ["review", found[1]]])
    assert differ([0.5, found], [0.5, ["allow", []]])


def test_latency(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"text": f"a castle number {n} at dawn"}) + "\n" for n in range(70)), "utf-8")
    pytest.importorskip("sklearn", reason="the extra 'train' is not installed")
    done = run("latency.py", str(path), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("*-latency.json")
    assert json.loads(record.read_text())["verdicts_to_encoder"] > 1


def test_grown_catalogues_hold_other_names_and_descriptions(small, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from growth import copies, moved

    works = list(small.works.values())
    grown = small.add(copies(works, 3))
    assert len(grown.works) == 2 * len(works)
    assert moved("Zelda", 1) == "Afmeb"
    first = works[0]
    copy = grown.works[f"{first.id}-copy-3"]
    assert {n.text for n in copy.names}.isdisjoint({n.text for n in first.names if any(c.isalpha() for c in n.text)})
    assert [i.id for i in copy.items] == [i.id for i in first.items]


def test_coverage(tmp_path):
    (tmp_path / "list.tsv").write_text(
        "rank\tname\tother_names\tpopularity\tfranchise\n1\tPokémon\t\t\t\n3\tNo Such Work At All\tドラゴンボール\t\t\n5\tQwxz Zzyx\t\t\t\n",
        "utf-8",
    )
    done = run("coverage.py", str(tmp_path), "--missing", str(tmp_path / "missing.txt"))
    assert done.returncode == 0, done.stderr
    assert "67% of 3" in done.stdout
    assert (tmp_path / "missing.txt").read_text("utf-8").split("\t")[3] == "Qwxz Zzyx"


def test_batch(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"text": f"a castle number {n} at dawn"}) + "\n" for n in range(70)), "utf-8")
    small = "import batch; batch.SMALL, batch.MIDDLE = 40, 60; batch.main()"
    done = subprocess.run(
        [sys.executable, "-c", small, str(path), "--rows", "80", "--out", str(tmp_path)], capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": PATHS},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("*-batch.json")
    runs = json.loads(record.read_text())["runs"]
    assert [run["rows"] for run in runs.values()] == [40, 40, 60, 80]
    assert all(run["peak_mb"] > 0 for run in runs.values())
