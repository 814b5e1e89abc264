"""Settings from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths that callers may set without code.

    Attributes
    ----------
    model
        Folder of a model bundle (``IPGUARD_MODEL``).
    catalogue
        Compiled catalogue or catalogue folder (``IPGUARD_CATALOGUE``).
    policy
        Policy file (``IPGUARD_POLICY``).
    """

    model: Path | None = None
    catalogue: Path | None = None
    policy: Path | None = None

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings; an empty variable counts as unset."""
        found = {key: os.environ.get(f"IPGUARD_{key.upper()}", "") for key in ("model", "catalogue", "policy")}
        return cls(**{key: Path(value) for key, value in found.items() if value})
