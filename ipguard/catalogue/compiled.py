"""The compiled catalogue: string blobs and arrays in one hashed file without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from ipguard.catalogue.tables import StringTable, SubjectTable
from ipguard.errors import CatalogueError
from ipguard.tensors import mapped, views

FORMAT = 4
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
    part_of: tuple[int, ...]
    country: str


_HASH = 32


class _Format(msgspec.Struct, frozen=True):
    format: int


class Meta(msgspec.Struct, frozen=True):
    """Everything of the file that is not an array."""

    format: int
    schema: int
    version: str
    source: str
    packs: tuple[str, ...]
    works: tuple[WorkInfo, ...]
    langs: tuple[str, ...]
    not_in: dict[int, tuple[str, ...]]
    roles: tuple[tuple[str, ...], ...]
    parties: dict[str, str]
    redirects: dict[str, str]
    automaton: str


@dataclass(frozen=True, eq=False)
class CompiledCatalogue:
    """Names and descriptions laid out for matching.

    Attributes
    ----------
    meta
        Works, languages and parties.
    subjects
        Works and items.
    patterns
        Folded strings, sorted.
    texts, gaps
        As many as entries: the name as written, and the gap class before each of its characters but the first.
    descriptions
        Texts, in the order of ``description_subject``.
    first
        int32 ``(patterns + 1,)``: entries of pattern ``p`` are ``first[p]:first[p + 1]``.
    subject
        int32 ``(entries,)``: index into subjects, or into roles for a real person.
    sense, lang, flags
        uint8 ``(entries,)``.
    fuzzy_keys, fuzzy_patterns
        uint32 and int32 ``(deletions,)``, sorted by key: the deletion index for misspellings.
    fuzzy_distant
        int32: patterns long enough to be two edits away, ascending.
    description_subject, description_lang
        int32 and uint8 ``(descriptions,)``.
    zipf
        float32 ``(patterns,)``: frequency of each pattern in ordinary text, the rarest of its words.
    automaton
        uint8 ``(bytes,)``: a ready-made automaton over the patterns, or nothing.
    """

    meta: Meta
    subjects: SubjectTable
    patterns: StringTable
    texts: StringTable
    gaps: StringTable
    descriptions: StringTable
    first: npt.NDArray[np.int32]
    subject: npt.NDArray[np.int32]
    sense: npt.NDArray[np.uint8]
    lang: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    fuzzy_keys: npt.NDArray[np.uint32]
    fuzzy_patterns: npt.NDArray[np.int32]
    fuzzy_distant: npt.NDArray[np.int32]
    description_subject: npt.NDArray[np.int32]
    description_lang: npt.NDArray[np.uint8]
    zipf: npt.NDArray[np.float32]
    automaton: npt.NDArray[np.uint8]

    _ARRAYS = ("first", "subject", "sense", "lang", "flags", "fuzzy_keys", "fuzzy_patterns", "fuzzy_distant",
               "description_subject", "description_lang", "zipf", "automaton")  # fmt: skip
    _STRINGS = ("patterns", "texts", "gaps", "descriptions")

    @cached_property
    def version(self) -> str:
        """Version of the data and the first eight digits of its hash."""
        return f"{self.meta.version}+{self.meta.source[:8]}"

    @cached_property
    def work_index(self) -> dict[str, int]:
        """Work id to index."""
        return {work.id: at for at, work in enumerate(self.meta.works)}

    @cached_property
    def holders(self) -> frozenset[str]:
        """Ids of the rights holders that are known."""
        return frozenset(self.meta.parties).union(*(work.rights_holders for work in self.meta.works))

    @cached_property
    def depth(self) -> list[int]:
        """Subjects of each work: how much the catalogue knows of it."""
        counts: list[int] = np.bincount(self.subjects.works, minlength=len(self.meta.works)).tolist()
        return counts

    def to_bytes(self) -> bytes:
        """Serialise, with the SHA-256 of the content in front."""
        arrays: dict[str, npt.NDArray[np.generic]] = {n: np.ascontiguousarray(getattr(self, n)) for n in self._ARRAYS}
        for name in self._STRINGS:
            arrays |= getattr(self, name).arrays(name)
        arrays |= self.subjects.arrays()
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
        data = _mapped(Path(path))
        if sha256(data[_HASH:]).digest() != data[:_HASH]:
            raise CatalogueError(f"{path} is not a compiled catalogue, or was changed: its hash does not match.")
        try:
            arrays, _ = views(data[_HASH:])
            header = arrays.pop("meta").data
            _check_format(path, msgspec.msgpack.decode(header, type=_Format).format)
            meta = msgspec.msgpack.decode(header, type=Meta)
            strings = {name: StringTable.from_arrays(name, arrays) for name in cls._STRINGS}
            own = {name: arrays[name] for name in cls._ARRAYS}
            compiled = cls(meta=meta, subjects=SubjectTable.from_arrays(arrays), **strings, **own)  # type: ignore[arg-type]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise CatalogueError(f"{path} is not a compiled catalogue of this version: {error}.") from None
        return compiled


def _check_format(path: str | Path, found: int) -> None:
    if found != FORMAT:
        raise CatalogueError(
            f"{path} has format {found}; this version reads format {FORMAT}. "
            "`ipguard catalogue build` writes it anew from the records."
        )


def _mapped(path: Path) -> memoryview:
    """The content of a file, mapped: processes that read the same file share its memory."""
    try:
        return mapped(path)
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CatalogueError(f"{path} is not a compiled catalogue: it is empty.") from None
