"""The benchmark of the service runs, and its soak tells a change of policy that is not taken up from one that is."""

import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def record(tmp_path, *arguments):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"text": f"a castle number {n} at dawn"}) + "\n" for n in range(40)), "utf-8")
    done = subprocess.run(
        [sys.executable, str(FOLDER / "serve.py"), str(path), "--out", str(tmp_path), *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*-serve-*.json")
    return json.loads(file.read_text("utf-8"))


def test_load(tmp_path):
    found = record(tmp_path, "--seconds", "0.3")
    assert set(found["connections"]) == {"1", "16", "128"}
    assert all(run["requests"] > 0 for run in found["connections"].values())


def test_soak(tmp_path):
    found = record(tmp_path, "--soak", "8")
    assert found["errors"] == 0
    assert set(found["witness"]) == {"allow", "block"}
    assert found["reloads"]["policy done"] > 0
