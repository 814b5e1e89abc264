"""``ipguard batch`` and ``ipguard report``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ipguard.cli.scoring import Block, CataloguePath, Model, PolicyPath, Review
from ipguard.errors import InvalidArgumentError


def batch(
    source: Annotated[
        str, typer.Argument(help="File, folder, pattern, dataset:NAME_OR_FOLDER[@split], or - for standard input.")
    ],
    target: Annotated[
        str, typer.Argument(help="File to write; a folder if the input is several; or - for standard output.")
    ],
    column: Annotated[str, typer.Option(help="Column that holds the prompts.")] = "prompt",
    format: Annotated[
        str | None, typer.Option("--format", help="csv, tsv, jsonl or parquet where the input's name does not say it.")
    ] = None,
    output_format: Annotated[str | None, typer.Option("--output-format", help="The same for the output.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a text input; found out if not given.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one a core if not given; 0 scores in this process.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Take up a run that was cut off.")] = False,
    excel_safe: Annotated[
        bool, typer.Option("--excel-safe", help="Disarm cells that a spreadsheet would take for formulas.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="File for rows that cannot be scored; OUT.rejects.jsonl if not given.")
    ] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a Ray cluster.")] = "local",
    purpose: Annotated[str | None, typer.Option(help="image, video or text.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    model: Model = None,
    catalogue: CataloguePath = None,
    policy: PolicyPath = None,
    review: Review = None,
    block: Block = None,
) -> None:
    """Score CSV, TSV, JSON Lines or Parquet; every column, its type and the order of rows are kept.

    Rows that cannot be read go to a rejects file; rows without a prompt get empty result cells. Exit code 1 says
    that there were some of either, 2 an error.
    """
    from ipguard.batch.engine import Options
    from ipguard.batch.many import score_inputs
    from ipguard.guard import Guard

    if engine not in ("local", "ray"):
        raise InvalidArgumentError("engine", "be local or ray", engine)
    make = partial(Guard, model=model, catalogue=catalogue, policy=policy, review=review, block=block)
    wanted: Any = purpose
    options = Options(
        column=column, encoding=encoding, purpose=wanted, workers=workers, resume=resume, excel_safe=excel_safe,
        rejects=rejects,
    )  # fmt: skip
    if engine == "ray":
        from ipguard.batch.ray import score_path

        summary = score_path(make, source, target, options)
    else:
        from ipguard.cli.progress import progress_bar

        with progress_bar(quiet=quiet) as progress:
            summary = score_inputs(
                make, source, target, options,
                source_format=format, target_format=output_format, progress=progress,
            )  # fmt: skip
    names = ("allow", "review", "block", "unscored")
    shares = ", ".join(f"{summary.decisions[name]} {name}" for name in names)
    sys.stderr.write(f"{summary.rows} rows: {shares}; {summary.rejected} rejected\n")
    if not summary.whole:
        raise typer.Exit(1)


def report(
    source: Annotated[str, typer.Argument(help="Output of ipguard batch: a file, folder or pattern.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write.")] = Path("report.html"),
    column: Annotated[str, typer.Option(help="Column that holds the prompts.")] = "prompt",
    time_column: Annotated[str | None, typer.Option(help="Column of times; found by its name if not given.")] = None,
    rights_holder: Annotated[str | None, typer.Option(help="Only works of this party, by id or name.")] = None,
    catalogue: CataloguePath = None,
) -> None:
    """Write one self-contained page about scored prompts."""
    from ipguard.batch.page import write_report

    found = write_report(
        source, output, column=column, time_column=time_column, rights_holder=rights_holder, catalogue=catalogue
    )
    sys.stderr.write(f"{output}: {found.rows} rows, {found.flagged} at risk, {len(found.works)} works\n")
