"""Data frames keep their kind, index and types."""

import pickle

import pytest

from ipguard.batch.frames import mapper, score_frame
from ipguard.batch.results import COLUMNS
from ipguard.errors import InvalidArgumentError

pytest.importorskip("narwhals", reason="needs the extra 'batch'")


def test_pandas(guard, prompts):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"prompt": prompts, "n": range(6)}, index=list("abcdef"))
    out = score_frame(frame, guard=guard)
    assert isinstance(out, pandas.DataFrame)
    assert list(out.columns) == ["prompt", "n", *COLUMNS]
    assert list(out.index) == list("abcdef")
    assert out["n"].dtype == frame["n"].dtype
    assert out["ipguard_risk"].dtype == float
    assert out["ipguard_risk"].isna().tolist() == [False, False, True, False, False, False]
    assert out.loc["a", "ipguard_works"] == ["pokemon"]
    assert out["ipguard_decision"].isna().sum() == 1
    assert list(frame.columns) == ["prompt", "n"], "the input is not changed"


def test_polars(guard, prompts):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    out = score_frame(polars.DataFrame({"text": prompts}), "text", guard=guard)
    assert out.columns == ["text", *COLUMNS]
    assert out.schema["ipguard_works"] == polars.List(polars.String)
    assert out["ipguard_risk"].null_count() == 1
    assert out["ipguard_works"][0].to_list() == ["pokemon"]


def test_arrow(guard, prompts):
    arrow = pytest.importorskip("pyarrow", reason="needs the extra 'batch'")
    out = score_frame(arrow.table({"prompt": prompts}), guard=guard)
    assert out.column_names == ["prompt", *COLUMNS]
    assert out["ipguard_risk"].null_count == 1
    assert out["ipguard_works"][0].as_py() == ["pokemon"]


def test_no_rows(guard):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    out = score_frame(polars.DataFrame({"prompt": []}, schema={"prompt": polars.String}), guard=guard)
    assert out.shape == (0, 1 + len(COLUMNS))


@pytest.mark.parametrize(
    ("data", "column", "argument"),
    [
        ({"prompt": ["a"]}, "text", "column"),
        ({"prompt": [1]}, "prompt", "column"),
        ({"prompt": ["a"], "ipguard_risk": [0.0]}, "prompt", "frame"),
    ],
)
def test_what_is_refused(guard, data, column, argument):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    with pytest.raises(InvalidArgumentError, match=argument):
        score_frame(polars.DataFrame(data), column, guard=guard)
    with pytest.raises(InvalidArgumentError, match="frame"):
        score_frame(data, column, guard=guard)


def test_a_map_over_a_dataset(guard, prompts):
    datasets = pytest.importorskip("datasets", reason="needs the extra 'batch'")
    data = datasets.Dataset.from_dict({"prompt": prompts})
    function = mapper(guard=guard)
    out = data.map(function, batched=True, batch_size=4)
    assert out.column_names == ["prompt", *COLUMNS]
    assert out["ipguard_works"][0] == ["pokemon"]
    assert out["ipguard_risk"][2] is None
    assert pickle.loads(pickle.dumps(function))({"prompt": ["Pikachu"]})["ipguard_decision"] == ["block"]  # noqa: S301
