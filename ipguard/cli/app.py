"""The ``ipguard`` command and how it fails."""

from __future__ import annotations

import sys

import typer

from ipguard import __version__
from ipguard.cli import batching, catalogue, encoders, policy, review, scoring, training
from ipguard.errors import IpguardError

app = typer.Typer(
    name="ipguard",
    help="Says how likely fulfilling a prompt is to reproduce a protected franchise, which one, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("score")(scoring.score)
app.command("rewrite")(scoring.rewrite)
app.command("batch")(batching.batch)
app.command("report")(batching.report)
app.command("eval")(training.evaluate)
app.command("tune")(training.tune)
app.command("train")(training.train)
app.command("distill")(training.distill)
app.command("finetune")(encoders.finetune)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(policy.app, name="policy")
app.add_typer(review.app, name="review")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ipguard {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Say how likely fulfilling a prompt is to reproduce a protected franchise, which one, and why."""


def main() -> None:
    """Run the command line: exit code 0, 1 where a check found something, 2 for an error in one line."""
    try:
        app()
    except IpguardError as error:
        sys.stderr.write(f"ipguard: {' '.join(str(error).split())}\n")
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe has gone; nothing is left to say to it.
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.stderr.write("ipguard: interrupted\n")
        sys.exit(130)
