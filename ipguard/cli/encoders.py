"""``ipguard finetune``: a static encoder that knows what the catalogue describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def finetune(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    encoder: Annotated[Path | None, typer.Option(help="Static encoder to start from; the shipped one if none.")] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds prompts/ and labels/.")] = Path("data"),
    public: Annotated[
        list[str] | None, typer.Option(help="File, folder or hub dataset joined to data/labels; repeatable.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option("--catalogue", help="Catalogue folder.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the pairs.")] = 3,
    without: Annotated[
        Path | None, typer.Option(help="File of work ids, one a line, that must not be seen: those measured on.")
    ] = None,
) -> None:
    """Fine-tune a static encoder on descriptions in all languages and on labelled prompts."""
    from ipguard.catalogue.store import Catalogue
    from ipguard.classifier.bundle import default_bundle
    from ipguard.training.finetune import Recipe
    from ipguard.training.finetune import finetune as run
    from ipguard.training.run import Sources, gather_examples

    labels = data / "labels"
    sources = Sources(data / "prompts", labels if labels.is_dir() else None, None, tuple(public or ()))
    _, joined, own = gather_examples(sources)
    hidden = frozenset(without.read_text("utf-8").split()) if without else frozenset()
    start = encoder or default_bundle() / "encoder"
    run(start, out, Catalogue.load(catalogue), [*own, *joined], recipe=Recipe(epochs=epochs), without=hidden)
    typer.echo(str(out))
