"""Many prompts: files, data frames, clusters, and a page about the result."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipguard.batch.engine import Options, Summary, score_file
    from ipguard.batch.frames import mapper, score_frame
    from ipguard.batch.many import score_inputs
    from ipguard.batch.page import write_report

_HOMES = {
    "Options": "engine", "Summary": "engine", "score_file": "engine", "score_inputs": "many",
    "mapper": "frames", "score_frame": "frames", "write_report": "page",
}  # fmt: skip

__all__ = ["Options", "Summary", "mapper", "score_file", "score_frame", "score_inputs", "write_report"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load a public name on first use: most need packages of an extra."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ipguard.batch' has no attribute {name!r}")
    return getattr(import_module(f"ipguard.batch.{_HOMES[name]}"), name)
