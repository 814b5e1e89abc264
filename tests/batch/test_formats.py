"""JSON Lines, Parquet, compression, folders, patterns, datasets, standard input and output."""

import gzip
import io
import json
import sys

import pytest

from ipguard.batch.engine import Options, score_file
from ipguard.batch.files import kind_of
from ipguard.batch.many import score_inputs
from ipguard.batch.results import COLUMNS
from ipguard.errors import BatchError, InvalidArgumentError
from tests.batch.conftest import csv_bytes, read_csv, read_jsonl

pa = pytest.importorskip("pyarrow", reason="needs the extra 'batch'")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'batch'")
zstandard = pytest.importorskip("zstandard", reason="needs the extra 'batch'")
FLAGGED = [True, False, None, True, False, True]


def flags(decisions):
    return [None if d is None else d != "allow" for d in decisions]


def test_parquet_keeps_types_nulls_and_metadata(tmp_path, guard, prompts):
    table = pa.table(
        {
            "n": pa.array([1, None, 3, 4, 5, 6], pa.int16()),
            "prompt": pa.array(prompts, pa.large_string()),
            "when": pa.array([0, 1, 2, 3, 4, None], pa.timestamp("us", "Asia/Tokyo")),
            "tags": pa.array([["a"], [], None, ["b", "c"], [], []], pa.list_(pa.string())),
        }
    ).replace_schema_metadata({"made_by": "test"})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=4)
    summary = score_file(guard, tmp_path / "in.parquet", tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.select(table.column_names).equals(table)
    assert out.schema.metadata[b"made_by"] == b"test"
    assert flags(out["ipguard_decision"].to_pylist()) == FLAGGED
    assert out["ipguard_risk"].null_count == out["ipguard_works"].null_count == 1
    assert out["ipguard_works"][0].as_py() == ["pokemon"]
    assert summary.decisions["unscored"] == 1


def test_json_lines_are_kept_to_the_letter(tmp_path, guard):
    lines = [
        '{"prompt": "Pikachu", "n": 1.0, "big": 12345678901234567890, "e": 1E+2}',
        '{ "deep": {"a": [1, null]}, "prompt": null }',
        '{"other": "no prompt"}',
        '{"prompt": "a \\u3042 lake"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n\n", "utf-8")
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    written = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [line.startswith(given.rstrip(" }")) for line, given in zip(written, lines, strict=True)] == [True] * 4
    rows = [json.loads(line) for line in written]
    assert flags(r["ipguard_decision"] for r in rows) == [True, None, None, False]
    assert rows[0]["ipguard_works"] == ["pokemon"]
    assert rows[0]["ipguard_matches"][0]["text"] == "Pikachu"


def test_bad_lines_are_set_aside(tmp_path, guard):
    lines = ['{"prompt": "a"}', "{broken", "[1]", '{"prompt": 7}', '{"prompt": "b"}', "[" * 100_000]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    summary = score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [r["prompt"] for r in read_jsonl(tmp_path / "out.jsonl")] == ["a", "b"]
    assert [r["row"] for r in read_jsonl(tmp_path / "out.jsonl.rejects.jsonl")] == [2, 3, 4, 6]
    assert summary.rejected == 4


def test_rows_that_an_output_cannot_hold_are_set_aside(tmp_path, guard, monkeypatch):
    monkeypatch.setattr("ipguard.batch.rows.CHUNK_ROWS", 2)
    rows = [{"prompt": "a", "n": 1}, {"prompt": "b", "n": 2}, {"prompt": "c", "n": "x"}, {"prompt": "d", "more": 1}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["n"].to_pylist() == [1, 2]
    rejects = read_jsonl(tmp_path / "out.parquet.rejects.jsonl")
    assert [(r["row"], json.loads(r["content"])["prompt"]) for r in rejects] == [(3, "c"), (4, "d")]
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.csv")
    assert [row[1] for row in read_csv(tmp_path / "out.csv")[1:]] == ["1", "2", "x"]


@pytest.mark.parametrize("source", ["in.csv", "in.tsv.gz", "in.jsonl.zst", "in.parquet"])
@pytest.mark.parametrize("target", ["out.csv.gz", "out.jsonl", "out.parquet", "out.tsv.zst"])
def test_every_kind_to_every_kind(tmp_path, guard, prompts, source, target):
    path = tmp_path / source
    texts = [p for p in prompts if p]
    if source.endswith("parquet"):
        pq.write_table(pa.table({"prompt": texts, "n": list(range(5))}), path)
    elif "jsonl" in source:
        body = "\n".join(json.dumps({"prompt": t, "n": at}) for at, t in enumerate(texts)).encode()
        path.write_bytes(zstandard.ZstdCompressor().compress(body))
    else:
        body = csv_bytes(
            [["prompt", "n"], *([t, str(at)] for at, t in enumerate(texts))], "\t" if "tsv" in source else ","
        )
        path.write_bytes(gzip.compress(body) if source.endswith("gz") else body)
    score_file(guard, path, tmp_path / target)
    out = tmp_path / target
    if target.endswith("parquet"):
        rows = pq.read_table(out).to_pylist()
    else:
        data = out.read_bytes()
        data = gzip.decompress(data) if target.endswith("gz") else data
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data) if target.endswith("zst") else data
        (tmp_path / "plain").write_bytes(data)
        if "jsonl" in target:
            rows = read_jsonl(tmp_path / "plain")
        else:
            cells = read_csv(tmp_path / "plain", "\t" if "tsv" in target or "tsv" in source else ",")
            rows = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
    assert [row["prompt"] for row in rows] == texts
    assert [str(row["n"]) for row in rows] == ["0", "1", "2", "3", "4"]
    assert flags(row["ipguard_decision"] for row in rows) == [True, False, True, False, True]


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.parquet.gz", "a.gz"])
def test_kinds_that_are_not_known(tmp_path, name):
    with pytest.raises(InvalidArgumentError, match="path"):
        kind_of(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv.gz", gzip.compress(b"prompt\na\n")[:-5]),
        ("a.csv.gz", b"not gzip"),
        ("a.csv.zst", b"not zstandard"),
        ("a.parquet", b"not parquet"),
        ("a.parquet", b"PAR1"),
    ],
)
def test_damaged_files_are_errors(tmp_path, guard, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BatchError, match=name.replace(".", r"\.")):
        score_file(guard, tmp_path / name, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_column_of_numbers_is_refused(tmp_path, guard):
    pq.write_table(pa.table({"prompt": [1, 2]}), tmp_path / "in.parquet")
    with pytest.raises(BatchError, match="must hold strings"):
        score_file(guard, tmp_path / "in.parquet", tmp_path / "out.parquet")


def test_no_rows(tmp_path, guard):
    pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), tmp_path / "in.parquet")
    score_file(guard, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").column_names == ["prompt", *COLUMNS]
    (tmp_path / "in.csv").write_text("prompt\n")
    score_file(guard, tmp_path / "in.csv", tmp_path / "out.csv")
    assert read_csv(tmp_path / "out.csv") == [["prompt", *COLUMNS]]
    (tmp_path / "in.jsonl").write_text("")
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_a_folder_and_a_pattern(tmp_path, guard):
    for name in ("in/a.csv", "in/deep/b.jsonl", "in/.hidden/c.csv", "in/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"prompt": "a"}\n' if name.endswith("jsonl") else "prompt\na\n")
    assert score_inputs(guard, str(tmp_path / "in"), tmp_path / "out").rows == 2
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")) == [
        "a.csv", "deep/b.jsonl",
    ]  # fmt: skip
    score_inputs(guard, f"{tmp_path}/in/**/*.csv", tmp_path / "out2", target_format="jsonl")
    assert (tmp_path / "out2" / "a.jsonl").is_file()
    with pytest.raises(BatchError, match="must be a folder"):
        score_inputs(guard, str(tmp_path / "in"), tmp_path / "one.csv")
    with pytest.raises(BatchError, match="holds no file"):
        score_inputs(guard, f"{tmp_path}/in/*.parquet", tmp_path / "out3")
    with pytest.raises(BatchError, match="no such file"):
        score_inputs(guard, str(tmp_path / "nothing.csv"), tmp_path / "out3")


def test_finished_files_of_a_folder_are_not_done_again(tmp_path, guard):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("prompt\na\n")
    score_inputs(guard, str(tmp_path / "in"), tmp_path / "out")
    stamp = (tmp_path / "out" / "a.csv").stat().st_mtime_ns
    (tmp_path / "in" / "b.csv").write_text("prompt\nb\n")
    assert score_inputs(guard, str(tmp_path / "in"), tmp_path / "out", Options(resume=True)).rows == 1
    assert (tmp_path / "out" / "a.csv").stat().st_mtime_ns == stamp


def test_standard_input_and_output(guard, monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("prompt;n\nピカチュウ;1\na;b;c\n".encode())))
    summary = score_file(guard, "-", "-")
    out, err = capsysbinary.readouterr()
    lines = out.decode().splitlines()
    assert lines[0] == ";".join(["prompt", "n", *COLUMNS])
    assert lines[1].startswith("ピカチュウ;1;")
    assert json.loads(err)["row"] == 2
    assert (summary.rows, summary.rejected) == (1, 1)


