"""Several inputs: patterns, folders, and datasets of the ``datasets`` library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from ipguard.batch.engine import Job, Options, Progress, Summary, run, score_file
from ipguard.batch.files import FORMATS, STANDARD, kind_of
from ipguard.batch.rows import CHUNK_ROWS
from ipguard.batch.sources import ArrowSource, Source
from ipguard.batch.workers import GuardMaker, cores
from ipguard.errors import BatchError, InvalidArgumentError, MissingExtraError
from ipguard.guard import Guard

DATASET = "dataset:"
"""Before the name or folder of a dataset; ``@split`` may stand behind it."""


def inputs_of(source: str) -> list[Path]:
    """Return the files that an input means.

    Parameters
    ----------
    source
        A file, ``-``, a folder or a pattern.

    Returns
    -------
    list of Path
        Sorted; one for a file.

    Raises
    ------
    BatchError
        If a folder or pattern holds no file of a known kind.
    """
    path = Path(source)
    if path == STANDARD or path.is_file():
        return [path]
    if path.is_dir():
        found = [entry for entry in path.rglob("*") if entry.is_file() and not _hidden(entry.relative_to(path))]
    elif has_magic(source):
        found = [Path(entry) for entry in glob(source, recursive=True) if Path(entry).is_file()]  # noqa: PTH207 - absolute patterns too
    else:
        raise BatchError(f"{source} cannot be read: no such file.")
    files = sorted(entry for entry in found if _known(entry))
    if not files:
        raise BatchError(f"{source} holds no file of a kind that is read: {', '.join(FORMATS)}.")
    return files


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts) or path.name.endswith(".rejects.jsonl")


def _known(path: Path) -> bool:
    try:
        kind_of(path)
    except InvalidArgumentError:
        return False
    return not _hidden(Path(path.name))


def score_inputs(
    guard: Guard | GuardMaker,
    source: str,
    target: str | Path,
    options: Options | None = None,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    progress: Callable[[Progress], None] = lambda _state: None,
) -> Summary:
    """Score whatever an input means: a file, a folder or pattern of files, or a dataset.

    Parameters
    ----------
    guard
        A guard, or what makes one in each process.
    source
        A file, ``-``, a folder, a pattern such as ``logs/*.csv.gz``, or ``dataset:NAME_OR_FOLDER[@split]``.
    target
        A file; a folder if the source is several files, which keep their names and places there.
    options, source_format, target_format, progress
        As for :func:`~ipguard.batch.engine.score_file`.

    Returns
    -------
    Summary
        Of all files together.

    Raises
    ------
    BatchError
        As for :func:`~ipguard.batch.engine.score_file`; also if several files are to go into one.
    """
    options = options or Options()
    given = partial(score_file, guard, options=options, source_format=source_format, progress=progress)
    if source.startswith(DATASET):
        return _score_dataset(guard, source.removeprefix(DATASET), Path(target), options, target_format, progress)
    files = inputs_of(source)
    if files == [Path(source)]:
        return given(files[0], target, target_format=target_format)
    folder, base = Path(target), _base(source)
    if folder == STANDARD or folder.is_file() or _known(folder):
        raise BatchError(f"{source} is {len(files)} files; their output must be a folder, not {target}.")
    total = Summary()
    for file in files:
        out = folder / file.relative_to(base)
        if target_format:
            out = out.with_name(f"{out.name.split('.')[0]}.{target_format}")
        out.parent.mkdir(parents=True, exist_ok=True)
        # A file that is there was finished: outputs appear whole.
        if options.resume and out.is_file():
            continue
        done = given(file, out, target_format=target_format)
        total.add(dict(done.decisions), done.rejected)
    return total


def _base(source: str) -> Path:
    path = Path(source)
    if path.is_dir():
        return path
    plain = []
    for part in path.parts:
        if has_magic(part):
            break
        plain.append(part)
    return Path(*plain)


@contextmanager
def open_dataset(name: str, column: str) -> Iterator[Source]:
    """Open a dataset of the ``datasets`` library for reading rows.

    Parameters
    ----------
    name
        A name on the hub, a folder of data files or one written by ``save_to_disk``; ``@split`` behind it, else
        the only split or ``train``.
    column
        Where the prompts are.

    Yields
    ------
    Source
        Its rows. A name on the hub is fetched, since it was asked for.

    Raises
    ------
    BatchError
        If it cannot be loaded, or has no such split.
    MissingExtraError
        If ``datasets`` is not installed.
    """
    data = _loaded(*_split(name))
    table = data.with_format("arrow")
    tables = (table[at : at + CHUNK_ROWS] for at in range(0, len(data), CHUNK_ROWS))
    yield ArrowSource(data.features.arrow_schema, tables, column, len(data))


def _split(name: str) -> tuple[str, str | None]:
    head, mark, split = name.rpartition("@")
    return (head, split) if mark and head and "/" not in split else (name, None)


def _loaded(name: str, split: str | None) -> Any:  # noqa: ANN401 - a datasets.Dataset
    try:
        import datasets
    except ImportError:
        raise MissingExtraError("Reading a dataset", "batch") from None
    folder = Path(name)
    saved = (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()
    try:
        data = datasets.load_from_disk(name) if saved else datasets.load_dataset(name)
    except Exception as error:  # noqa: BLE001 - the library raises errors of many libraries
        raise BatchError(f"The dataset {name} cannot be loaded: {type(error).__name__}: {error}") from None
    if not isinstance(data, datasets.DatasetDict):
        return data
    splits = list(data)
    wanted = split or (splits[0] if len(splits) == 1 else "train")
    if wanted not in data:
        raise BatchError(f"The dataset {name} has no split {wanted!r}; it has {', '.join(splits)}.")
    return data[wanted]


def _score_dataset(
    guard: Guard | GuardMaker,
    name: str,
    target: Path,
    options: Options,
    target_format: str | None,
    progress: Callable[[Progress], None],
) -> Summary:
    kind = kind_of(target, target_format)
    workers = cores() if options.workers is None else options.workers
    opening = partial(open_dataset, name, options.column)
    job = Job(opening, target, kind, replace(options, workers=workers), {"source": f"{DATASET}{name}"})
    return run(guard, job, progress)
