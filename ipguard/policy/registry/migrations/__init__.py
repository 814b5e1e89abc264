"""Migrations of the registry's schema, run by alembic."""
