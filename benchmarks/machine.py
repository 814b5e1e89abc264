"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version


def describe() -> dict[str, object]:
    """Return processor count, platform and library versions."""
    libraries = ("numpy", "numkong", "tokenizers", "daachorse", "rapidfuzz", "msgspec")
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries},
    }
