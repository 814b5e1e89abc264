"""CSV files as people have them; nothing is lost."""

import csv
import io
import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard.batch.csv_files import RESULTS, score_csv
from ipguard.errors import BatchError, InvalidArgumentError


def read(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


def write(path, rows, delimiter=",", encoding="utf-8"):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding))


def test_columns_and_order_are_kept(tmp_path, guard):
    rows = [
        ["id", "prompt", "note"],
        ["7", "Pikachu in the rain", "x"],
        ["3", "a lake", ""],
        ["5", 'He said "Pikachu"\nand left, slowly', "é"],
    ]
    write(tmp_path / "in.csv", rows)
    counts = score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read(tmp_path / "out.csv")
    assert out[0] == [*rows[0], *RESULTS]
    assert [row[:3] for row in out[1:]] == rows[1:]
    assert counts.rows == 3
    assert [row[4] != "allow" for row in out[1:]] == [True, False, True]
    for row in out[1:]:
        for match in json.loads(row[7]):
            assert row[1][match["start"] : match["end"]] == match["text"]
    assert float(out[1][3]) == pytest.approx(guard.score("Pikachu in the rain").risk, abs=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(tmp_path, guard, encoding, delimiter):
    write(tmp_path / "in.csv", [["番号", "prompt"], ["1", "ピカチュウが雨の街を歩く"]], delimiter, encoding)
    score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read(tmp_path / "out.csv", delimiter)
    assert out[1][:2] == ["1", "ピカチュウが雨の街を歩く"]
    assert out[1][4 - 1 + 0] != ""


def test_words_that_look_missing_are_prompts_and_missing_cells_are_not(tmp_path, guard):
    (tmp_path / "in.csv").write_text("id,prompt\n1,None\n2,NA\n3,null\n4\n5,\n", "utf-8")
    counts = score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    out = read(tmp_path / "out.csv")
    assert [row[1] for row in out[1:]] == ["None", "NA", "null", "", ""]
    assert counts.unscored == 1
    assert out[4][2] == "", "a missing cell has no risk"
    assert float(out[5][2]) == 0.0, "an empty prompt has risk 0"


def test_a_large_cell(tmp_path, guard):
    write(tmp_path / "in.csv", [["prompt"], ["a lake " * 150_000]])
    score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[1][2] == "review"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"id,text\n1,a\n", {}, "no column 'prompt'"),
        (b"", {}, "no column"),
        (b"prompt,ipguard_risk\na,1\n", {}, "already has a column"),
        (b"prompt\n\x81\xff\xff\n", {}, "neither UTF-8"),
        (b"prompt\n\x80\n", {"encoding": "utf-8"}, "not a CSV file in utf-8"),
    ],
)
def test_bad_files_leave_nothing_behind(tmp_path, guard, content, options, message):
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(BatchError, match=message):
        score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv", **options)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_missing_input_same_output_and_unknown_encoding(tmp_path, guard):
    with pytest.raises(BatchError, match="no such file"):
        score_csv(guard, tmp_path / "none.csv", tmp_path / "out.csv")
    write(tmp_path / "in.csv", [["prompt"], ["a"]])
    with pytest.raises(BatchError, match="another file"):
        score_csv(guard, tmp_path / "in.csv", tmp_path / "in.csv")
    with pytest.raises(BatchError, match="cannot be written"):
        score_csv(guard, tmp_path / "in.csv", tmp_path / "nowhere" / "out.csv")
    with pytest.raises(InvalidArgumentError, match="encoding"):
        score_csv(guard, tmp_path / "in.csv", tmp_path / "out.csv", encoding="klingon")


CELL = st.text(st.sampled_from(string.ascii_letters + " ,;\"\n\r\t'=+-@ピカ中é"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_no_row_is_lost(tmp_path, guard, rows):
    write(tmp_path / "fuzz.csv", [["prompt", "other"], *map(list, rows)])
    score_csv(guard, tmp_path / "fuzz.csv", tmp_path / "fuzz_out.csv", encoding="utf-8")
    assert [tuple(row[:2]) for row in read(tmp_path / "fuzz_out.csv")[1:]] == rows
