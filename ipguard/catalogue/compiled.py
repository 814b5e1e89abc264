"""The compiled catalogue: string blobs and arrays in one hashed file without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ipguard.errors import CatalogueError

FORMAT = 1
"""Number of the file format; a reader refuses another."""

PERSON, SWAPPED, TITLE, PERSONAL = 1, 2, 4, 8
"""Flags of an entry: a real person's name; family and given name swapped; the work's own; a person's."""

SENSE_CODES = {"only": 0, "usually": 1, "sometimes": 2, "rarely": 3}


class WorkInfo(msgspec.Struct, frozen=True):
    """What scoring and verdicts need of a work."""

    id: str
    title: str
    status: str
    rights_holders: tuple[str, ...]
    media: tuple[str, ...]
    generic: str | None
    brand: bool
    relatives: tuple[int, ...]
    country: str


class SubjectInfo(msgspec.Struct, frozen=True):
    """A work itself (``item`` is None) or one of its items."""

    work: int
    item: str | None
    title: str
    status: str
    generic: str | None
    kind: str | None


class Meta(msgspec.Struct, frozen=True):
    """Everything of the file that is not an array."""

    format: int
    schema: int
    version: str
    source: str
    packs: tuple[str, ...]
    works: tuple[WorkInfo, ...]
    subjects: tuple[SubjectInfo, ...]
    patterns: tuple[str, ...]
    texts: tuple[str, ...]
    gaps: tuple[str, ...]
    langs: tuple[str, ...]
    not_in: dict[int, tuple[str, ...]]
    roles: tuple[tuple[str, ...], ...]
    descriptions: tuple[str, ...]
    parties: dict[str, str]


@dataclass(frozen=True)
class CompiledCatalogue:
    """Names and descriptions laid out for matching.

    Attributes
    ----------
    meta
        Works, subjects and strings.
    first
        int32 ``(patterns + 1,)``: entries of pattern ``p`` are ``first[p]:first[p + 1]``.
    subject
        int32 ``(entries,)``: index into subjects, or into roles for a real person.
    sense, lang, flags
        uint8 ``(entries,)``.
    fuzzy_keys, fuzzy_patterns
        uint32 and int32 ``(deletions,)``, sorted by key: the deletion index for misspellings.
    description_subject, description_lang
        int32 and uint8 ``(descriptions,)``.
    zipf
        float32 ``(patterns,)``: frequency of each pattern in ordinary text, the rarest of its words.
    """

    meta: Meta
    first: npt.NDArray[np.int32]
    subject: npt.NDArray[np.int32]
    sense: npt.NDArray[np.uint8]
    lang: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    fuzzy_keys: npt.NDArray[np.uint32]
    fuzzy_patterns: npt.NDArray[np.int32]
    description_subject: npt.NDArray[np.int32]
    description_lang: npt.NDArray[np.uint8]
    zipf: npt.NDArray[np.float32]

    _ARRAYS = ("first", "subject", "sense", "lang", "flags", "fuzzy_keys", "fuzzy_patterns", "description_subject",
               "description_lang", "zipf")  # fmt: skip

    @cached_property
    def version(self) -> str:
        """Version of the data and the first eight digits of its hash."""
        return f"{self.meta.version}+{self.meta.source[:8]}"

    @cached_property
    def work_index(self) -> dict[str, int]:
        """Work id to index."""
        return {work.id: at for at, work in enumerate(self.meta.works)}

    @cached_property
    def depth(self) -> list[int]:
        """Subjects of each work: how much the catalogue knows of it."""
        counts = np.bincount([s.work for s in self.meta.subjects], minlength=len(self.meta.works))
        return [int(count) for count in counts]

    def to_bytes(self) -> bytes:
        """Serialise, with the SHA-256 of the content in front."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in self._ARRAYS}
        arrays["meta"] = np.frombuffer(msgspec.msgpack.encode(self.meta), dtype=np.uint8)
        body: bytes = save(arrays)
        return sha256(body).digest() + body

    def write(self, path: str | Path) -> None:
        """Write to a file through a temporary one.

        Parameters
        ----------
        path
            The file.
        """
        target = Path(path)
        temporary = target.with_suffix(".tmp")
        temporary.write_bytes(self.to_bytes())
        temporary.replace(target)

    @classmethod
    def read(cls, path: str | Path) -> CompiledCatalogue:
        """Read a compiled catalogue.

        Parameters
        ----------
        path
            File written by :meth:`write`.

        Returns
        -------
        CompiledCatalogue
            The same content.

        Raises
        ------
        CatalogueError
            If the file is missing, truncated, changed, or of another format.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise CatalogueError(f"{path} cannot be read: {error.strerror}.") from None
        if sha256(data[32:]).digest() != data[:32]:
            raise CatalogueError(f"{path} is not a compiled catalogue, or was changed: its hash does not match.")
        try:
            arrays = load(data[32:])
            meta = msgspec.msgpack.decode(arrays.pop("meta").tobytes(), type=Meta)
            compiled = cls(meta=meta, **arrays)
        except (SafetensorError, msgspec.DecodeError, KeyError, TypeError) as error:
            raise CatalogueError(f"{path} is not a compiled catalogue of this version: {error}.") from None
        if meta.format != FORMAT:
            raise CatalogueError(f"{path} has format {meta.format}; this version reads format {FORMAT}.")
        return compiled
