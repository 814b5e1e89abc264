"""A progress bar that is silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(source: Path, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how much of a file is done, the rate, and the time left.

    Parameters
    ----------
    source
        The file being read.
    quiet
        Show nothing.

    Yields
    ------
    callable
        To be called with bytes read and rows done so far.
    """
    if quiet or not sys.stderr.isatty() or not source.is_file():
        yield lambda _bytes, _rows: None
        return
    columns = (
        TextColumn("{task.fields[rows]} rows"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("scoring", total=max(source.stat().st_size, 1), rows=0)
        yield lambda done, rows: progress.update(task, completed=done, rows=rows)


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
