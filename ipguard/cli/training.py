"""``ipguard eval``, ``ipguard tune``, ``ipguard train`` and ``ipguard distill``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ipguard.cli.progress import steps
from ipguard.errors import InvalidArgumentError


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="JSON Lines: text, label, kind or slice, works, lang, source.")],
    scorer: Annotated[str, typer.Option(help="guard, or names for the plain name list.")] = "guard",
    model: Annotated[Path | None, typer.Option("--model", help="Folder of a model bundle.")] = None,
    catalogue: Annotated[Path | None, typer.Option("--catalogue", help="Catalogue folder.")] = None,
    public: Annotated[
        list[str] | None, typer.Option(help="Real prompts joined to --labels: clean ones set the thresholds of recall.")
    ] = None,
    labels: Annotated[Path, typer.Option(help="Folder of labels under hashes.")] = Path("data/labels"),
    rounds: Annotated[int, typer.Option(help="Bootstrap samples of the intervals.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure on labelled prompts, in all and by slice, language, work and pair, with 95 % intervals.

    A bundle that was trained on these prompts, or on the clean ones, looks better here than it is; for such, the
    figures in its card are cross-validated.
    """
    import numpy as np

    from ipguard.catalogue.store import Catalogue
    from ipguard.evaluation.data import join, public_texts, read_examples, read_labels
    from ipguard.evaluation.report import evaluate as measure
    from ipguard.evaluation.scores import SCORERS
    from ipguard.evaluation.written import Ruler
    from ipguard.guard import Guard

    if scorer not in SCORERS:
        raise InvalidArgumentError("scorer", f"be one of {', '.join(SCORERS)}", scorer)
    examples = [example for file in files for example in read_examples(file)]
    rows = (row for name in public or () for row in public_texts(name))
    clean = [e.text for e in join(rows, read_labels(labels)) if e.label == "no"] if public else []
    guard = Guard(model=model, catalogue=catalogue)
    function, probability = SCORERS[scorer]
    # A name list has no risk: one name flags.
    review, block = guard.thresholds if probability else (1.0, 1.0)
    ruler = Ruler(function(guard, clean).risk if clean else np.zeros(0), review, block, rounds)
    scores = function(guard, [e.text for e in examples])
    report = measure(examples, scores, Catalogue.load(catalogue), ruler, probability=probability)
    typer.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.to_markdown())


def tune(
    file: Annotated[Path, typer.Argument(help="JSON Lines with text and label: prompts like those that will come.")],
    out: Annotated[Path, typer.Option(help="Policy file to write.")],
    precision: Annotated[float | None, typer.Option(help="Share of yes among the prompts sent to review.")] = None,
    fpr: Annotated[float | None, typer.Option(help="Share of the clean prompts sent to review.")] = None,
    block_fpr: Annotated[float | None, typer.Option(help="Share of the clean prompts blocked.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy whose thresholds are replaced.")] = None,
    model: Annotated[Path | None, typer.Option("--model", help="Folder of a model bundle.")] = None,
    catalogue: Annotated[Path | None, typer.Option("--catalogue", help="Compiled catalogue or folder.")] = None,
) -> None:
    """Choose thresholds on labelled prompts and write them into a policy.

    Too few prompts for the share asked for are refused, with the number that is missing. Prompts that the model was
    trained on give thresholds that are too low.
    """
    import msgspec
    import numpy as np

    from ipguard.evaluation.data import read_examples
    from ipguard.evaluation.scores import guard_scores
    from ipguard.evaluation.tuning import choose, distinct
    from ipguard.guard import Guard
    from ipguard.policy.rules import Policy

    base = Policy.load(policy) if policy else Policy()
    guard = Guard(model=model, catalogue=catalogue)
    examples = distinct(read_examples(file))
    truth = np.array([e.label == "yes" for e in examples], dtype=bool)
    risk = guard_scores(guard, [e.text for e in examples]).risk
    review, block = choose(truth, risk, precision=precision, fpr=fpr, block_fpr=block_fpr)
    # Policy demands that block is not below review; the model's own block threshold may be.
    stop = block.value if block else max(guard.thresholds[1], review.value)
    chosen = msgspec.structs.replace(base, review=review.value, block=stop)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(chosen), indent=1) + b"\n")
    typer.echo(f"{len(examples)} prompts, {int(truth.sum())} yes; 95 % Wilson intervals")
    typer.echo(f"review from {review.value:g}: {review}")
    typer.echo(f"block from {stop:g}: {block or 'as the model has it, and not below review'}")
    typer.echo(str(out))


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
