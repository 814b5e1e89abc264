"""``ipguard review``: decisions that were recorded, and what people make of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipguard.cli.policy import By, Where
from ipguard.errors import InvalidArgumentError, PolicyError

if TYPE_CHECKING:
    from ipguard.policy.registry import AuditLog, DecisionRecord

app = typer.Typer(help="Recorded decisions: look at them, uphold or overturn them, export them.", no_args_is_help=True)
RecordId = Annotated[int, typer.Argument(help="Id of a record, as `ipguard review list` prints it.")]
Note = Annotated[str, typer.Option(help="Why.")]
STATES = ("open", "upheld", "overturned")


@app.command("list")
def list_decisions(
    registry: Where,
    state: Annotated[str, typer.Option(help="open, upheld, overturned or all.")] = "open",
    limit: Annotated[int, typer.Option(help="The newest so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a record.")] = False,
) -> None:
    """Print recorded decisions, the newest first: id, time, decision, risk, rule, state, works and text."""
    from ipguard.policy.registry import Registry

    if state not in (*STATES, "all"):
        raise InvalidArgumentError("state", f"be one of {', '.join(STATES)} or all", state)
    if limit < 1:
        raise InvalidArgumentError("limit", "be at least 1", limit)
    wanted: Any = None if state == "all" else state
    with Registry(registry, may_create=False) as held:
        found = held.audit.decisions(review=wanted, limit=limit)
    for record in found:
        typer.echo(_as_json(record) if as_json else _line(record))


def _line(record: DecisionRecord) -> str:
    works = ", ".join(dict.fromkeys(match["title"] for match in record.matches if match["risk"] > 0))
    text = f"sha256 {record.prompt_sha256[:12]}…" if record.prompt is None else " ".join(record.prompt.split())
    at = record.at.isoformat(timespec="seconds")
    return "\t".join(
        (str(record.id), at, record.decision, f"{record.risk:.3f}", record.rule, record.review, works, text[:120])
    )


def _as_json(record: DecisionRecord) -> str:
    return json.dumps(record.to_dict(), ensure_ascii=False)


@app.command()
def show(record_id: RecordId, registry: Where) -> None:
    """Print a record as JSON."""
    from ipguard.policy.registry import Registry

    with Registry(registry, may_create=False) as held:
        typer.echo(json.dumps(held.audit.get(record_id).to_dict(), ensure_ascii=False, indent=2))


@app.command()
def uphold(record_id: RecordId, registry: Where, note: Note = "", by: By = "") -> None:
    """Say that a decision was right."""
    from ipguard.policy.registry import Registry

    with Registry(registry, may_create=False) as held:
        typer.echo(_line(held.audit.uphold(record_id, note=note, by=by)))


@app.command()
def overturn(
    record_id: RecordId,
    registry: Where,
    note: Annotated[str, typer.Option(help="Why; required.")],
    label: Annotated[
        str | None,
        typer.Option(
            help="What the text deserves by the labelling guide: no, style, brand or yes. "
            "Not given: no where a threshold decided, nothing where a rule did."
        ),
    ] = None,
    by: By = "",
) -> None:
    """Say that a decision was wrong; with a label it can be exported for training."""
    from ipguard.policy.registry import Registry

    if not note.strip():
        raise InvalidArgumentError("note", "say why", note)
    wanted: Any = label
    with Registry(registry, may_create=False) as held:
        record = held.audit.overturn(record_id, label=wanted, note=note, by=by)
    typer.echo(_line(record))
    if record.label is None:
        typer.echo("A rule decided, so the text has no label; give --label to export it for training.", err=True)


@app.command()
def export(
    registry: Where,
    format: Annotated[
        str, typer.Option(help="jsonl, csv, or training: overturned texts as prompts that `ipguard train` reads.")
    ] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    excel_safe: Annotated[
        bool, typer.Option("--excel-safe", help="Disarm cells that a spreadsheet would take for formulas.")
    ] = False,
) -> None:
    """Write all records, the oldest first."""
    from ipguard.policy.registry import Registry

    if format not in ("jsonl", "csv", "training"):
        raise InvalidArgumentError("format", "be jsonl, csv or training", format)
    with Registry(registry, may_create=False) as held:
        lines = _lines(held.audit, format, excel_safe=excel_safe)
        if out is None:
            sys.stdout.writelines(lines)
            return
        try:
            with out.open("w", encoding="utf-8-sig" if excel_safe else "utf-8", newline="") as stream:
                stream.writelines(lines)
        except OSError as error:
            raise PolicyError(f"{out} cannot be written: {error.strerror}.") from None


def _lines(audit: AuditLog, format: str, *, excel_safe: bool) -> Iterator[str]:
    if format == "training":
        for row in audit.training_rows():
            yield json.dumps(row, ensure_ascii=False) + "\n"
    elif format == "jsonl":
        for record in audit:
            yield _as_json(record) + "\n"
    else:
        yield from _csv_lines(audit, excel_safe=excel_safe)


def _csv_lines(audit: AuditLog, *, excel_safe: bool) -> Iterator[str]:
    from dataclasses import fields

    from ipguard.batch.sinks import disarmed
    from ipguard.policy.registry import DecisionRecord
    from ipguard.policy.tables import csv_line

    columns = [field.name for field in fields(DecisionRecord) if field.name != "uid"]
    yield csv_line(columns)
    for record in audit:
        content = {**record.to_dict(), "matches": json.dumps(record.matches, ensure_ascii=False)}
        cells = ["" if content[column] is None else str(content[column]) for column in columns]
        yield csv_line(map(disarmed, cells) if excel_safe else cells)


@app.command()
def purge(
    registry: Where,
    days: Annotated[float, typer.Option(help="Records older than this go, reviewed or not.")],
) -> None:
    """Forget old records."""
    from ipguard.policy.registry import Registry

    with Registry(registry, may_create=False) as held:
        typer.echo(f"{held.audit.purge(timedelta(days=days))} records removed")
