"""Fine-tuning the static table on pairs that describe one subject: in other words, in other languages, in a scene."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.schema import Item, Work
from ipguard.catalogue.store import Catalogue, resolve_label
from ipguard.encoding.static import MODULE
from ipguard.errors import MissingExtraError
from ipguard.evaluation.data import Example
from ipguard.text.clauses import clauses
from ipguard.training.distill import quantise, write_static

_SPLIT = {"en": re.compile(r"[,;]|\band\b|\bwith\b"), "ko": re.compile(r"[,;]")}
_CJK_SPLIT = re.compile(r"[、，。,]")
_JOIN = {"en": ", ", "ko": ", ", "ja": "、", "zh": "，"}
_SPACED = frozenset({"en", "ko"})
_BOTH_WAYS = ("query_to_doc", "doc_to_query")
_KEPT_PARTS, _KEPT_WORDS, _IN_SCENE = 0.7, 0.9, 0.3


@dataclass(frozen=True)
class Recipe:
    """Settings of the fine-tuning.

    Attributes
    ----------
    epochs
        Passes over the pairs, each with prompts made anew.
    rate
        Learning rate of Adam: the table's rows are some 2.4 long, so that a step moves one by a thousandth of that.
    batch
        Pairs compared with each other.
    scale
        Inverse temperature of the ranking loss.
    seed
        Of everything random.
    """

    epochs: int = 4
    rate: float = 1.5e-3
    batch: int = 512
    scale: float = 20.0
    seed: int = 0


@dataclass(frozen=True)
class Subject:
    """Descriptions of one character, place, thing or work, by language."""

    work: str
    item: str
    texts: dict[str, str]
    generic: str | None


def subjects(catalogue: Catalogue, without: frozenset[str] = frozenset()) -> list[Subject]:
    """Return what the catalogue describes.

    Parameters
    ----------
    catalogue
        Records.
    without
        Works to leave out, with their relatives: what is measured on later.

    Returns
    -------
    list of Subject
        In the order of ids.
    """
    relatives = catalogue.relatives
    hidden = without.union(*(relatives.get(work, frozenset()) for work in without))
    found: list[Subject] = []
    for work_id, work in sorted(catalogue.works.items()):
        if work_id in hidden:
            continue
        every: tuple[Work | Item, ...] = (work, *work.items)
        found += [
            Subject(work_id, "" if entry is work else entry.id, dict(entry.descriptions), entry.generic)
            for entry in every
            if entry.descriptions
        ]
    return found


def as_prompt(generator: np.random.Generator, lang: str, text: str, scenes: Sequence[str]) -> str:
    """Turn a description into what a person might type: parts of it, in another order, in a scene.

    Parameters
    ----------
    generator
        Random numbers.
    lang
        Language of the description.
    text
        The description.
    scenes
        Clauses of ordinary prompts in that language; may be empty.

    Returns
    -------
    str
        Never empty.
    """
    parts = [part.strip() for part in _SPLIT.get(lang, _CJK_SPLIT).split(text) if part.strip()]
    kept = [part for part in parts if generator.random() < _KEPT_PARTS] or parts or [text]
    if generator.random() < 0.5:
        kept = [kept[at] for at in generator.permutation(len(kept))]
    joint = _JOIN.get(lang, ", ")
    body = joint.join(kept) if generator.random() < 0.7 else (" " if lang in _SPACED else "").join(kept)
    if lang in _SPACED:
        body = " ".join([word for word in body.split() if generator.random() < _KEPT_WORDS]) or body
    if scenes and generator.random() < _IN_SCENE:
        scene = scenes[int(generator.integers(len(scenes)))]
        body = f"{body}{joint}{scene}" if generator.random() < 0.5 else f"{scene}{joint}{body}"
    return body


def scenes_of(prompts: Iterable[Example]) -> dict[str, list[str]]:
    """Return clauses of clean prompts by language, as surroundings for described subjects."""
    found: dict[str, list[str]] = {}
    for example in prompts:
        if example.label == "no":
            shortest, longest = (10, 90) if example.text.isascii() else (4, 50)
            pieces = [clause.text for clause in clauses(example.text)]
            found.setdefault(example.lang, []).extend(p for p in pieces if shortest < len(p) < longest)
    return found


def pairs(
    catalogue: Catalogue,
    described: Sequence[Example],
    scenes: dict[str, list[str]],
    *,
    without: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Iterator[tuple[str, str]]:
    """Make pairs of a prompt and a description that belongs to it, anew for each seed.

    Parameters
    ----------
    catalogue
        Where descriptions come from.
    described
        Prompts that describe a subject without naming it; each is paired with what its label names.
    scenes
        As from :func:`scenes_of`.
    without
        Works that must not be seen.
    seed
        Of the choice.

    Yields
    ------
    tuple of str
        Prompt and description, in random order.
    """
    generator = np.random.default_rng(seed)
    every = subjects(catalogue, without)
    made: list[tuple[str, str]] = []
    for subject in every:
        for lang, text in subject.texts.items():
            others = [t for key, t in subject.texts.items() if key == lang or generator.random() < 0.6]
            made += [(as_prompt(generator, lang, text, scenes.get(lang, ())), other) for other in others]
        if subject.generic and generator.random() < 0.5:
            texts = list(subject.texts.values())
            made.append((subject.generic, texts[generator.integers(len(texts))]))
    made += _written(catalogue, described, every)
    for at in generator.permutation(len(made)):
        yield made[at]


def _written(catalogue: Catalogue, described: Sequence[Example], every: list[Subject]) -> list[tuple[str, str]]:
    by_work: dict[str, list[Subject]] = {}
    for subject in every:
        by_work.setdefault(subject.work, []).append(subject)
    found: list[tuple[str, str]] = []
    for example in described:
        for label in example.works:
            wanted = label.partition(":")[2].strip().casefold()
            for work in resolve_label(catalogue, label):
                record = catalogue.works[work]
                named = {i.id for i in record.items if wanted in {n.text.casefold() for n in i.names}}
                texts = [s.texts for s in by_work.get(work, ()) if s.item in named]
                found += [(example.text, text) for own in texts for text in own.values()]
    return found


def finetune(
    encoder: str | Path,
    out: str | Path,
    catalogue: Catalogue,
    prompts: Sequence[Example],
    *,
    recipe: Recipe | None = None,
    without: frozenset[str] = frozenset(),
) -> Path:
    """Fine-tune a static encoder so that a prompt lies near the description of what it describes.

    The loss ranks the right description above those of the rest of the batch (multiple negatives, Henderson et al.
    2017), in both directions.

    Parameters
    ----------
    encoder
        Folder of the static encoder to start from.
    out
        Folder to write.
    catalogue
        Descriptions.
    prompts
        Labelled prompts: described ones are paired with their subjects, clean ones lend scenes.
    recipe
        Settings.
    without
        Works that must not be seen, for a fold of a cross-validation.

    Returns
    -------
    pathlib.Path
        `out`, readable by :class:`~ipguard.encoding.static.StaticEncoder`.

    Raises
    ------
    MissingExtraError
        If Sentence Transformers is not installed with its trainer.
    """
    recipe = recipe or Recipe()
    described = [e for e in prompts if e.label == "yes" and e.kind == "described"]
    scenes = scenes_of(prompts)
    rows = [
        pair
        for epoch in range(recipe.epochs)
        for pair in pairs(catalogue, described, scenes, without=without, seed=recipe.seed + epoch)
    ]
    table = _trained_table(encoder, rows, recipe)
    tokens, scale = quantise(table)
    tokenizer = json.loads((Path(encoder) / MODULE / "tokenizer.json").read_text("utf-8"))
    write_static(Path(out), tokenizer, tokens, scale)
    return Path(out)


def _trained_table(encoder: str | Path, rows: list[tuple[str, str]], recipe: Recipe) -> npt.NDArray[np.float32]:
    try:
        from datasets import Dataset  # noqa: PLC0415 - behind an extra
        from sentence_transformers import (  # noqa: PLC0415
            SentenceTransformer,
            SentenceTransformerTrainer,
            SentenceTransformerTrainingArguments,
        )
        from sentence_transformers.sentence_transformer.losses import (  # noqa: PLC0415
            MultipleNegativesRankingLoss,
        )

        model = SentenceTransformer(str(encoder), device="cpu")
        unknown = ~model[0].embedding.weight.detach().numpy().any(1)
        with tempfile.TemporaryDirectory() as folder:
            arguments = SentenceTransformerTrainingArguments(
                output_dir=folder, num_train_epochs=1, per_device_train_batch_size=recipe.batch, seed=recipe.seed,
                learning_rate=recipe.rate, weight_decay=0.0, lr_scheduler_type="linear", save_strategy="no",
                report_to="none", use_cpu=True, dataloader_drop_last=True, batch_sampler="no_duplicates",
                disable_tqdm=None, logging_strategy="epoch",
            )  # fmt: skip
            data = Dataset.from_dict({"anchor": [a for a, _ in rows], "positive": [p for _, p in rows]})
            loss = MultipleNegativesRankingLoss(
                model, scale=recipe.scale, directions=_BOTH_WAYS, partition_mode="per_direction"
            )
            SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss).train()
    except ImportError as error:
        feature = "finetune"
        raise MissingExtraError(feature, "finetune") from error
    weight: npt.NDArray[np.float32] = model[0].embedding.weight.detach().numpy()
    weight[unknown] = 0  # a text of unknown pieces has no meaning
    return weight
