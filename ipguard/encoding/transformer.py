"""Any Sentence Transformers model as an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from ipguard.encoding.base import Vectors, unit_rows
from ipguard.errors import InvalidArgumentError, MissingExtraError


class SentenceTransformerEncoder:
    """A model loaded by ``SentenceTransformer(name)``.

    Parameters
    ----------
    name
        Name on a model hub, or a local folder. A name that is not a folder is looked up on the hub, which is
        the only time that ipguard reaches for the network.
    prompt
        Put before each text, such as ``"query: "`` for the E5 family.
    batch_size
        Texts encoded at once.

    Raises
    ------
    MissingExtraError
        If Sentence Transformers is not installed.
    """

    def __init__(self, name: str | Path, *, prompt: str = "", batch_size: int = 32) -> None:
        if batch_size < 1:
            raise InvalidArgumentError("batch_size", "be at least 1", batch_size)
        try:
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - behind an extra
        except ImportError as error:
            feature = "SentenceTransformerEncoder"
            raise MissingExtraError(feature, "transformers") from error
        self.name, self.prompt, self.batch_size = str(name), prompt, batch_size
        self._model = SentenceTransformer(self.name, device="cpu")

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        # Renamed in Sentence Transformers 5.4; the old name warns there.
        named = getattr(self._model, "get_embedding_dimension", None) or self._model.get_sentence_embedding_dimension
        return int(named())

    @property
    def identity(self) -> str:
        """Hash of the model's weights, if it is a folder, of its name otherwise, and of the prompt."""
        digest = sha256(self.prompt.encode())
        folder = Path(self.name)
        if folder.is_dir():
            for path in sorted(folder.rglob("*.safetensors")):
                digest.update(path.read_bytes())
        else:
            digest.update(self.name.encode())
        return digest.hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; see :meth:`ipguard.encoding.base.Encoder.encode`."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        raw = self._model.encode(
            [self.prompt + text for text in texts],
            batch_size=self.batch_size,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return unit_rows(np.asarray(raw, dtype=np.float32))
