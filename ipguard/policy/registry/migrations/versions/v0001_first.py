"""Rules, the counter of their changes, decisions with their review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the tables, and the one row of state."""
    state = op.create_table(
        "ipguard_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("review", sa.Float),
        sa.Column("block", sa.Float),
        sa.Column("style", sa.String(16), nullable=False),
        sa.Column("style_threshold", sa.Float, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0, "style": "allow", "style_threshold": 0.5}])
    _create_rules()
    _create_decisions()


def _create_rules() -> None:
    op.create_table(
        "ipguard_rules",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("effect", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("work", sa.String(80)),
        sa.Column("item", sa.String(80)),
        sa.Column("rights_holder", sa.String(80)),
        sa.Column("medium", sa.String(32)),
        sa.Column("category", sa.String(16)),
        sa.Column("territories", sa.JSON, nullable=False),
        sa.Column("since", sa.Date),
        sa.Column("until", sa.Date),
        sa.Column("source", sa.Text),
        sa.Column("review", sa.Float),
        sa.Column("block", sa.Float),
        sa.Column("added_at", sa.DateTime, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("work", "rights_holder"):
        op.create_index(f"ix_ipguard_rules_{column}", "ipguard_rules", [column])


def _create_decisions() -> None:
    op.create_table(
        "ipguard_decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False, unique=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("prompt_sha256", sa.String(64), nullable=False),
        sa.Column("prompt", sa.Text),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("risk", sa.Float, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reason_code", sa.String(64), nullable=False),
        sa.Column("matches", sa.JSON, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("catalogue_version", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("review", sa.String(16), nullable=False),
        sa.Column("label", sa.String(16)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reviewed_by", sa.Text, nullable=False),
        sa.Column("reviewed_at", sa.DateTime),
        sqlite_autoincrement=True,
    )
    for column in ("at", "request_id", "prompt_sha256", "review"):
        op.create_index(f"ix_ipguard_decisions_{column}", "ipguard_decisions", [column])


def downgrade() -> None:
    """Drop everything."""
    for table in ("ipguard_decisions", "ipguard_rules", "ipguard_state"):
        op.drop_table(table)
