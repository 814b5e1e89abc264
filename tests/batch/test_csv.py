"""CSV files as people have them; nothing is lost."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard.batch.engine import Options, score_file
from ipguard.batch.results import COLUMNS
from ipguard.errors import BatchError, InvalidArgumentError
from tests.batch.conftest import csv_bytes, read_csv, read_jsonl

RISK, DECISION, MATCHES = (COLUMNS.index(f"ipguard_{name}") for name in ("risk", "decision", "matches"))
HERE = Options(workers=0)


def test_columns_and_order_are_kept(tmp_path, guard):
    rows = [
        ["id", "prompt", "note"],
        ["7", "Pikachu in the rain", "x"],
        ["3", "a lake", ""],
        ["5", 'He said "Pikachu"\nand left, slowly', "é"],
    ]
    (tmp_path / "in.csv").write_bytes(csv_bytes(rows))
    summary = score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read_csv(tmp_path / "out.csv")
    assert out[0] == [*rows[0], *COLUMNS]
    assert [row[:3] for row in out[1:]] == rows[1:]
    assert (summary.rows, summary.whole) == (3, True)
    assert [row[3 + DECISION] != "allow" for row in out[1:]] == [True, False, True]
    for row in out[1:]:
        for match in json.loads(row[3 + MATCHES]):
            assert row[1][match["start"] : match["end"]] == match["text"]
    assert float(out[1][3 + RISK]) == pytest.approx(guard.score("Pikachu in the rain").risk, abs=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(tmp_path, guard, encoding, delimiter):
    rows = [["番号", "prompt", "a,b;c"], ["1", "ピカチュウが雨の街を歩く, 4k; 8k", "é" if "utf" in encoding else "e"]]
    (tmp_path / "in.csv").write_bytes(csv_bytes(rows, delimiter, encoding))
    score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read_csv(tmp_path / "out.csv", delimiter)
    assert [row[:3] for row in out] == rows
    assert out[1][3 + DECISION] in ("review", "block")


def test_words_that_look_missing_are_prompts_and_missing_cells_are_not(tmp_path, guard):
    (tmp_path / "in.csv").write_text('id,prompt\n1,None\n2,NA\n3,null\n4\n5,\n6," "\n', "utf-8")
    summary = score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read_csv(tmp_path / "out.csv")
    assert [row[1] for row in out[1:]] == ["None", "NA", "null", "", "", " "]
    assert [row[2 + RISK] == "" for row in out[1:]] == [False, False, False, True, True, False]
    assert float(out[6][2 + RISK]) == 0.0
    assert summary.decisions["unscored"] == 2
    assert not summary.whole


def test_a_large_cell(tmp_path, guard):
    (tmp_path / "in.csv").write_bytes(csv_bytes([["prompt"], ["a lake " * 150_000]]))
    score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv", HERE)
    assert read_csv(tmp_path / "out.csv")[1][1 + DECISION] == "review"


def test_bad_rows_are_set_aside_and_the_rest_is_scored(tmp_path, guard):
    body = b"id,prompt\n1,a lake\n2,one,too many\n3,caf\xe9 of Pikachu\n4,Pikachu\n" + "5,ピカ\n".encode() * 30
    (tmp_path / "in.csv").write_bytes(body + b'6,"never closed\n7,a lake\n')
    summary = score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [row[0] for row in read_csv(tmp_path / "out.csv")[1:]] == ["1", "4", *["5"] * 30]
    rejects = read_jsonl(tmp_path / "out.csv.rejects.jsonl")
    assert [(r["row"], r["content"][:1]) for r in rejects] == [(2, "2"), (3, "3"), (35, "6")]
    reasons = [r["reason"] for r in rejects]
    assert "3 cells where the header has 2" in reasons[0]
    assert "encoding" in reasons[1]
    assert "never closed" in reasons[2]
    assert "7,a lake" in rejects[2]["content"]
    assert (summary.rejected, summary.whole) == (3, False)


def test_old_rejects_do_not_stay(tmp_path, guard):
    (tmp_path / "in.csv").write_text("prompt\na,b\n")
    score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv.rejects.jsonl").is_file()
    (tmp_path / "in.csv").write_text("prompt\na\n")
    score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv.rejects.jsonl").exists()


def test_formulas_are_disarmed_only_if_asked_for(tmp_path, guard):
    rows = [["prompt", "note"], ["=1+1", "-2"], ["@lake", "+3"]]
    (tmp_path / "in.csv").write_bytes(csv_bytes(rows))
    score_file(guard, tmp_path / "in.csv", tmp_path / "plain.csv")
    assert [row[:2] for row in read_csv(tmp_path / "plain.csv")] == rows
    score_file(guard, tmp_path / "in.csv", tmp_path / "safe.csv", Options(excel_safe=True))
    safe = read_csv(tmp_path / "safe.csv", encoding="utf-8-sig")
    assert (tmp_path / "safe.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row[:2] for row in safe] == [["prompt", "note"], ["'=1+1", "'-2"], ["'@lake", "'+3"]]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in safe for cell in row)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"id,text\n1,a\n", {}, "no column 'prompt'"),
        (b"", {}, "no column"),
        (b"prompt,prompt\na,b\n", {}, "more than one column"),
        (b"prompt,ipguard_risk\na,1\n", {}, "already has a column"),
        (b"prompt\n\x81\xff\xff\n", {}, "neither UTF-8"),
        ("prompt\nlake\n".encode("utf-16-le")[:-1], {"encoding": "utf-16-le"}, "not text in utf-16-le"),
    ],
)
def test_bad_files_leave_nothing_behind(tmp_path, guard, content, options, message):
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(BatchError, match=message):
        score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv", Options(**options))
    assert not (tmp_path / "out.csv").exists()


def test_missing_input_same_output_and_bad_options(tmp_path, guard):
    with pytest.raises(BatchError, match="no such file"):
        score_file(guard, tmp_path / "none.csv", tmp_path / "out.csv")
    (tmp_path / "in.csv").write_text("prompt\na\n")
    with pytest.raises(BatchError, match="another file"):
        score_file(guard, tmp_path / "in.csv", tmp_path / "in.csv")
    with pytest.raises(BatchError, match="cannot be made"):
        score_file(guard, tmp_path / "in.csv", tmp_path / "nowhere" / "out.csv")
    for field, value in (("encoding", "klingon"), ("encoding", "zlib"), ("workers", -1), ("purpose", "dream")):
        with pytest.raises(InvalidArgumentError, match=field):
            score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv", Options(**{field: value}))
    with pytest.raises(InvalidArgumentError, match="path"):
        score_file(guard, tmp_path / "in.csv", tmp_path / "out.xlsx")


CELL = st.text(st.sampled_from(string.ascii_letters + " ,;\"\n\r\t'=+-@ピカ中é\0"), max_size=30)
MARKS = st.sampled_from([",", ";", "\t"])
CODECS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), MARKS, CODECS)
def test_no_row_is_lost(tmp_path, guard, rows, mark, codec):
    (tmp_path / "fuzz.csv").write_bytes(csv_bytes([["prompt", "other"], *map(list, rows)], mark, codec))
    summary = score_file(guard, tmp_path / "fuzz.csv", tmp_path / "fuzz_out.csv", Options(workers=0, encoding=codec))
    assert summary.rejected == 0
    assert [tuple(row[:2]) for row in read_csv(tmp_path / "fuzz_out.csv", mark)[1:]] == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.binary(max_size=200).map(lambda b: b.replace(b"\0", b"")))
def test_any_bytes_are_rows_or_rejects_or_an_error(tmp_path, guard, body):
    """A reader that knows nothing of ours finds as many records as are accounted for."""
    (tmp_path / "fuzz.csv").write_bytes(b"prompt,b\n" + body)
    options = Options(workers=0, encoding="latin-1")
    summary = score_file(guard, tmp_path / "fuzz.csv", tmp_path / "fuzz_out.csv", options)
    wanted = [row for row in read_csv(tmp_path / "fuzz.csv", encoding="latin-1")[1:] if row]
    assert summary.rows + summary.rejected == len(wanted)
