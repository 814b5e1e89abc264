"""The open benchmark stands alone, holds to its own rules, and measures as ``ipguard eval`` does."""

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from ipguard.evaluation.data import read_examples
from ipguard.text.keys import text_key

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "open"
sys.path.insert(0, str(FOLDER))
load, score = import_module("load"), import_module("score")

LEAST = {
    "described": 600, "lookalike": 600, "homograph": 600, "obfuscated": 300, "negation": 300, "mention": 300,
    "public_domain": 200, "style": 180, "named": 300, "clean": 300,
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return [
        json.loads(line)
        for path in sorted((FOLDER / "prompts").glob("*.jsonl"))
        for line in path.read_text("utf-8").split("\n")
        if line
    ]


def test_the_prompts_are_those_whose_hash_was_published():
    for line in (FOLDER / "prompts" / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((FOLDER / "prompts" / name).read_bytes()).hexdigest() == digest


def test_the_slices_are_large_enough_and_labelled_by_the_guide(rows):
    count = Counter(row["slice"] for row in rows)
    assert all(count[name] >= least for name, least in LEAST.items()), count
    labels = defaultdict(set)
    for row in rows:
        labels[row["slice"]].add(row["label"])
        assert bool(row["works"]) == (row["label"] in ("yes", "style")), row["id"]
    asking = {"described", "obfuscated", "named"}
    assert all(own == {"yes"} for name, own in labels.items() if name in asking)
    assert labels["style"] == {"style"}
    assert labels["homograph"] == {"yes", "no"}
    assert all(labels[name] == {"no"} for name in ("lookalike", "negation", "mention", "public_domain", "clean"))


def test_no_text_is_repeated_or_trained_on(rows):
    keys = [text_key(row["text"]) for row in rows]
    assert len(set(keys)) == len(keys) == len({row["id"] for row in rows})
    assert not set(keys) & {text_key(e.text) for e in read_examples(ROOT / "data" / "prompts")}
    assert not set(keys) & {row.id for row in load.public_labels()}


def test_every_described_row_and_homograph_has_its_counterpart(rows):
    sides = defaultdict(Counter)
    for row in rows:
        if row["pair"]:
            kind = "homograph" if row["slice"] == "homograph" else "look-alike"
            sides[kind, row["lang"], row["pair"]][row["label"]] += 1
    assert all(own == {"yes": 1, "no": 1} for own in sides.values())
    paired = sum(row["slice"] in ("described", "lookalike", "homograph") for row in rows)
    assert 2 * len(sides) == paired


def test_corrections_name_rows_that_exist(rows):
    assert load.left_out() <= {row["id"] for row in rows}
    assert len(load.written()) == len(rows) - len(load.left_out())


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n", "utf-8")
    (tmp_path / "SHA256SUMS").write_text("0" * 64 + "  a.jsonl\n", "utf-8")
    with pytest.raises(SystemExit, match=r"a\.jsonl"):
        load.check_hashes(tmp_path)


def test_public_texts_are_found_by_their_hash_once(tmp_path):
    path = tmp_path / "public.jsonl"
    path.write_text('{"prompt": " a known text "}\n{"text": "a known text"}\n{"text": "another"}\n', "utf-8")
    known = [load.Row(text_key("a known text"), "no", "real")]
    assert list(load.join([path], known)) == [(text_key("a known text"), " a known text ")]


def test_auroc_and_recall_by_hand():
    yes, no = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    assert score.auroc(yes, no) == pytest.approx((2 + 1.5 + 1.5) / 6)
    clean = np.arange(100) / 100
    assert score.threshold_at(clean, 0.03) == pytest.approx(0.96)
    assert score.recall(np.array([0.96, 0.97]), clean, 0.03) == 0.5
    assert score.recall(yes, np.full(100, 0.5), 0.01) == pytest.approx(1 / 3), "ties with clean prompts are not caught"


def scores_of(values):
    return "".join(json.dumps({"id": key, "score": value}) + "\n" for key, value in values.items())


def test_a_perfect_and_a_blind_scorer():
    rows = load.written()
    perfect = {row.id: float(row.label == "yes") for row in rows}
    found = score.evaluate(perfect, {row.id: row.works[0] for row in rows if row.works})
    assert found["written"]["auroc"][0] == 1.0
    assert found["slices"]["described"]["recall@1%"] == [1.0, 1.0, 1.0]
    assert found["slices"]["named"]["right work"][0] == 1.0
    assert found["pairs"]["homograph"]["told apart"][0] == 1.0
    assert found["slices"]["negation"]["flagged"][0] == 0.0
    blind = score.evaluate(dict.fromkeys(perfect, 0.0), {})
    assert blind["written"]["auroc"][0] == 0.5
    assert blind["pairs"]["look-alike"]["yes higher"][0] == 0.0


def test_the_command_needs_no_ipguard_and_refuses_gaps(tmp_path):
    path = tmp_path / "scores.jsonl"
    values = {row.id: float(len(row.text)) for row in load.written()}
    path.write_text(scores_of(values), "utf-8")
    # A process in which ipguard cannot be imported.
    code = (
        f"import sys, runpy; sys.modules['ipguard'] = None; sys.path.insert(0, {str(FOLDER)!r}); "
        f"runpy.run_path({str(FOLDER / 'score.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["slices"]["clean"]["rows"] > 200
    values.popitem()
    path.write_text(scores_of(values), "utf-8")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "1 written prompts have no score" in done.stderr


def test_a_score_that_is_no_number_stops_the_run(tmp_path):
    path = tmp_path / "scores.jsonl"
    for value in ("NaN", '"high"', "true", "null"):
        path.write_text(f'{{"id": "x", "score": {value}}}\n', "utf-8")
        with pytest.raises(SystemExit, match="finite number"):
            score.read_scores(path)


def test_it_measures_as_ipguard_eval_does():
    pytest.importorskip("sklearn", reason="the extra 'train' is not installed")
    from ipguard.catalogue.store import Catalogue
    from ipguard.evaluation.data import Example
    from ipguard.evaluation.scores import Scores
    from ipguard.evaluation.written import Ruler, answers, pair_slices, written_slices

    rows = load.written()
    generator = np.random.default_rng(0)
    risk = generator.random(len(rows)) * 0.7 + 0.3 * np.array([row.label == "yes" for row in rows])
    found = score.evaluate({row.id: float(r) for row, r in zip(rows, risk, strict=True)}, {})
    examples = [Example(r.text, r.label, works=r.works, lang=r.lang, slice=r.slice, pair=r.pair) for r in rows]
    clean = risk[[row.slice == "clean" for row in rows]]
    scores = Scores(risk, (None,) * len(rows))
    at = float(np.nextafter(found["threshold"], 1))
    ruler = Ruler(clean, at, at, rounds=20)
    own = {
        p.name: p for p in written_slices(examples, scores, answers(Catalogue({}), examples), ruler, by_language=False)
    }
    for name, part in own.items():
        theirs = found["slices"][name]
        assert theirs["rows"] == part.rows
        assert theirs["flagged"] == pytest.approx(
            [part.figures["reviewed"].value, part.figures["reviewed"].low, part.figures["reviewed"].high], abs=1e-4
        )
        if "recall@1%" in part.figures:
            assert theirs["recall@1%"][0] == pytest.approx(part.figures["recall@1%"].value, abs=1e-4)
    pairs = {p.name: p for p in pair_slices(examples, scores, at)}
    assert found["pairs"]["look-alike"]["yes higher"][0] == pytest.approx(
        pairs["look-alike pairs"].figures["yes higher"].value, abs=1e-4
    )
    assert found["pairs"]["homograph"]["told apart"][0] == pytest.approx(
        pairs["homograph pairs"].figures["told apart"].value, abs=1e-4
    )
