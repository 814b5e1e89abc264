"""A run that is cut off anywhere can be taken up and gives the same bytes."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest

from ipguard.batch import engine, rows
from ipguard.batch.engine import Options, score_file
from ipguard.errors import BatchError
from ipguard.guard import Guard
from ipguard.policy.rules import Policy
from tests.batch.conftest import csv_bytes, read_csv

DRIVER = """
import sys
from functools import partial
from ipguard.batch import rows
rows.CHUNK_ROWS = 16
from ipguard.batch.engine import Options, score_file
from ipguard.guard import Guard
if __name__ == "__main__":
    source, target, workers = sys.argv[1:]
    print("started", flush=True)
    score_file(partial(Guard), source, target, Options(workers=int(workers), resume=True))
"""


@pytest.fixture
def source(tmp_path):
    random.seed(7)
    words = ["Pikachu", "lake", "Goku", "robot", "ルフィ", "castle", "dog", "ドラえもん", "neon", "Batman", "rain"]
    rows = [[str(n), " ".join(random.choices(words, k=random.randint(1, 40)))] for n in range(600)]
    rows[100].append("one cell too many")
    path = tmp_path / "in.csv"
    path.write_bytes(csv_bytes([["id", "prompt"], *rows]))
    return path


def start(tmp_path, source, target, workers):
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, str(tmp_path / "driver.py"), str(source), str(target), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


@pytest.mark.parametrize("suffix", ["csv", "jsonl.gz"])
def test_killed_at_random_moments_and_resumed(tmp_path, source, guard, monkeypatch, suffix):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 16)
    score_file(guard, source, tmp_path / f"whole.{suffix}", Options(workers=0))
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    rejects = (tmp_path / f"whole.{suffix}.rejects.jsonl").read_bytes()
    target, journal = tmp_path / f"out.{suffix}", tmp_path / f".out.{suffix}.ipguard"
    random.seed(11)
    seen = set()
    kills = 0
    while kills < 6:
        run = start(tmp_path, source, target, workers=2 if kills % 3 == 2 else 0)
        # From the first chunk on: killing the interpreter while it starts would prove little.
        wanted = random.randint(1, 8) + len(seen)
        while run.poll() is None and len(list(journal.glob("*.json"))) <= min(wanted, 36):
            time.sleep(0.002)
        time.sleep(random.random() * 0.02)
        if run.poll() is not None:
            assert run.returncode == 0, run.stderr.read()
            target.unlink()
            seen = set()
        else:
            os.killpg(run.pid, signal.SIGKILL)
            kills += 1
            assert not target.exists()
            seen = {p.name for p in journal.glob("*.json")}
        run.communicate()
    score_file(guard, source, target, Options(workers=0, resume=True))
    assert target.read_bytes() == whole
    assert (tmp_path / f"out.{suffix}.rejects.jsonl").read_bytes() == rejects
    assert not journal.exists()


def cut_off(monkeypatch, guard, source, target, after):
    """Run until so many chunks are finished, then fail."""
    calls = []

    def fail(state):
        calls.append(state)
        if len(calls) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(guard, source, target, Options(workers=0), progress=fail)


def test_finished_chunks_are_not_scored_again(tmp_path, source, guard, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 100)
    cut_off(monkeypatch, guard, source, tmp_path / "out.csv", 3)
    scored = []
    real = engine._submit
    monkeypatch.setattr(engine, "_submit", lambda chunk, scoring: scored.append(chunk.number) or real(chunk, scoring))
    score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True))
    assert scored == [3, 4, 5]
    assert len(read_csv(tmp_path / "out.csv")) == 600


def test_without_resume_it_starts_anew(tmp_path, source, guard, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 300)
    cut_off(monkeypatch, guard, source, tmp_path / "out.csv", 1)
    scored = []
    real = engine._submit
    monkeypatch.setattr(engine, "_submit", lambda chunk, scoring: scored.append(chunk.number) or real(chunk, scoring))
    score_file(guard, source, tmp_path / "out.csv", Options(workers=0))
    assert scored == [0, 1]


def test_a_changed_input_and_changed_options_are_refused(tmp_path, source, guard, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 300)
    cut_off(monkeypatch, guard, source, tmp_path / "out.csv", 1)
    with pytest.raises(BatchError, match="purpose was None, is 'text'"):
        score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True, purpose="text"))
    data = source.read_bytes()
    source.write_bytes(data[:-10])
    with pytest.raises(BatchError, match="size was"):
        score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True))
    source.write_bytes(data.replace(b"\r\n5,", b"\r\nx,"))
    with pytest.raises(BatchError, match="has changed"):
        score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True))


def test_other_thresholds_and_rules_are_refused(tmp_path, source, guard, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 300)
    cut_off(monkeypatch, guard, source, tmp_path / "out.csv", 1)
    for other in (Guard(block=0.99), Guard(prior=0.2), Guard(policy=Policy(style="review"))):
        with pytest.raises(BatchError, match="rules was"):
            score_file(other, source, tmp_path / "out.csv", Options(workers=0, resume=True))
    score_file(Guard(), source, tmp_path / "out.csv", Options(workers=0, resume=True))


def test_a_damaged_journal_is_refused(tmp_path, source, guard, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 300)
    cut_off(monkeypatch, guard, source, tmp_path / "out.csv", 1)
    (tmp_path / ".out.csv.ipguard" / "000000.json").write_text("{")
    with pytest.raises(BatchError, match="damaged"):
        score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True))
    (tmp_path / ".out.csv.ipguard" / "run.json").write_text("{")
    with pytest.raises(BatchError, match="damaged"):
        score_file(guard, source, tmp_path / "out.csv", Options(workers=0, resume=True))


def test_a_vanished_worker_is_an_error_and_costs_nothing_done(tmp_path, source, monkeypatch):
    run = start(tmp_path, source, tmp_path / "out.csv", 2)
    journal = tmp_path / ".out.csv.ipguard"
    while run.poll() is None and len(list(journal.glob("*.json"))) < 3:
        time.sleep(0.005)
    workers = subprocess.run(["pgrep", "-P", str(run.pid)], capture_output=True, text=True, check=False).stdout.split()
    for worker in workers:
        os.kill(int(worker), signal.SIGKILL)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1
    assert b"worker process vanished" in err
    assert not (tmp_path / "out.csv").exists()
    assert list(journal.glob("*.part"))


FULL = """
import resource, signal, sys
from ipguard.batch.engine import Options, score_file
from ipguard.guard import Guard
guard = Guard()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
score_file(guard, sys.argv[1], sys.argv[2], Options(workers=0))
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on the size of files")
def test_a_full_disk_is_an_error_and_leaves_no_output(tmp_path, source):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(source), str(tmp_path / "out.csv")], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"BatchError" in done.stderr
    assert b"cannot be written" in done.stderr
    assert not (tmp_path / "out.csv").exists()
    assert not [p for p in tmp_path.rglob(".*") if p.is_file() and p.name.startswith(".out.csv.")]


def test_workers_give_the_same_as_none(tmp_path, source, guard):
    score_file(guard, source, tmp_path / "none.csv", Options(workers=0))
    score_file(guard, source, tmp_path / "two.csv", Options(workers=2))
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "none.csv").read_bytes()


def test_equal_prompts_are_scored_once(tmp_path, guard, monkeypatch):
    asked = []
    real = engine.results_of if hasattr(engine, "results_of") else None
    assert real is None, "scoring goes through workers"
    from ipguard.batch import workers

    inner = workers.results_of
    monkeypatch.setattr(workers, "results_of", lambda g, texts, p: asked.extend(texts) or inner(g, texts, p))
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps({"prompt": f"lake {n % 3}"}) for n in range(30)))
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert asked == ["lake 0", "lake 1", "lake 2"]
