"""The journal of a run: its finished parts on disk, so that a run that was killed can be taken up again.

Beside the output ``OUT`` lies a folder ``.OUT.ipguard`` while the run goes on: ``run.json`` says what is being done,
``NNNNNN.part`` holds the bytes of a chunk, and ``NNNNNN.json`` its counts, rejects and the hash of its input. The last
is written last and by renaming: a chunk counts as done once it is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from ipguard.batch.rows import Chunk, Reject
from ipguard.batch.sinks import atomic
from ipguard.errors import BatchError


class Done(msgspec.Struct, frozen=True):
    """What is known of a finished chunk.

    Attributes
    ----------
    digest
        Of its input.
    decisions
        Rows by decision, ``unscored`` among them.
    rejects
        Row number, reason and content of each.
    """

    digest: str
    decisions: dict[str, int]
    rejects: tuple[tuple[int, str, str], ...]

    @property
    def rejected(self) -> list[Reject]:
        """The rejects as records."""
        return [Reject(*reject) for reject in self.rejects]


def chunk_digest(chunk: Chunk) -> str:
    """Return the hash of a chunk's input, its rejects included."""
    rejects = "".join(reject.line() for reject in chunk.rejects)
    return blake2b(chunk.rows.digest() + rejects.encode(), digest_size=16).hexdigest()


class Journal:
    """The folder of a run.

    Parameters
    ----------
    target
        The output file.
    settings
        What makes two runs the same: source, options, versions.
    resume
        Keep finished parts; without it they are dropped.

    Raises
    ------
    BatchError
        If the folder belongs to a run with other settings, or cannot be made.
    """

    def __init__(self, target: Path, settings: dict[str, Any], *, resume: bool) -> None:
        self.folder = target.parent / f".{target.name}.ipguard"
        self._run = self.folder / "run.json"
        wanted = msgspec.json.encode(settings, order="sorted")
        if self.folder.exists() and not resume:
            shutil.rmtree(self.folder)
        try:
            self.folder.mkdir(exist_ok=True)
            held = self._run.read_bytes() if self._run.is_file() else None
        except OSError as error:
            raise BatchError(f"{self.folder} cannot be made: {error.strerror}.") from None
        if held is not None and held != wanted:
            raise BatchError(f"{self.folder} is of another run ({_difference(held, wanted)}); run without --resume.")
        if held is None:
            self._write(self._run, wanted)

    def finished(self, chunk: Chunk) -> Done | None:
        """Return what is known of a chunk that an earlier run finished; None if it must be done.

        Raises
        ------
        BatchError
            If the input differs from what the earlier run read.
        """
        path = self.folder / f"{chunk.number:06d}.json"
        try:
            done = msgspec.json.decode(path.read_bytes(), type=Done)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise BatchError(f"{path} is damaged ({error}); run without --resume.") from None
        if done.digest != chunk_digest(chunk):
            raise BatchError(f"The input has changed since {self.folder} was written; run without --resume.")
        return done

    def finish(self, chunk: Chunk, part: bytes, decisions: dict[str, int]) -> Done:
        """Keep the bytes of a chunk."""
        rejects = tuple((reject.row, reject.reason, reject.content) for reject in chunk.rejects)
        done = Done(chunk_digest(chunk), decisions, rejects)
        self._write(self.folder / f"{chunk.number:06d}.part", part)
        self._write(self.folder / f"{chunk.number:06d}.json", msgspec.json.encode(done))
        return done

    def parts(self, count: int) -> Iterator[bytes]:
        """Yield the bytes of the chunks in order."""
        for number in range(count):
            yield (self.folder / f"{number:06d}.part").read_bytes()

    def remove(self) -> None:
        """Delete the folder: the output is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        with atomic(path) as stream:
            stream.write(data)


def _difference(held: bytes, wanted: bytes) -> str:
    try:
        old, new = (msgspec.json.decode(data, type=dict[str, Any]) for data in (held, wanted))
    except msgspec.DecodeError:
        return "its run.json is damaged"
    return ", ".join(f"{key} was {old.get(key)!r}, is {new.get(key)!r}" for key in new if old.get(key) != new[key])
