"""``ipguard eval``, ``ipguard train`` and ``ipguard distill``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ipguard.cli.progress import steps
from ipguard.errors import InvalidArgumentError


def evaluate(
    file: Annotated[Path, typer.Argument(help="JSON Lines with text, label, kind, works, lang, source.")],
    scorer: Annotated[str, typer.Option(help="guard, or names for the plain name list.")] = "guard",
    model: Annotated[Path | None, typer.Option("--model", help="Folder of a model bundle.")] = None,
    catalogue: Annotated[Path | None, typer.Option("--catalogue", help="Compiled catalogue or folder.")] = None,
    rounds: Annotated[int, typer.Option(help="Bootstrap samples of the intervals.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure on labelled prompts: yes against no, with intervals over clusters of near-duplicates.

    A bundle that was trained on these prompts looks better here than it is; for such, the figures in its
    card are cross-validated.
    """
    from ipguard.evaluation.data import read_examples
    from ipguard.evaluation.run import SCORERS, slices, table
    from ipguard.guard import Guard

    if scorer not in SCORERS:
        raise InvalidArgumentError("scorer", f"be one of {', '.join(SCORERS)}", scorer)
    examples = read_examples(file)
    guard = Guard(model=model, catalogue=catalogue)
    function, probability = SCORERS[scorer]
    parts = slices(examples, function(guard, [e.text for e in examples]), probability=probability, rounds=rounds)
    if as_json:
        rows = [
            {"slice": p.name, "rows": p.rows, "yes": p.positives}
            | {name: [f.value, f.low, f.high] for name, f in (p.figures or {}).items()}
            for p in parts
        ]
        typer.echo(json.dumps(rows, indent=1))
    else:
        typer.echo(table(parts))


def train(
    out: Annotated[Path, typer.Argument(help="Folder of the bundle to write.")],
    data: Annotated[Path, typer.Option(help="Folder that holds prompts/ and labels/.")] = Path("data"),
    real: Annotated[Path | None, typer.Option(help="Labelled real prompts, cross-validated on and trained on.")] = None,
    public: Annotated[
        list[str] | None, typer.Option(help="File, folder or hub dataset joined to data/labels; repeatable.")
    ] = None,
    encoder: Annotated[Path | None, typer.Option(help="Static encoder; the shipped one if not given.")] = None,
    catalogue: Annotated[Path | None, typer.Option("--catalogue", help="Catalogue folder.")] = None,
    generated: Annotated[int, typer.Option(help="Prompts to generate from the catalogue.")] = 6000,
    folds: Annotated[int, typer.Option(help="Folds of the cross-validation.")] = 5,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps features between runs.")] = None,
) -> None:
    """Train a bundle from labelled prompts and the catalogue, and measure it by cross-validation."""
    from ipguard import __version__
    from ipguard.catalogue.build import load_or_build
    from ipguard.catalogue.store import Catalogue
    from ipguard.classifier.bundle import default_bundle
    from ipguard.encoding.static import StaticEncoder
    from ipguard.evaluation.run import table
    from ipguard.evidence.finder import Finder
    from ipguard.training.card import card
    from ipguard.training.package import write_bundle
    from ipguard.training.run import Sources
    from ipguard.training.run import train as run

    source = encoder or default_bundle() / "encoder"
    labels = data / "labels"
    sources = Sources(data / "prompts", labels if labels.is_dir() else None, real, tuple(public or ()))
    finder = Finder(load_or_build(catalogue), StaticEncoder(source))
    with steps("training") as progress:
        trained = run(
            finder,
            Catalogue.load(catalogue),
            sources,
            generated=generated,
            folds=folds,
            cache=cache,
            progress=progress,
        )
    scores = {
        p.name: {"rows": p.rows, "yes": p.positives}
        | {name: [round(f.value, 4), round(f.low, 4), round(f.high, 4)] for name, f in (p.figures or {}).items()}
        for p in trained.scores
    }
    write_bundle(
        out, trained.head, source, trained.thresholds, bundle_version=__version__, data=trained.data, scores=scores,
        card=card(trained),
    )  # fmt: skip
    typer.echo(table(trained.scores) if trained.scores else "No real prompts were given: nothing was measured.")
    typer.echo(f"{out}: review from {trained.thresholds.review}, block from {trained.thresholds.block}")


def distill(
    model: Annotated[str, typer.Argument(help="Name or folder of a Sentence Transformers model.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    pieces: Annotated[int, typer.Option(help="Vocabulary pieces to keep.")] = 100_000,
    dimensions: Annotated[int, typer.Option(help="Length of the vectors.")] = 256,
) -> None:
    """Distil a static encoder from a Sentence Transformers model."""
    from ipguard.training.distill import distill as run

    with steps("distilling") as progress:
        run(model, out, pieces=pieces, dimensions=dimensions, progress=progress)
    typer.echo(str(out))
