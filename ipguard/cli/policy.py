"""``ipguard policy``: rules in a registry."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipguard.cli.scoring import Model
from ipguard.errors import BatchError, InvalidArgumentError, PolicyError, RegistryError

if TYPE_CHECKING:
    from ipguard.policy.registry import StoredRule
    from ipguard.policy.resolving import Resolution
    from ipguard.policy.rules import Rule
    from ipguard.policy.tables import Table

app = typer.Typer(help="Rules: opt-outs, licences, house rules, in a registry.", no_args_is_help=True)
Where = Annotated[
    str,
    typer.Option(
        "--registry", envvar="IPGUARD_REGISTRY", help="postgresql://…, sqlite:///FILE, or the path of an SQLite file."
    ),
]
Folder = Annotated[Path | None, typer.Option("--folder", help="Catalogue folder; the shipped one if not given.")]
Brands = Annotated[bool, typer.Option("--brands", help="Look in the brands pack too.")]
By = Annotated[str, typer.Option(help="Who does it, for the record.")]
Effect = Annotated[str, typer.Option(help="permit, review or block.")]
Reason = Annotated[
    str | None,
    typer.Option(help="opted_out, opted_in, licensed, public_domain or house_rule; by the effect if not given."),
]


@app.command()
def init(registry: Where) -> None:
    """Create the tables of a registry; one that is there already is kept."""
    from ipguard.policy.registry import Registry

    with Registry.create(registry) as made:
        typer.echo(f"{made.name}: revision {made.revision}, {len(made.rules())} rules")


@app.command()
def upgrade(registry: Where) -> None:
    """Bring the tables of an older version up to date; rules and decisions are kept."""
    from contextlib import closing

    from ipguard.policy.registry.database import Database

    with closing(Database(registry)) as database:
        if database.schema_state() == "empty":
            raise RegistryError(f"{database.name} holds no registry; `ipguard policy init` creates one.")
    init(registry)


@app.command("list")
def list_rules(
    registry: Where,
    work: Annotated[str | None, typer.Option(help="Only rules for this work, by id.")] = None,
    rights_holder: Annotated[str | None, typer.Option(help="Only rules for this rights holder, by id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a rule.")] = False,
) -> None:
    """Print the rules: id, whether in force today, name, and what else they say; thresholds first."""
    from ipguard.policy.registry import Registry

    with Registry(registry, may_create=False) as held:
        policy, found = held.policy(), held.rules(work=work, rights_holder=rights_holder)
    if as_json:
        for stored in found:
            typer.echo(_as_json(stored))
        return
    thresholds = (
        f"{name} {value}"
        for name in ("review", "block", "style", "style_threshold")
        if (value := getattr(policy, name)) is not None
    )
    typer.echo(f"where no rule holds: {', '.join(thresholds)}", err=True)
    for stored in found:
        typer.echo(_line(stored))


def _line(stored: StoredRule) -> str:
    from datetime import UTC, datetime

    rule, today = stored.rule, datetime.now(tz=UTC).date()
    state = "over" if rule.until and rule.until < today else "to come" if rule.since and rule.since > today else "holds"
    said = {"from": rule.since, "until": rule.until, "review": rule.review, "block": rule.block, "source": rule.source}
    more = ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)
    return f"{stored.id}\t{state}\t{rule.name}\t{more}"


def _as_json(stored: StoredRule) -> str:
    import msgspec

    rule = msgspec.to_builtins(stored.rule)
    about = {"id": stored.id, "name": stored.rule.name, "added_at": stored.added_at, "added_by": stored.added_by}
    return msgspec.json.encode({**about, **rule}).decode()


@app.command()
def add(
    registry: Where,
    effect: Effect = "block",
    reason: Reason = None,
    work: Annotated[str | None, typer.Option(help="A work, by id or by title in any language.")] = None,
    item: Annotated[str | None, typer.Option(help="A character or thing of the work, by id or name.")] = None,
    rights_holder: Annotated[str | None, typer.Option(help="A rights holder, by id or name.")] = None,
    medium: Annotated[str | None, typer.Option(help="Such as manga, anime, game, film.")] = None,
    category: Annotated[str | None, typer.Option(help="franchise, style or brand.")] = None,
    territory: Annotated[list[str] | None, typer.Option(help="ISO 3166 code; repeatable; everywhere if none.")] = None,
    since: Annotated[str | None, typer.Option(help="First day, as 2026-04-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day.")] = None,
    source: Annotated[str | None, typer.Option(help="URL or document that the rule rests on.")] = None,
    review: Annotated[float | None, typer.Option(help="Risk from which it reviews.")] = None,
    block: Annotated[float | None, typer.Option(help="Risk from which it blocks.")] = None,
    by: By = "",
    brands: Brands = False,
    folder: Folder = None,
) -> None:
    """Add a rule; one that is there already is not added again."""
    from ipguard.policy.registry import Registry
    from ipguard.policy.tables import Row, Table

    given: dict[str, Any] = {
        "effect": effect, "reason": reason, "title": work, "item": item, "rights_holder": rights_holder,
        "medium": medium, "category": category, "territories": " ".join(territory or ()), "since": since,
        "until": until, "source": source, "review": review, "block": block,
    }  # fmt: skip
    fields = {name: str(value) for name, value in given.items() if value not in (None, "")}
    found = _resolved(Table((), (), (Row(1, (), fields),)), effect, None, brands=brands, folder=folder)
    for problem in found.rejects:
        near = f" (near: {', '.join(problem.near)})" if problem.near else ""
        name = "work" if problem.column == "title" else problem.column
        raise PolicyError(f"{name} {problem.value!r} {problem.text}{near}.")
    for note in found.notes:
        typer.echo(f"{note.column} {note.value!r} {note.text}", err=True)
    with Registry(registry) as held:
        typer.echo(_line(held.add(found.rules[0], by=by)))


@app.command()
def remove(
    ids: Annotated[list[int], typer.Argument(help="Ids of rules, as `ipguard policy list` prints them.")],
    registry: Where,
) -> None:
    """Remove rules."""
    from ipguard.policy.registry import Registry

    with Registry(registry, may_create=False) as held:
        for rule_id in ids:
            typer.echo(f"removed {_line(held.remove(rule_id))}")


@app.command("set")
def set_thresholds(
    registry: Where,
    review: Annotated[float | None, typer.Option(help="Risk from which a prompt is reviewed.")] = None,
    block: Annotated[float | None, typer.Option(help="Risk from which a prompt is blocked.")] = None,
    style: Annotated[str | None, typer.Option(help="What style alone may lead to: allow or review.")] = None,
    style_threshold: Annotated[float | None, typer.Option(help="Style risk from which it does.")] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="First go back to the model's thresholds.")] = False,
) -> None:
    """Set what holds where no rule does; what is not given stays."""
    from ipguard.policy.registry import Registry

    given = {"review": review, "block": block, "style": style, "style_threshold": style_threshold}
    changed: dict[str, Any] = {"review": None, "block": None} if defaults else {}
    changed |= {name: value for name, value in given.items() if value is not None}
    if not changed:
        raise InvalidArgumentError("thresholds", "be given: --review, --block, --style, …", None)
    with Registry(registry) as held:
        held.set_thresholds(**changed)


@app.command()
def check(
    prompt: Annotated[str, typer.Argument(help="A prompt.")],
    registry: Annotated[
        str | None, typer.Option("--registry", envvar="IPGUARD_REGISTRY", help="A registry of rules.")
    ] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="A policy file instead.")] = None,
    territory: Annotated[str | None, typer.Option(help="ISO 3166 code of where the output is used.")] = None,
    purpose: Annotated[str | None, typer.Option(help="image, video or text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    model: Model = None,
    catalogue: Annotated[
        Path | None, typer.Option("--catalogue", help="Compiled catalogue or catalogue folder.")
    ] = None,
) -> None:
    """Score a prompt under the rules and say which one decided; exit code 1 if it is not allowed.

    A rule that names what the catalogue does not hold is an error, so this also checks the rules.
    """
    import json

    from ipguard.guard import Guard
    from ipguard.policy.source import PolicySource

    chosen = policy or registry
    if chosen is None:
        raise InvalidArgumentError("registry", "be given, or --policy", None)
    with PolicySource(chosen) as source:
        guard = Guard(model=model, catalogue=catalogue, policy=source.current())
    wanted: Any = purpose
    verdict = guard.score(prompt, purpose=wanted, territory=territory.upper() if territory else None)
    if as_json:
        typer.echo(json.dumps(verdict.to_dict(), ensure_ascii=False))
    else:
        from ipguard.cli.show import console, render

        console().print(render(prompt, verdict, guard.rights_holder))
    if verdict.flagged:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with headings in English or Japanese, or a policy file (.json).")],
    registry: Where,
    partial: Annotated[bool, typer.Option("--partial", help="Take the rows that can be read, leave the rest.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="CSV file to write the rows that cannot be read to.")] = None,
    effect: Effect = "block",
    reason: Reason = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file; found out if not given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")] = False,
    by: By = "",
    brands: Brands = False,
    folder: Folder = None,
) -> None:
    """Add the rules of a file: all, or none if one cannot be read.

    Titles are found in any language; one that means several works is listed, not guessed. Effect and reason of the
    command hold for rows that name none. The same file twice adds nothing. Exit code 1 if rows could not be read.
    """
    from ipguard.policy.registry import Registry

    content = _content(file)
    if file.suffix.lower() == ".json":
        rules, left = _rules_of_policy(content, file, brands=brands, folder=folder), 0
    else:
        table = _table(content, file, encoding)
        found = _resolved(table, effect, reason, brands=brands, folder=folder)
        rules, left = found.rules, len(found.rejects)
        _report(table, found, rejects)
    if left and not partial:
        typer.echo(f"{left} rows cannot be read: nothing was added. Mend them, or use --partial.", err=True)
        raise typer.Exit(1)
    with Registry(registry) as held:
        added = 0 if dry_run else held.add_many(rules, by=by)
        typer.echo(f"{added} rules added, {len(rules) - added} {'not, a dry run' if dry_run else 'there already'}")
    if left:
        raise typer.Exit(1)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PolicyError(f"{file} cannot be read: {error.strerror}.") from None


def _table(content: bytes, file: Path, encoding: str | None) -> Table:
    from ipguard.batch.encodings import delimiter, detect, known
    from ipguard.policy.tables import read_table

    try:
        codec = known(encoding) if encoding else detect(content[:4096], content.splitlines(), str(file))
        text = content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except (UnicodeDecodeError, BatchError) as error:
        raise PolicyError(f"{file} cannot be read: {error}") from None
    table = read_table(text, delimiter=delimiter(text))
    for heading in table.ignored:
        typer.echo(f"column {heading!r} means nothing here and is left out", err=True)
    return table


def _resolved(table: Table, effect: str, reason: str | None, *, brands: bool, folder: Path | None) -> Resolution:
    from ipguard.catalogue.store import PACKS, Catalogue
    from ipguard.policy.resolving import Resolver

    catalogue = Catalogue.load(folder, packs=PACKS if brands else ("franchises",))
    wanted: Any = {"effect": effect, "reason": reason}
    return Resolver(catalogue, **wanted).resolve(table)


def _rules_of_policy(content: bytes, file: Path, *, brands: bool, folder: Path | None) -> tuple[Rule, ...]:
    from ipguard.catalogue.build import build_folder, load_or_build
    from ipguard.catalogue.store import PACKS, default_folder
    from ipguard.policy.binding import BoundPolicy
    from ipguard.policy.rules import Policy

    policy = Policy.decode(content, str(file))
    # What the registry must not hold is refused here, not only by the services that read it.
    BoundPolicy(policy, build_folder(folder or default_folder(), packs=PACKS) if brands else load_or_build(folder))
    if policy != Policy(rules=policy.rules):
        typer.echo("thresholds of the file are left out; `ipguard policy set` sets those of the registry", err=True)
    return policy.rules


def _report(table: Table, found: Resolution, rejects: Path | None) -> None:
    from ipguard.policy.resolving import reject_lines

    for problem in (*found.rejects, *found.notes):
        typer.echo(str(problem), err=True)
    if rejects is not None and found.rejects:
        _write(reject_lines(table, found.rejects), rejects)


@app.command()
def export(
    registry: Where,
    format: Annotated[str, typer.Option(help="csv, which can be imported again, or json, a policy file.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    folder: Folder = None,
) -> None:
    """Write all rules."""
    import msgspec

    from ipguard.catalogue.store import PACKS, Catalogue
    from ipguard.policy.registry import Registry
    from ipguard.policy.tables import write_table

    if format not in ("csv", "json"):
        raise InvalidArgumentError("format", "be csv or json", format)
    with Registry(registry, may_create=False) as held:
        policy = held.policy()
    if format == "json":
        _write([msgspec.json.format(msgspec.json.encode(policy), indent=2).decode() + "\n"], out, mark="")
        return
    works = Catalogue.load(folder, packs=PACKS).works
    _write(write_table(policy.rules, {i: work.title for i, work in works.items()}), out)


def _write(lines: Iterable[str], out: Path | None, *, mark: str = "\ufeff") -> None:
    """Write to a file, with a mark by which spreadsheets know UTF-8, or to standard output."""
    if out is None:
        sys.stdout.writelines(lines)
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            stream.write(mark)
            stream.writelines(lines)
    except OSError as error:
        raise PolicyError(f"{out} cannot be written: {error.strerror}.") from None
