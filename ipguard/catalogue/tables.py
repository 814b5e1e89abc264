"""Sequences over one block of bytes: strings and subjects that are decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import overload

import msgspec
import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[np.generic]]


class StringTable(Sequence[str]):
    """Strings as one UTF-8 block and the places where each begins.

    Parameters
    ----------
    block
        uint8 ``(bytes,)``.
    starts
        uint32 ``(n + 1,)``.
    """

    __slots__ = ("_bytes", "_starts", "block", "starts")

    def __init__(self, block: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint32]) -> None:
        self.block, self.starts = block, starts
        # Items of a memoryview are Python integers, several times quicker to reach than numpy's.
        self._bytes, self._starts = np.ascontiguousarray(block).data, np.ascontiguousarray(starts).data

    @classmethod
    def of(cls, texts: Iterable[str]) -> StringTable:
        """Pack strings; lone surrogates are kept.

        Parameters
        ----------
        texts
            Any strings.

        Returns
        -------
        StringTable
            Of the same length and order.
        """
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        starts = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.uint32)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), starts)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """Return one string, or those of a slice."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(at)
        return str(self._bytes[self._starts[place] : self._starts[place + 1]], "utf-8", "surrogatepass")

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self._starts) - 1

    def arrays(self, name: str) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays to store under a name; :meth:`from_arrays` reads them."""
        return {name: self.block, f"{name}_starts": self.starts}

    @classmethod
    def from_arrays(cls, name: str, arrays: Arrays) -> StringTable:
        """Build from what :meth:`arrays` gave; raises :class:`KeyError` if a part is missing."""
        return cls(arrays[name].astype(np.uint8, copy=False), arrays[f"{name}_starts"].astype(np.uint32, copy=False))


class SubjectInfo(msgspec.Struct, frozen=True):
    """A work itself (``item`` is None) or one of its items."""

    work: int
    item: str | None
    title: str
    status: str
    generic: str | None
    kind: str | None


class SubjectTable(Sequence[SubjectInfo]):
    """Subjects as columns.

    Parameters
    ----------
    works
        int32 ``(n,)``: index of the work.
    columns
        Tables ``item``, ``title``, ``status``, ``generic`` and ``kind``; an empty string stands for None.
    """

    __slots__ = ("columns", "of_work", "works")

    def __init__(self, works: npt.NDArray[np.int32], columns: Mapping[str, StringTable]) -> None:
        self.works, self.columns = works, dict(columns)
        self.of_work = np.ascontiguousarray(works).data

    COLUMNS = ("item", "title", "status", "generic", "kind")

    @classmethod
    def of(cls, subjects: Sequence[SubjectInfo]) -> SubjectTable:
        """Pack subjects in their order."""
        works = np.array([s.work for s in subjects], dtype=np.int32)
        columns = {name: StringTable.of(getattr(s, name) or "" for s in subjects) for name in cls.COLUMNS}
        return cls(works, columns)

    @overload
    def __getitem__(self, at: int) -> SubjectInfo: ...
    @overload
    def __getitem__(self, at: slice) -> list[SubjectInfo]: ...
    def __getitem__(self, at: int | slice) -> SubjectInfo | list[SubjectInfo]:
        """Return one subject, or those of a slice."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        item, title, status, generic, kind = (self.columns[name][at] for name in self.COLUMNS)
        return SubjectInfo(self.of_work[at], item or None, title, status, generic or None, kind or None)

    def __len__(self) -> int:
        """Return the number of subjects."""
        return len(self.works)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays to store."""
        out: dict[str, npt.NDArray[np.generic]] = {"subject_work": self.works}
        for name, table in self.columns.items():
            out |= table.arrays(f"subject_{name}")
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> SubjectTable:
        """Build from what :meth:`arrays` gave."""
        columns = {name: StringTable.from_arrays(f"subject_{name}", arrays) for name in cls.COLUMNS}
        return cls(arrays["subject_work"].astype(np.int32, copy=False), columns)
