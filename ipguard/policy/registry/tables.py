"""Tables of the registry. A change here needs a migration beside it, which a test compares with these tables."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION_TABLE = "ipguard_version"
"""Where the schema's version is kept: prefixed like all tables, so that the database may hold others."""


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC; kept without a zone, since SQLite knows none."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the database the time in UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the caller a time that says its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = sa.MetaData()

state = sa.Table(
    "ipguard_state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("review", sa.Float),
    sa.Column("block", sa.Float),
    sa.Column("style", sa.String(16), nullable=False),
    sa.Column("style_threshold", sa.Float, nullable=False),
)
"""One row: the counter that every write raises, and the policy's own thresholds."""

rules = sa.Table(
    "ipguard_rules",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("effect", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("work", sa.String(80), index=True),
    sa.Column("item", sa.String(80)),
    sa.Column("rights_holder", sa.String(80), index=True),
    sa.Column("medium", sa.String(32)),
    sa.Column("category", sa.String(16)),
    sa.Column("territories", sa.JSON, nullable=False),
    sa.Column("since", sa.Date),
    sa.Column("until", sa.Date),
    sa.Column("source", sa.Text),
    sa.Column("review", sa.Float),
    sa.Column("block", sa.Float),
    sa.Column("added_at", UtcTime, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    # An id that a log names must not come to mean another rule.
    sqlite_autoincrement=True,
)

decisions = sa.Table(
    "ipguard_decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("uid", sa.String(32), nullable=False, unique=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("request_id", sa.Text, nullable=False, index=True),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("prompt_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("prompt", sa.Text),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("risk", sa.Float, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason_code", sa.String(64), nullable=False),
    sa.Column("matches", sa.JSON, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("catalogue_version", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("review", sa.String(16), nullable=False, index=True),
    sa.Column("label", sa.String(16)),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("reviewed_by", sa.Text, nullable=False),
    sa.Column("reviewed_at", UtcTime),
    sqlite_autoincrement=True,
)
