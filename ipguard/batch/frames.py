"""Data frames of pandas, polars and pyarrow, and maps over ``datasets``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ipguard.batch.results import COLUMNS
from ipguard.batch.workers import column_results
from ipguard.errors import InvalidArgumentError, MissingExtraError
from ipguard.guard import Guard, Purpose, default_guard

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame

    FrameT = TypeVar("FrameT", bound=IntoDataFrame)
else:
    FrameT = TypeVar("FrameT")


def score_frame(
    frame: FrameT, column: str = "prompt", *, guard: Guard | None = None, purpose: Purpose | None = None
) -> FrameT:
    """Return a data frame with the results as further columns.

    Parameters
    ----------
    frame
        An eager frame of pandas, polars or pyarrow (or another that narwhals knows).
    column
        Where the prompts are.
    guard
        Scores; the shared one if None.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.

    Returns
    -------
    frame
        Of the same kind, with the columns of :data:`~ipguard.batch.results.COLUMNS` behind those it had; null where
        the prompt is missing. The index of a pandas frame is kept.

    Raises
    ------
    InvalidArgumentError
        If it is no such frame, lacks the column, holds anything but strings and nulls there, or has results already.
    MissingExtraError
        If narwhals is not installed.
    """
    try:
        import narwhals as nw
    except ImportError:
        raise MissingExtraError("Scoring a data frame", "batch") from None
    try:
        wrapped = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise InvalidArgumentError("frame", "be a data frame of pandas, polars or pyarrow", type(frame)) from None
    check_columns(column, wrapped.columns, "frame")
    texts = [None if _missing(value) else value for value in wrapped[column].to_list()]
    found = score_values(texts, guard, purpose)
    lists = nw.List(nw.String())
    kinds: dict[str, Any] = {
        name: nw.Float64() if name.endswith("risk") else lists if name.endswith(("works", "holders")) else nw.String()
        for name in COLUMNS
    }
    if wrapped.implementation.is_pandas_like():
        # pandas holds lists as objects unless it is backed by Arrow.
        kinds = {name: kind for name, kind in kinds.items() if kind != lists}
    native = nw.get_native_namespace(wrapped)
    series = [nw.new_series(name, found[name], kinds.get(name), backend=native) for name in COLUMNS]
    if wrapped.implementation.is_pandas_like():
        index = nw.maybe_get_index(wrapped)
        series = [nw.maybe_set_index(one, index=index) for one in series]
    return wrapped.with_columns(*series).to_native()


def _missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - pandas marks a missing string with NaN


def check_columns(column: str, columns: Sequence[str], argument: str) -> None:
    """Refuse a table without the column, or with results; raises :class:`~ipguard.errors.InvalidArgumentError`."""
    if column not in columns:
        raise InvalidArgumentError("column", f"be one of {', '.join(columns) or 'none'}", column)
    taken = next((name for name in COLUMNS if name in columns), None)
    if taken is not None:
        raise InvalidArgumentError(argument, "not hold results already", taken)


def score_values(
    texts: Sequence[Any], guard: Guard | None = None, purpose: Purpose | None = None
) -> dict[str, list[Any]]:
    """Score a column of values.

    Parameters
    ----------
    texts
        Strings, and None where a prompt is missing. Equal ones are scored once.
    guard, purpose
        As for :func:`score_frame`.

    Returns
    -------
    dict
        A list as long as the input for each of :data:`~ipguard.batch.results.COLUMNS`.

    Raises
    ------
    InvalidArgumentError
        If a value is neither a string nor None.
    """
    wrong = next((value for value in texts if value is not None and not isinstance(value, str)), None)
    if wrong is not None:
        raise InvalidArgumentError("column", "hold strings or nulls", wrong)
    results = column_results(guard or default_guard(), texts, purpose)
    nothing: tuple[Any, ...] = (None,) * len(COLUMNS)
    rows = [nothing if result is None else msgspec.structs.astuple(result) for result in results]
    return {
        name: [list(row[at]) if isinstance(row[at], tuple) else row[at] for row in rows]
        for at, name in enumerate(COLUMNS)
    }


def mapper(
    column: str = "prompt", *, guard: Guard | None = None, purpose: Purpose | None = None
) -> Callable[[dict[str, list[Any]]], dict[str, list[Any]]]:
    """Return a function for ``datasets.Dataset.map(function, batched=True)``.

    Parameters
    ----------
    column, guard, purpose
        As for :func:`score_frame`. A guard is rebuilt from paths and settings in other processes (``num_proc``).

    Returns
    -------
    callable
        From a batch of columns to the columns that are added.
    """
    return _Mapper(column, guard or Guard(), purpose)


class _Mapper:
    """Picklable, and hashed by ``datasets`` by what it does, so that its cache can be used."""

    def __init__(self, column: str, guard: Guard, purpose: Purpose | None) -> None:
        self.column, self.guard, self.purpose = column, guard, purpose

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Score a batch."""
        check_columns(self.column, list(batch), "frame")
        return score_values(batch[self.column], self.guard, self.purpose)
