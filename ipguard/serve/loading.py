"""Model and catalogue, loaded once and shared by workers that are forked afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ipguard.catalogue.store import default_folder
from ipguard.guard import Guard
from ipguard.policy.rules import Policy
from ipguard.serve.settings import ServeSettings
from ipguard.settings import Settings

Stamp = tuple[tuple[str, int, int, int], ...]


def stamp(path: Path) -> Stamp:
    """Return what changes when a file, or a file of a folder, changes.

    Parameters
    ----------
    path
        File or folder.

    Returns
    -------
    tuple
        Name, inode, size and time of each file; empty if there is none.
    """
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        if not file.is_dir():
            found.append((str(file), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A guard without a policy of its own, and what its catalogue's file looked like before it was read."""

    guard: Guard
    stamp: Stamp


def catalogue_path(settings: ServeSettings) -> Path:
    """Return the file or folder that the catalogue is read from."""
    if settings.catalogue:
        return Path(settings.catalogue)
    return Settings.from_environment().catalogue or default_folder()


def load(settings: ServeSettings) -> Loaded:
    """Load model and catalogue.

    Parameters
    ----------
    settings
        Of the service.

    Returns
    -------
    Loaded
        For :func:`~ipguard.serve.app.create_app`.

    Raises
    ------
    IpguardError
        If one of them cannot be used.
    """
    before = stamp(catalogue_path(settings))
    guard = Guard(
        model=settings.model, catalogue=settings.catalogue, policy=Policy(),
        review=settings.review, block=settings.block, prior=settings.prior,
    )  # fmt: skip
    return Loaded(guard, before)
