"""What alembic runs: the migrations, on the connection and within the transaction of the caller."""

from __future__ import annotations

from alembic import context

from ipguard.policy.registry.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
