"""``ipguard score`` and ``ipguard rewrite``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ipguard.errors import InvalidArgumentError

Model = Annotated[Path | None, typer.Option("--model", help="Folder of a model bundle.")]
CataloguePath = Annotated[Path | None, typer.Option("--catalogue", help="Compiled catalogue or catalogue folder.")]
PolicyPath = Annotated[Path | None, typer.Option("--policy", help="Policy file (JSON).")]
Review = Annotated[float | None, typer.Option("--review", help="Risk from which a prompt is reviewed.")]
Prompts = Annotated[list[str] | None, typer.Argument(help="Prompts; none, or -, reads one a line from standard input.")]
Block = Annotated[float | None, typer.Option("--block", help="Risk from which a prompt is blocked.")]


def score(
    prompts: Prompts = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a prompt.")] = False,
    purpose: Annotated[str | None, typer.Option(help="image, video or text.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Id of a work that may be reproduced; repeatable.")] = None,
    territory: Annotated[str | None, typer.Option(help="ISO 3166 code of where the output is used.")] = None,
    model: Model = None,
    catalogue: CataloguePath = None,
    policy: PolicyPath = None,
    review: Review = None,
    block: Block = None,
) -> None:
    """Score prompts: risk, decision, and the spans, works and rights holders found.

    Exit code 0 whatever the decision, 2 for an error.
    """
    from ipguard.guard import Guard

    prompts = _given(prompts)
    guard = Guard(model=model, catalogue=catalogue, policy=policy, review=review, block=block)
    options: dict[str, Any] = {"purpose": purpose, "allow": allow or (), "territory": territory}
    verdicts = guard.score_many(prompts, **options)
    if as_json:
        for verdict in verdicts:
            sys.stdout.write(json.dumps(verdict.to_dict(), ensure_ascii=False) + "\n")
        return
    from ipguard.cli.show import console, render

    screen = console()
    for number, (prompt, verdict) in enumerate(zip(prompts, verdicts, strict=True)):
        if number:
            screen.print()
        screen.print(render(prompt, verdict, guard.rights_holder))


def _given(prompts: list[str] | None) -> list[str]:
    """The prompts of the command line, or a line each of standard input."""
    if prompts is not None and prompts != ["-"]:
        return prompts
    if sys.stdin.isatty():
        raise InvalidArgumentError("prompt", "be given as an argument or on standard input", prompts)
    return sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape").splitlines()


def rewrite(
    prompts: Prompts = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a prompt.")] = False,
    purpose: Annotated[str | None, typer.Option(help="image, video or text.")] = None,
    model: Model = None,
    catalogue: CataloguePath = None,
) -> None:
    """Replace what names a protected work by generic wording; the risk before and after goes to standard error.

    Exit code 1 if a rewording is still not allowed, 2 for an error.
    """
    from ipguard.guard import Guard
    from ipguard.rewriting import rewrite as reworded

    guard = Guard(model=model, catalogue=catalogue)
    wanted: Any = purpose
    left = False
    for prompt in _given(prompts):
        done = reworded(prompt, guard=guard, purpose=wanted)
        left |= done.decision != "allow"
        if as_json:
            sys.stdout.write(json.dumps(done.to_dict(), ensure_ascii=False) + "\n")
            continue
        sys.stdout.write(done.text + "\n")
        sys.stderr.write(f"risk {done.risk_before:.3f} -> {done.risk:.3f} {done.decision}\n")
    if left:
        raise typer.Exit(1)
