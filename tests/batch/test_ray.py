"""Ray Data on a local cluster gives the same rows as one process and as several."""

import pytest

from ipguard.batch.engine import Options, score_file
from ipguard.batch.results import COLUMNS
from ipguard.errors import BatchError, InvalidArgumentError

pa = pytest.importorskip("pyarrow", reason="needs the extra 'batch'")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'batch'")
ray = pytest.importorskip("ray", reason="needs the extra 'ray'")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Ray and its dependencies warn of their own
]


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "in").mkdir()
    for part in range(3):
        texts = [f"{word} {part} {n}" for n in range(40) for word in ("Pikachu", "a lake", "ルフィ", None)]
        texts = [None if text.startswith("None") else text for text in texts]
        ids = [part * 1000 + n for n in range(len(texts))]
        pq.write_table(pa.table({"id": ids, "prompt": texts}), tmp_path / "in" / f"{part}.parquet")
    return tmp_path


def rows_of(path):
    rows = pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: row["id"])


def test_one_worker_several_and_ray_agree(files, guard, cluster):
    from ipguard.batch.ray import score_path

    whole = pa.concat_tables(pq.read_table(files / "in" / f"{n}.parquet") for n in range(3))
    pq.write_table(whole, files / "whole.parquet")
    score_file(guard, files / "whole.parquet", files / "one.parquet", Options(workers=1))
    score_file(guard, files / "whole.parquet", files / "two.parquet", Options(workers=2))
    summary = score_path(guard, str(files / "in"), str(files / "ray"), Options(workers=2))
    assert rows_of(files / "one.parquet") == rows_of(files / "two.parquet") == rows_of(files / "ray")
    assert summary.rows == 480
    assert summary.decisions["unscored"] == 120
    types = pq.read_schema(next((files / "ray").glob("*.parquet")))
    assert types.field("ipguard_works").type == pq.read_schema(files / "one.parquet").field("ipguard_works").type


def test_a_dataset_keeps_its_columns(files, guard, cluster):
    from ipguard.batch.ray import score_dataset

    data = ray.data.read_parquet(str(files / "in"))
    out = score_dataset(data, guard=guard, actors=1)
    assert out.columns() == ["id", "prompt", *COLUMNS]
    with pytest.raises(InvalidArgumentError, match="column"):
        score_dataset(data, "text", guard=guard)
    with pytest.raises(InvalidArgumentError, match="actors"):
        score_dataset(data, guard=guard, actors=0)
    with pytest.raises(InvalidArgumentError, match="results already"):
        score_dataset(out, guard=guard)


def test_what_ray_does_not_do(tmp_path, guard):
    from ipguard.batch.ray import score_path

    with pytest.raises(BatchError, match="Parquet"):
        score_path(guard, str(tmp_path / "a.csv"), str(tmp_path / "out"), Options())
    with pytest.raises(InvalidArgumentError, match="resume"):
        score_path(guard, str(tmp_path), str(tmp_path / "out"), Options(resume=True))


def test_an_actor_with_another_catalogue_refuses():
    from ipguard.batch.ray import Worker
    from ipguard.guard import Guard

    with pytest.raises(BatchError, match="where the driver has"):
        Worker(Guard, "prompt", None, ("another", "version"))
