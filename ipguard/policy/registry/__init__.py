"""Rules and decisions in a database: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ipguard.errors import MissingExtraError

if TYPE_CHECKING:
    from ipguard.policy.registry.audit import AuditLog, DecisionRecord, record_of
    from ipguard.policy.registry.store import Registry, StoredRule
    from ipguard.policy.registry.writer import AuditWriter

_HOMES = {
    "AuditLog": "audit", "AuditWriter": "writer", "DecisionRecord": "audit", "Registry": "store", "StoredRule": "store",
    "record_of": "audit",
}  # fmt: skip

__all__ = ["AuditLog", "AuditWriter", "DecisionRecord", "Registry", "StoredRule", "record_of"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load a public name on first use: all need packages of an extra."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ipguard.policy.registry' has no attribute {name!r}")
    try:
        return getattr(import_module(f"ipguard.policy.registry.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("sqlalchemy", "alembic"):
            raise
        raise MissingExtraError("the registry of rules", "policy") from error
