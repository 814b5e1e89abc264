"""Scoring on a cluster with Ray Data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipguard.batch.engine import Options, Summary
from ipguard.batch.files import kind_of
from ipguard.batch.frames import check_columns
from ipguard.batch.results import columns
from ipguard.batch.results import schema as result_schema
from ipguard.batch.workers import GuardMaker, column_results, maker
from ipguard.errors import BatchError, InvalidArgumentError, MissingExtraError
from ipguard.guard import Guard, Purpose

if TYPE_CHECKING:
    import pyarrow as pa
    import ray.data

BATCH_ROWS = 2048


class Worker:
    """An actor: it loads the model once and scores tables.

    Parameters
    ----------
    make
        Makes the guard; a guard itself travels as paths and settings.
    column, purpose
        As for :func:`score_dataset`.
    version
        Versions of model and catalogue that every actor must have, or None.
    """

    def __init__(self, make: GuardMaker, column: str, purpose: Purpose | None, version: tuple[str, str] | None) -> None:
        self._guard, self._column, self._purpose = make(), column, purpose
        found = (self._guard.model_version, self._guard.catalogue_version)
        if version is not None and found != version:
            raise BatchError(f"An actor has {' and '.join(found)} where the driver has {' and '.join(version)}.")

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the table with the results as further columns."""
        texts = table.column(self._column).to_pylist()
        found = columns(column_results(self._guard, texts, self._purpose))
        for field, values in zip(result_schema(), found, strict=True):
            table = table.append_column(field, values)
        return table


def _ray() -> Any:  # noqa: ANN401 - a module without types
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("Scoring with Ray", "ray") from None
    return ray


def score_dataset(
    dataset: ray.data.Dataset,
    column: str = "prompt",
    *,
    guard: Guard | GuardMaker | None = None,
    purpose: Purpose | None = None,
    actors: int | tuple[int, int] | None = None,
    check_versions: bool = True,
) -> ray.data.Dataset:
    """Return a Ray dataset with the results as further columns.

    Parameters
    ----------
    dataset
        Rows of any columns; they are all kept, as are the order of rows within a block.
    column
        Where the prompts are; strings and nulls.
    guard
        A guard, which travels as paths and settings, or what makes one in each actor; the default one if None.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.
    actors
        Number of actors, or the fewest and the most. At most one a core of the cluster but for one core, which the
        tasks that read need; None for as many.
    check_versions
        Refuse to score where an actor's model or catalogue differs from the driver's.

    Returns
    -------
    ray.data.Dataset
        Lazy, as Ray's are.

    Raises
    ------
    InvalidArgumentError
        If the dataset lacks the column or has results already.
    MissingExtraError
        If Ray is not installed.
    """
    ray = _ray()
    names = list(dataset.columns() or ())
    check_columns(column, names, "dataset")
    make = maker(Guard if guard is None else guard)
    version = None
    if check_versions:
        driver = make()
        version = (driver.model_version, driver.catalogue_version)
    # Actors on every core would leave none for the tasks that read, and wait for rows for ever.
    spare = int(ray.cluster_resources().get("CPU", 1)) - 1
    return dataset.map_batches(
        Worker,
        fn_constructor_args=(make, column, purpose, version),
        batch_size=BATCH_ROWS,
        batch_format="pyarrow",
        compute=_pool(ray, actors, max(1, spare)),
        num_cpus=0 if spare < 1 else 1,
    )


def _pool(ray: Any, actors: int | tuple[int, int] | None, most: int) -> Any:  # noqa: ANN401
    low, high = (actors, actors) if isinstance(actors, int) else actors or (most, most)
    if not 1 <= low <= high:
        raise InvalidArgumentError("actors", "be at least 1, the fewest first", actors)
    return ray.data.ActorPoolStrategy(min_size=min(low, most), max_size=min(high, most))


def score_path(guard: Guard | GuardMaker, source: str, target: str, options: Options) -> Summary:
    """Score Parquet files on the Ray cluster that is running, or on one started here.

    Parameters
    ----------
    guard
        As for :func:`score_dataset`.
    source
        Parquet file, folder or pattern, on a file system that Ray reads (local, ``s3://``, ``gs://``, ``hdfs://``).
    target
        Folder for Parquet files, on such a file system.
    options
        Column, purpose and workers (the number of actors); the rest is for local runs.

    Returns
    -------
    Summary
        Rows by decision.

    Raises
    ------
    BatchError
        If the files cannot be read or written, or the source is no Parquet.
    """
    ray = _ray()
    bare = Path(source.rsplit("/", 1)[-1])
    if bare.suffix and "*" not in bare.name and (found := kind_of(bare).format) != "parquet":
        raise BatchError(f"Ray reads Parquet; {source} is {found}.")
    if options.resume:
        raise InvalidArgumentError("resume", "be used without Ray, which keeps no journal", True)  # noqa: FBT003
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    try:
        data = ray.data.read_parquet(source)
        actors = options.workers or None
        scored = score_dataset(data, options.column, guard=guard, purpose=options.purpose, actors=actors)
        scored = scored.materialize()
        scored.write_parquet(target)
        groups = scored.groupby("ipguard_decision").count().take_all()
    except (OSError, ray.exceptions.RayError) as error:
        raise BatchError(f"{source} cannot be scored with Ray: {error}") from None
    summary = Summary()
    summary.add({str(row["ipguard_decision"] or "unscored"): int(row["count()"]) for row in groups}, 0)
    return summary
