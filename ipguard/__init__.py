"""Says how likely fulfilling a prompt is to reproduce a protected franchise: which one, whose it is, and why.

>>> import ipguard
>>> verdict = ipguard.score("Goku and Pikachu share ramen in Shibuya, 4k")
>>> verdict.decision, verdict.matches[0].title
('block', 'Dragon Ball')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipguard.api import score, score_many
    from ipguard.catalogue.store import Catalogue
    from ipguard.errors import (
        BatchError,
        BundleError,
        BundleFormatError,
        BundleMissingError,
        BundleTamperedError,
        CatalogueError,
        CatalogueFormatError,
        DataError,
        InvalidArgumentError,
        InvalidPromptError,
        IpguardError,
        MissingExtraError,
        PolicyError,
        RegistryError,
    )
    from ipguard.guard import Guard
    from ipguard.policy.rules import Policy
    from ipguard.rewriting import Rewrite, rewrite
    from ipguard.verdict import Match, Verdict

__version__ = "0.1.0"

_HOMES = {
    "score": "ipguard.api",
    "score_many": "ipguard.api",
    "Guard": "ipguard.guard",
    "Verdict": "ipguard.verdict",
    "Match": "ipguard.verdict",
    "Catalogue": "ipguard.catalogue.store",
    "Policy": "ipguard.policy.rules",
    "Rewrite": "ipguard.rewriting",
    "rewrite": "ipguard.rewriting",
    **dict.fromkeys(
        (
            "IpguardError", "InvalidArgumentError", "InvalidPromptError", "CatalogueError", "CatalogueFormatError",
            "BundleError", "BundleMissingError", "BundleTamperedError", "BundleFormatError", "PolicyError",
            "RegistryError", "BatchError", "DataError", "MissingExtraError",
        ),
        "ipguard.errors",
    ),
}  # fmt: skip

__all__ = [
    "BatchError",
    "BundleError",
    "BundleFormatError",
    "BundleMissingError",
    "BundleTamperedError",
    "Catalogue",
    "CatalogueError",
    "CatalogueFormatError",
    "DataError",
    "Guard",
    "InvalidArgumentError",
    "InvalidPromptError",
    "IpguardError",
    "Match",
    "MissingExtraError",
    "Policy",
    "PolicyError",
    "RegistryError",
    "Rewrite",
    "Verdict",
    "rewrite",
    "score",
    "score_many",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load a public name on first use, so that importing the package loads no model and no library."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ipguard' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*__all__, "__version__"])
