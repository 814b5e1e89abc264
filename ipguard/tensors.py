"""Files of arrays: mapped, so that processes that read one share its memory, and known by their hash."""

from __future__ import annotations

from functools import lru_cache
from hashlib import file_digest
from mmap import ACCESS_READ, mmap
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]
_DTYPES = {"I8": "i1", "U8": "u1", "U32": "<u4", "I32": "<i4", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}
_METADATA = "__metadata__"


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def mapped(path: Path) -> memoryview:
    """Return the bytes of a file without reading them.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    memoryview
        Its content, mapped.

    Raises
    ------
    OSError
        If it cannot be opened.
    ValueError
        If it is empty.
    """
    with path.open("rb") as stream:
        return memoryview(mmap(stream.fileno(), 0, access=ACCESS_READ))


def views(body: memoryview) -> tuple[Arrays, dict[str, str]]:
    """Return the arrays of a safetensors file, none of them copied, and its metadata.

    Parameters
    ----------
    body
        The content: eight bytes of length, a header in JSON, data.

    Returns
    -------
    tuple
        Arrays by name, and the text that was stored with them.

    Raises
    ------
    ValueError, KeyError
        If it is none.
    """
    end = 8 + int.from_bytes(body[:8], "little")
    header = msgspec.json.decode(body[8:end], type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(header.pop(_METADATA, msgspec.Raw(b"{}")), type=dict[str, str])
    arrays: Arrays = {}
    for name, raw in header.items():
        tensor = msgspec.json.decode(raw, type=_Tensor)
        start, stop = tensor.data_offsets
        flat = np.frombuffer(body[end + start : end + stop], dtype=_DTYPES[tensor.dtype])
        arrays[name] = flat.reshape(tensor.shape)
    return arrays, metadata


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; a file that has not changed is read once."""
    state = path.stat()
    return _hash(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
