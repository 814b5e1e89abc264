"""Connections, transactions and the version of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ipguard.errors import InvalidArgumentError, MissingExtraError, RegistryError
from ipguard.policy.registry.tables import VERSION_TABLE

CONNECT_SECONDS = 5
"""A server that does not answer in this time counts as unreachable."""
LOCK_SECONDS = 10
"""How long a writer waits for another."""
_SQLITE: dict[str, Any] = {"timeout": LOCK_SECONDS, "check_same_thread": False}
_POSTGRES: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    # A network that swallows everything, or a lock that is never given back, must end in an error too.
    "tcp_user_timeout": 1000 * LOCK_SECONDS,
    "keepalives_idle": CONNECT_SECONDS,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "options": f"-c lock_timeout={1000 * LOCK_SECONDS}",
}
_ADVISORY_LOCK = 0x69706764
_MIGRATIONS = Path(__file__).parent / "migrations"

SchemaState = Literal["empty", "current", "older", "newer"]


def database_url(where: str | Path) -> sa.URL:
    """Return the address of a database.

    Parameters
    ----------
    where
        ``postgresql://…``, ``sqlite:///FILE``, or the path of an SQLite file.

    Returns
    -------
    sqlalchemy.URL
        With the driver that ipguard uses.

    Raises
    ------
    InvalidArgumentError
        If it is neither.
    MissingExtraError
        If PostgreSQL is asked for and psycopg is not installed.
    """
    text = str(where)
    rule = "be postgresql://USER@HOST/NAME, sqlite:///FILE or the path of an SQLite file"
    if "://" not in text:
        if not text:
            raise InvalidArgumentError("registry", rule, text)
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidArgumentError("registry", rule, "an address that cannot be read") from None
    kind = url.drivername.split("+")[0]
    if kind in ("postgres", "postgresql"):
        try:
            import psycopg  # noqa: F401, PLC0415 - behind an extra
        except ImportError as error:
            raise MissingExtraError("a registry in PostgreSQL", "postgres") from error
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise InvalidArgumentError("registry", rule, url.render_as_string(hide_password=True))


def sqlite_file(where: str | Path) -> Path | None:
    """Return the file of an SQLite database, None for PostgreSQL; see :func:`database_url`."""
    url = database_url(where)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


class Database:
    """An address with its pool of connections. Thread-safe; connections are made when they are needed.

    Parameters
    ----------
    where
        As for :func:`database_url`.
    """

    def __init__(self, where: str | Path) -> None:
        self.url = database_url(where)
        self.name = self.url.render_as_string(hide_password=True)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        arguments = _SQLITE if self.is_sqlite else _POSTGRES
        # A connection that a restarted server has dropped is noticed before it is used.
        self.engine = sa.create_engine(self.url, connect_args=arguments, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection for one transaction that only reads.

        Yields
        ------
        sqlalchemy.Connection
            Given back at the end.

        Raises
        ------
        RegistryError
            If the database cannot be reached or refuses.
        """
        with self._telling(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection for one transaction that is committed at the end, or undone by an exception.

        Yields
        ------
        sqlalchemy.Connection
            Given back at the end.

        Raises
        ------
        RegistryError
            If the database cannot be reached or refuses.
        """
        engine = self.engine.execution_options(ipguard_writes=True)
        with self._telling(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn errors of the database into one line that names it, without its password."""
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            detail = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
            raise RegistryError(f"The registry {self.name} failed: {detail}") from error

    def schema_state(self) -> SchemaState:
        """Return how the schema of the database compares with that of this version.

        Returns
        -------
        str
            ``empty`` where there is none, ``newer`` where this version does not know it.
        """
        with self.reading() as connection:
            return _schema_state(connection)

    def has_tables(self) -> bool:
        """Return whether the database holds any table, ipguard's or another's."""
        with self.reading() as connection:
            return bool(sa.inspect(connection).get_table_names())

    def upgrade(self) -> None:
        """Create the tables, or bring them to the schema of this version; several processes may try at once.

        Raises
        ------
        RegistryError
            If the database is newer than this version, or cannot be changed.
        """
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            if _schema_state(connection) == "newer":
                raise RegistryError(_newer(self.name))
            config = _alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check_schema(self, *, may_create: bool = True) -> None:
        """Refuse a database that this version cannot use; a fresh SQLite file gets its tables.

        Parameters
        ----------
        may_create
            Whether it does; if not, one that is not there is refused.

        Raises
        ------
        RegistryError
            Saying what to do.
        """
        if self.is_sqlite and not may_create and not Path(self.url.database or "").is_file():
            raise RegistryError(f"{self.name} is not there. `ipguard policy init --registry …` creates it.")
        if self.is_sqlite and may_create and not self.has_tables():
            self.upgrade()
            return
        found = self.schema_state()
        if found == "empty":
            raise RegistryError(
                f"{self.name} holds no registry. `ipguard policy init --registry …` creates its tables."
            )
        if found == "older":
            raise RegistryError(
                f"{self.name} was made by an older version of ipguard. "
                "`ipguard policy upgrade --registry …` brings it up to date."
            )
        if found == "newer":
            raise RegistryError(_newer(self.name))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _newer(name: str) -> str:
    return f"{name} was made by a newer version of ipguard than this one; update ipguard."


def _alembic_config() -> Config:
    config = Config()
    # A percent sign in the path would be taken for an interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _schema_state(connection: sa.Connection) -> SchemaState:
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    script = ScriptDirectory.from_config(_alembic_config())
    if found is None:
        return "empty"
    if found == script.get_current_head():
        return "current"
    return "older" if found in {revision.revision for revision in script.walk_revisions()} else "newer"


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - of the driver
    # The driver's own transactions begin too late to keep reading and writing together; ours begin by hand.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock at once: one that read first could find that another has written since.
    writes = connection.get_execution_options().get("ipguard_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