def test_standard_streams_have_limits(guard, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"prompt\na\n")))
    with pytest.raises(BatchError, match="standard input"):
        score_file(guard, "-", "-", source_format="parquet")
    with pytest.raises(InvalidArgumentError, match="resume"):
        score_file(guard, "-", "-", Options(resume=True))


def test_a_dataset(tmp_path, guard, prompts):
    datasets = pytest.importorskip("datasets", reason="needs the extra 'batch'")
    data = datasets.Dataset.from_dict({"prompt": prompts, "n": list(range(6))})
    data.save_to_disk(tmp_path / "saved")
    datasets.DatasetDict({"test": data, "train": data.select([0])}).save_to_disk(tmp_path / "splits")
    score_inputs(guard, f"dataset:{tmp_path / 'saved'}", tmp_path / "out.parquet")
    assert flags(pq.read_table(tmp_path / "out.parquet")["ipguard_decision"].to_pylist()) == FLAGGED
    assert score_inputs(guard, f"dataset:{tmp_path / 'splits'}@test", tmp_path / "a.csv").rows == 6
    assert score_inputs(guard, f"dataset:{tmp_path / 'splits'}", tmp_path / "b.csv").rows == 1
    with pytest.raises(BatchError, match="no split 'dev'"):
        score_inputs(guard, f"dataset:{tmp_path / 'splits'}@dev", tmp_path / "c.csv")
    with pytest.raises(BatchError, match="cannot be loaded"):
        score_inputs(guard, f"dataset:{tmp_path / 'none'}", tmp_path / "c.csv")
