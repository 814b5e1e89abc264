"""``ipguard catalogue import``, ``wikidata`` and ``diff``: proposals for review, and what a review changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import typer

from ipguard.catalogue.diff import diff as changes_between
from ipguard.catalogue.proposals import QUERY, Proposal, read_table, read_wikidata, to_compact
from ipguard.catalogue.store import PACKS, Catalogue
from ipguard.errors import CatalogueError, InvalidArgumentError

Folder = Annotated[Path | None, typer.Option("--folder", help="Catalogue folder; the shipped one if not given.")]
TIMEOUT = 120.0
"""Seconds that an endpoint may take."""


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file} cannot be read: {error}.") from None


def _print(proposals: list[Proposal], folder: Path | None) -> None:
    blocks = list(to_compact(proposals, Catalogue.load(folder, packs=PACKS)))
    for block in blocks:
        typer.echo(block)
    held = len(proposals) - len(blocks)
    typer.echo(f"{len(blocks)} works proposed, {held} held already by name. Review, then add.", err=True)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the column title and others; see docs/catalogue.md.")],
    folder: Folder = None,
) -> None:
    """Print works of a CSV table in the compact format, for review; nothing is added."""
    _print(read_table(_read(file)), folder)


def wikidata(
    result: Annotated[Path | None, typer.Argument(help="SPARQL JSON result to read.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Address of a SPARQL endpoint to ask instead.")] = None,
    query: Annotated[Path | None, typer.Option(help="File with the query; a built-in one if not given.")] = None,
    show_query: Annotated[bool, typer.Option("--show-query", help="Print the built-in query and stop.")] = False,
    folder: Folder = None,
) -> None:
    """Print works of a Wikidata query in the compact format, for review; nothing is added."""
    if show_query:
        typer.echo(QUERY)
        return
    if (result is None) == (endpoint is None):
        raise InvalidArgumentError("result", "be given, or --endpoint, but not both", result)
    asked = _read(query) if query else QUERY
    _print(read_wikidata(_read(result) if result else ask(endpoint or "", asked)), folder)


def ask(endpoint: str, query: str) -> str:
    """Send a query to a SPARQL endpoint by the SPARQL 1.1 protocol and return its JSON result.

    Parameters
    ----------
    endpoint
        An http or https address.
    query
        The query.

    Returns
    -------
    str
        The body of the answer.

    Raises
    ------
    CatalogueError
        If the address is of another kind, cannot be reached, or refuses.
    """
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise InvalidArgumentError("endpoint", "be an http or https address", endpoint)
    request = Request(  # noqa: S310 - the scheme was checked
        endpoint,
        data=urlencode({"query": query}).encode(),
        headers={"Accept": "application/sparql-results+json", "User-Agent": "ipguard-prompts catalogue importer"},
    )
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body.decode("utf-8")
    except HTTPError as error:
        with error:
            raise CatalogueError(f"{endpoint} gave no result: {error}.") from None
    except (URLError, TimeoutError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{endpoint} gave no result: {error}.") from None


def diff(
    old: Annotated[Path, typer.Argument(help="Catalogue folder before.")],
    new: Annotated[Path | None, typer.Argument(help="Catalogue folder after; the shipped one if not given.")] = None,
    works: Annotated[list[str] | None, typer.Option("--work", help="Only this work; may be repeated.")] = None,
) -> None:
    """Print what changed between two catalogue folders; exit code 1 if anything did."""
    before, after = (Catalogue.load(folder, packs=PACKS) for folder in (old, new))
    wanted: Iterable[str] | None = set(works) if works else None
    found = [change for change in changes_between(before, after) if wanted is None or change.work in wanted]
    for change in found:
        typer.echo(str(change))
    typer.echo(f"{len(found)} changes", err=True)
    if found:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to ``ipguard catalogue``."""
    app.command("import")(import_)
    app.command()(wikidata)
    app.command()(diff)
