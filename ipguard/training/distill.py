"""Distilling a static table from a Sentence Transformers model, token by token."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from ipguard.encoding.static import MODULE
from ipguard.errors import InvalidArgumentError, MissingExtraError
from ipguard.text.scripts import Script, script_of

SIF = 1e-3
"""Weight of a token is SIF / (SIF + p): smooth inverse frequency (Arora et al. 2017, https://openreview.net/forum?id=SyK00v5xx)."""

_KEPT_SCRIPTS = frozenset(set(Script) - {Script.OTHER})
Float = npt.NDArray[np.float32]


def kept_pieces(vocabulary: list[tuple[str, float]], limit: int) -> list[int]:
    """Choose the pieces of a unigram vocabulary that prompts in the catalogue's languages need.

    Parameters
    ----------
    vocabulary
        Piece and log probability, most frequent first.
    limit
        Pieces to keep.

    Returns
    -------
    list of int
        Indices in their old order: the unknown piece, every single character, then the likeliest pieces in
        the scripts that the catalogue uses.
    """
    first: list[int] = []
    rest: list[int] = []
    for index, (piece, _) in enumerate(vocabulary):
        letters = piece.replace("▁", "")
        known = all(
            script_of(c) in _KEPT_SCRIPTS or c.isascii() or unicodedata.category(c)[0] in "PSZ" for c in letters
        )
        if piece == "<unk>" or (len(letters) <= 1 and known):
            first.append(index)
        elif known and not piece.startswith("<"):
            rest.append(index)
    rest.sort(key=lambda index: -vocabulary[index][1])
    return sorted(first + rest[: max(0, limit - len(first))])


def reduce(vectors: Float, weights: Float, dimensions: int) -> Float:
    """Weight, centre and project token vectors.

    Parameters
    ----------
    vectors
        float32 ``(tokens, d)``.
    weights
        float32 ``(tokens,)``: smooth inverse frequencies.
    dimensions
        Axes to keep, by falling variance.

    Returns
    -------
    numpy.ndarray
        float32 ``(tokens, dimensions)``; each principal axis divided by the square root of its standard
        deviation, which was the best of three scalings tried.
    """
    centred = (vectors - vectors.mean(0)) * weights[:, None]
    covariance = centred.T @ centred / len(centred)
    values, axes = np.linalg.eigh(covariance.astype(np.float64))
    order = np.argsort(values)[::-1][:dimensions]
    deviation = np.sqrt(np.maximum(values[order], 1e-12))
    projected: Float = (centred @ axes[:, order].astype(np.float32)) / np.sqrt(deviation).astype(np.float32)
    return projected


def quantise(vectors: Float) -> tuple[npt.NDArray[np.int8], Float]:
    """Round rows to int8 with one scale a row.

    Parameters
    ----------
    vectors
        float32 ``(n, d)``.

    Returns
    -------
    tuple
        int8 ``(n, d)`` and float32 ``(n,)``; their product is the row up to 1/254 of its largest entry.
    """
    scale = np.abs(vectors).max(1) / 127
    safe = np.where(scale > 0, scale, 1)[:, None]
    return np.round(vectors / safe).astype(np.int8), scale.astype(np.float32)


def trimmed_tokenizer(source: dict[str, Any], kept: Iterable[int]) -> dict[str, Any]:
    """Return a tokenizer with only the kept pieces, numbered anew.

    Parameters
    ----------
    source
        Content of a ``tokenizer.json`` with a unigram model.
    kept
        Indices of pieces.

    Returns
    -------
    dict
        Content of the new file; without special tokens, since a mean needs none.
    """
    vocabulary = source["model"]["vocab"]
    pieces = [vocabulary[index] for index in kept]
    unknown = next((at for at, (piece, _) in enumerate(pieces) if piece == "<unk>"), None)
    if unknown is None:
        raise InvalidArgumentError("kept", "hold the unknown piece", "no <unk>")
    model = {**source["model"], "vocab": pieces, "unk_id": unknown}
    return {
        **source,
        "model": model,
        "added_tokens": [],
        "post_processor": None,
        "truncation": None,
        "padding": None,
    }


def distill(
    model: str | Path,
    out: str | Path,
    *,
    pieces: int = 100_000,
    dimensions: int = 256,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Distil a static encoder.

    Parameters
    ----------
    model
        Name or folder of a Sentence Transformers model with a unigram tokenizer.
    out
        Folder to write; Sentence Transformers can load it.
    pieces
        Vocabulary pieces to keep.
    dimensions
        Length of the vectors.
    progress
        Called with pieces done and pieces in all.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    MissingExtraError
        If Sentence Transformers is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - behind an extra
    except ImportError as error:
        feature = "distill"
        raise MissingExtraError(feature, "transformers") from error
    teacher = SentenceTransformer(str(model), device="cpu")
    tokenizer = json.loads(teacher.tokenizer.backend_tokenizer.to_str())
    vocabulary = [(piece, float(score)) for piece, score in tokenizer["model"]["vocab"]]
    kept = kept_pieces(vocabulary, pieces)
    texts = [vocabulary[index][0].replace("▁", " ").strip() or "." for index in kept]
    raw: list[Float] = []
    for start in range(0, len(texts), 1024):
        batch = [f"query: {text}" for text in texts[start : start + 1024]]
        raw.append(teacher.encode(batch, batch_size=256, convert_to_numpy=True, show_progress_bar=False))
        progress(min(start + 1024, len(texts)), len(texts))
    probability = np.exp(np.array([vocabulary[index][1] for index in kept], dtype=np.float32))
    weights = (SIF / (SIF + probability)).astype(np.float32)
    table, scale = quantise(reduce(np.concatenate(raw), weights, dimensions))
    unknown = next(at for at, index in enumerate(kept) if vocabulary[index][0] == "<unk>")
    scale[unknown] = 0  # a text of unknown pieces has no meaning, not that of "<unk>"
    write_static(Path(out), trimmed_tokenizer(tokenizer, kept), table, scale)
    return Path(out)


def write_static(folder: Path, tokenizer: dict[str, Any], table: npt.NDArray[np.int8], scale: Float) -> None:
    """Write a static encoder as a Sentence Transformers folder.

    Parameters
    ----------
    folder
        Created if it is not there.
    tokenizer
        Content of ``tokenizer.json``.
    table, scale
        int8 ``(tokens, d)`` and float32 ``(tokens,)``.
    """
    module = folder / MODULE
    (folder / "1_Normalize").mkdir(parents=True, exist_ok=True)
    module.mkdir(parents=True, exist_ok=True)
    save_file({"embeddings": table, "weights": scale}, module / "model.safetensors")
    (module / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), "utf-8")
    kind = "sentence_transformers.sentence_transformer.modules"
    modules = [
        {"idx": 0, "name": "0", "path": MODULE, "type": f"{kind}.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    modules[0]["type"] = "sentence_transformers.models.StaticEmbedding"
    (folder / "modules.json").write_text(json.dumps(modules, indent=1) + "\n", "utf-8")
    config = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine", "prompts": {}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
