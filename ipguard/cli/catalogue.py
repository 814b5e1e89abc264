"""``ipguard catalogue``: look at, check, extend and build the catalogue."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ipguard.catalogue.build import COMPILED_NAME, build_folder
from ipguard.catalogue.compact import parse
from ipguard.catalogue.lint import lint_folder
from ipguard.catalogue.merge import merge
from ipguard.catalogue.schema import Work
from ipguard.catalogue.statistics import counts
from ipguard.catalogue.store import PACKS, Catalogue, default_folder
from ipguard.cli.propose import register
from ipguard.errors import CatalogueError, InvalidArgumentError

app = typer.Typer(help="Look at, check, extend and build the catalogue.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Option("--folder", help="Catalogue folder; the shipped one if not given.")]


def _line(work: Work) -> str:
    held = f"{len(work.items)} items" if work.items else "no items"
    return f"{work.id}\t{work.title}\t{', '.join(work.media)}\t{work.year}\t{'; '.join(work.rights_holders)}\t{held}"


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A name in any language.")],
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
    folder: Folder = None,
) -> None:
    """Find works by the name of the work, a character or a thing; exit code 1 if there is none."""
    found = Catalogue.load(folder, packs=PACKS).search(query, limit=limit)
    for work in found:
        typer.echo(_line(work))
    if not found:
        typer.echo(f"Nothing in the catalogue bears the name {query!r}.", err=True)
        raise typer.Exit(1)


@app.command()
def show(work_id: Annotated[str, typer.Argument(help="Id of a work.")], folder: Folder = None) -> None:
    """Print a work as JSON."""
    work = Catalogue.load(folder, packs=PACKS).get(work_id)
    typer.echo(msgspec.json.format(msgspec.json.encode(work), indent=2).decode())


@app.command()
def lint(folder: Folder = None) -> None:
    """Check the rules; print file, line and rule of each finding, and exit with 1 if there is any."""
    findings = lint_folder(folder or default_folder())
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(f"{len(findings)} findings", err=True)
    if findings:
        raise typer.Exit(1)


@app.command()
def stats(folder: Folder = None) -> None:
    """Print counts by medium, language and sense as JSON."""
    typer.echo(json.dumps(counts(Catalogue.load(folder, packs=PACKS)), indent=2, ensure_ascii=False))


@app.command()
def build(
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="File to write; the folder's own if not given.")] = None,
    brands: Annotated[bool, typer.Option("--brands", help="Take the brands pack too.")] = False,
) -> None:
    """Compile the records to the file that scoring reads."""
    root = folder or default_folder()
    compiled = build_folder(root, packs=PACKS if brands else ("franchises",))
    target = out or root / COMPILED_NAME
    compiled.write(target)
    typer.echo(f"{target}: {len(compiled.meta.works)} works, {len(compiled.patterns)} strings, {compiled.version}")


@app.command()
def export(
    format: Annotated[str, typer.Option(help="jsonl, csv or names.")] = "jsonl",
    folder: Folder = None,
) -> None:
    """Print the catalogue: records, a table of works, or every name with its language and sense."""
    catalogue = Catalogue.load(folder, packs=PACKS)
    works = [catalogue.works[i] for i in sorted(catalogue.works)]
    if format == "jsonl":
        for work in works:
            sys.stdout.write(msgspec.json.encode(work).decode() + "\n")
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if format == "csv":
        writer.writerow(["id", "title", "media", "year", "country", "rights_holders", "status", "items"])
        for work in works:
            media, holders = ";".join(work.media), ";".join(work.rights_holders)
            writer.writerow(
                [work.id, work.title, media, work.year, work.country, holders, work.status, len(work.items)]
            )
    elif format == "names":
        writer.writerow(["work", "item", "text", "lang", "sense"])
        for work in works:
            writer.writerows([work.id, "", n.text, n.lang, n.sense] for n in work.names)
            writer.writerows([work.id, item.id, n.text, n.lang, n.sense] for item in work.items for n in item.names)
    else:
        raise InvalidArgumentError("format", "be jsonl, csv or names", format)


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(help="Files in the compact format (docs/catalogue.md).")],
    brands: Annotated[bool, typer.Option("--brands", help="Put new works into the brands pack.")] = False,
    folder: Folder = None,
) -> None:
    """Add or extend works from compact files; what is held already stays."""
    root = folder or default_folder()
    catalogue = Catalogue.load(root, packs=PACKS)
    before = set(catalogue.works)
    for file in files:
        parties: dict[str, str] = {}
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{file} cannot be read: {error}.") from None
        works = parse(text, path=file, parties=parties)
        catalogue = merge(catalogue, works, parties=parties)
    new = set(catalogue.works) - before
    if brands:
        catalogue = replace(catalogue, brands=catalogue.brands | new)
    catalogue.write(root)
    typer.echo(f"{len(new)} works added, {len(catalogue.works)} in all")


register(app)
