"""A progress bar that is silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

State = tuple[int, int, int]


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[State], None]]:
    """Show how much of an input is done, the rate, and the time left.

    Parameters
    ----------
    quiet
        Show nothing.

    Yields
    ------
    callable
        To be called with position, total and rows done so far.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _state: None
        return
    columns = (
        TextColumn("{task.fields[rows]} rows"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]} rows/s"),
        TimeRemainingColumn(),
    )
    began = monotonic()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("scoring", total=None, rows=0, rate=0)

        def show(state: State) -> None:
            position, total, rows = state
            rate = round(rows / max(monotonic() - began, 0.001))
            progress.update(task, completed=position, total=total or None, rows=rows, rate=rate)

        yield show


@contextmanager
def steps(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress in steps.

    Parameters
    ----------
    title
        Put before the bar.

    Yields
    ------
    callable
        To be called with steps done and steps in all.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
