"""Labelled prompts: read from files, known by the hash of their text, joined to labels that are kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from ipguard.errors import DataError, MissingExtraError
from ipguard.text.keys import text_key

LabelName = Literal["yes", "style", "brand", "no", "skip"]


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """A labelled prompt.

    Attributes
    ----------
    text
        As typed.
    label
        ``yes``, ``style``, ``brand``, ``no`` or ``skip``, by the labelling guide in docs.
    kind
        Why: named, misspelled, described, homograph and so on.
    works
        "Franchise: Item" or "Franchise", for yes and style.
    lang
        Language, or empty.
    source
        Where the text comes from.
    id
        Of the row in its source.
    form
        What a prompt of our own asks for, or how it is written: image, video, text, edit, tags, long.
    slice, pair
        Of a written test set: what the row tests, and the name that it shares with its counterpart.
    """

    text: str
    label: LabelName
    kind: str = "none"
    works: tuple[str, ...] = ()
    lang: str = ""
    source: str = ""
    id: str = ""
    form: str = ""
    slice: str = ""
    pair: str | None = None

    @property
    def part(self) -> str:
        """The slice of a written test set, elsewhere the kind."""
        return self.slice or self.kind


class StoredLabel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A label of a text that is not ours to store, under the SHA-256 of the text."""

    sha256: str
    label: LabelName
    kind: str = "none"
    works: tuple[str, ...] = ()


def _lines(path: Path, kind: type[Any]) -> Iterator[Any]:
    decoder = msgspec.json.Decoder(kind)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise DataError(f"{path}:{number}: {error}") from None


def read_examples(path: str | Path) -> list[Example]:
    """Read labelled prompts from a JSON Lines file or from all such files of a folder.

    Parameters
    ----------
    path
        File or folder.

    Returns
    -------
    list of Example
        In order; rows labelled ``skip`` are left out.

    Raises
    ------
    DataError
        Naming the file and line.
    """
    root = Path(path)
    paths = sorted(root.glob("*.jsonl")) if root.is_dir() else [root]
    return [row for file in paths for row in _lines(file, Example) if row.label != "skip"]


def read_labels(folder: str | Path) -> dict[str, StoredLabel]:
    """Read labels stored under hashes.

    Parameters
    ----------
    folder
        Holds JSON Lines files.

    Returns
    -------
    dict
        SHA-256 of the text to label.
    """
    return {row.sha256: row for file in sorted(Path(folder).glob("*.jsonl")) for row in _lines(file, StoredLabel)}


def join(texts: Iterable[dict[str, Any]], labels: dict[str, StoredLabel]) -> list[Example]:
    """Join texts to stored labels.

    Parameters
    ----------
    texts
        Rows with ``text`` and, where known, ``id``, ``lang`` and ``source`` or ``source_repo``.
    labels
        From :func:`read_labels`.

    Returns
    -------
    list of Example
        The texts that have a label other than ``skip``, each text once.
    """
    seen: set[str] = set()
    found: list[Example] = []
    for row in texts:
        text = row.get("text")
        if not isinstance(text, str):
            continue
        key = text_key(text)
        label = labels.get(key)
        if label is None or label.label == "skip" or key in seen:
            continue
        seen.add(key)
        source = str(row.get("source") or row.get("source_repo") or "")
        found.append(
            Example(
                text,
                label.label,
                label.kind,
                label.works,
                str(row.get("lang") or ""),
                source,
                str(row.get("id") or ""),
            )
        )
    return found


def public_texts(name: str | Path, *, split: str = "train", column: str = "text") -> Iterator[dict[str, Any]]:
    """Read texts through the ``datasets`` library, from local JSON Lines files or from a hub.

    Parameters
    ----------
    name
        A file or folder of JSON Lines; anything else is a dataset's name on the hub, which is fetched.
    split
        Of a hub dataset.
    column
        Holds the text.

    Yields
    ------
    dict
        Rows with ``text``.

    Raises
    ------
    MissingExtraError
        If ``datasets`` is not installed.
    """
    try:
        import datasets  # noqa: PLC0415 - behind an extra
    except ImportError as error:
        feature = "reading public prompts"
        raise MissingExtraError(feature, "train") from error
    root = Path(name)
    if root.exists():
        # One file at a time: the files of a folder need not have the same columns.
        for path in sorted(root.glob("*.jsonl")) if root.is_dir() else [root]:
            rows = datasets.Dataset.from_json(str(path), keep_in_memory=True)
            for row in rows:
                yield {**row, "text": row[column]}
    else:
        for row in datasets.load_dataset(str(name), split=split, streaming=True):
            yield {**row, "text": row[column], "source": str(name)}
