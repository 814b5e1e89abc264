"""The registry: rules in a database, and a counter that says when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from ipguard.errors import InvalidArgumentError
from ipguard.policy.registry.audit import AuditLog
from ipguard.policy.registry.database import Database
from ipguard.policy.registry.tables import rules, state
from ipguard.policy.rules import Effect, Policy, Rule

_SETTINGS = ("review", "block", "style", "style_threshold")


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule as the registry keeps it.

    Attributes
    ----------
    id
        Stays with the rule; never used again.
    rule
        What it says.
    added_at, added_by
        When, and by whom as far as was said.
    """

    id: int
    rule: Rule
    added_at: datetime
    added_by: str


class Registry:
    """Rules in a database. Thread-safe; several processes may use one database.

    Parameters
    ----------
    where
        ``postgresql://…``, ``sqlite:///FILE``, or the path of an SQLite file.
    may_create
        Whether an SQLite file that is not there, or empty, gets its tables.

    Raises
    ------
    RegistryError
        If the database cannot be reached, holds no registry, or one of another version.
    InvalidArgumentError
        If the address is of another kind.
    """

    def __init__(self, where: str | Path, *, may_create: bool = True) -> None:
        self._database = Database(where)
        try:
            self._database.check_schema(may_create=may_create)
        except BaseException:
            self._database.close()
            raise

    @classmethod
    def create(cls, where: str | Path) -> Registry:
        """Create the tables of a registry, or bring those of an older version up to date.

        Parameters
        ----------
        where
            As for the constructor.

        Returns
        -------
        Registry
            Ready; what it held is kept.

        Raises
        ------
        RegistryError
            If the database cannot be reached or changed, or is newer than this version.
        """
        database = Database(where)
        try:
            database.upgrade()
        finally:
            database.close()
        return cls(where)

    def __enter__(self) -> Self:
        """Return the registry itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connections back."""
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    @property
    def name(self) -> str:
        """The address without its password."""
        return self._database.name

    @cached_property
    def audit(self) -> AuditLog:
        """The decisions that are kept in the same database."""
        return AuditLog(self._database)

    @property
    def revision(self) -> int:
        """A number that every change raises; cheap to ask for."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(state.c.revision)).scalar_one())

    def policy(self) -> Policy:
        """Return thresholds and rules as one policy."""
        return self.snapshot()[1]

    def snapshot(self) -> tuple[int, Policy]:
        """Return the policy with the revision that it is at least as new as.

        Returns
        -------
        tuple
            Revision and policy.
        """
        with self._database.reading() as connection:
            # The revision first: a change in between makes the next look reload, never miss it.
            held = connection.execute(sa.select(state)).mappings().one()
            found = connection.execute(sa.select(rules).order_by(rules.c.id)).mappings().all()
        settings = {key: held[key] for key in _SETTINGS}
        return held["revision"], Policy(**settings, rules=tuple(_stored(row).rule for row in found))

    def rules(
        self, *, work: str | None = None, rights_holder: str | None = None, effect: Effect | None = None
    ) -> list[StoredRule]:
        """Return rules in the order in which they were added.

        Parameters
        ----------
        work, rights_holder, effect
            Only rules that say exactly this.

        Returns
        -------
        list of StoredRule
            All if nothing is asked for.
        """
        wanted = {"work": work, "rights_holder": rights_holder, "effect": effect}
        query = sa.select(rules).order_by(rules.c.id)
        for column, value in wanted.items():
            query = query if value is None else query.where(rules.c[column] == value)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def get(self, rule_id: int) -> StoredRule:
        """Return one rule.

        Parameters
        ----------
        rule_id
            Its id.

        Returns
        -------
        StoredRule
            The rule.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id.
        """
        with self._database.reading() as connection:
            return _one(connection, rule_id)

    def add(self, rule: Rule, *, by: str = "") -> StoredRule:
        """Add a rule; one that is there already stays as it is.

        Parameters
        ----------
        rule
            What it says.
        by
            Who adds it.

        Returns
        -------
        StoredRule
            The rule with its id.
        """
        self.add_many([rule], by=by)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(rules).where(rules.c.key == rule_key(rule))).mappings().one()
        return _stored(row)

    def add_many(self, new: Iterable[Rule], *, by: str = "") -> int:
        """Add rules in one transaction: all of them, or none if it fails.

        Parameters
        ----------
        new
            Rules; those that are there already stay as they are.
        by
            Who adds them.

        Returns
        -------
        int
            How many were not there.
        """
        wanted = {rule_key(rule): rule for rule in new}
        with self._database.writing() as connection:
            _lock(connection)
            added = _insert(connection, wanted, by)
            if added:
                _raise_revision(connection)
        return added

    def remove(self, rule_id: int) -> StoredRule:
        """Remove a rule.

        Parameters
        ----------
        rule_id
            Its id.

        Returns
        -------
        StoredRule
            What it was.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id.
        """
        with self._database.writing() as connection:
            _lock(connection)
            gone = _one(connection, rule_id)
            connection.execute(sa.delete(rules).where(rules.c.id == rule_id))
            _raise_revision(connection)
        return gone

    def replace(self, policy: Policy, *, by: str = "") -> None:
        """Put a policy in the place of all rules and thresholds, in one transaction.

        Parameters
        ----------
        policy
            What shall hold. Rules that it shares with the registry keep their ids.
        by
            Who does it.
        """
        wanted = {rule_key(rule): rule for rule in policy.rules}
        with self._database.writing() as connection:
            _lock(connection)
            stale = [{"stale": key} for key in _keys(connection) - set(wanted)]
            if stale:
                connection.execute(sa.delete(rules).where(rules.c.key == sa.bindparam("stale")), stale)
            _insert(connection, wanted, by)
            connection.execute(sa.update(state).values({key: getattr(policy, key) for key in _SETTINGS}))
            _raise_revision(connection)

    def set_thresholds(self, **changed: float | str | None) -> Policy:
        """Change what holds where no rule does.

        Parameters
        ----------
        changed
            Any of ``review``, ``block``, ``style`` and ``style_threshold``, as in a
            :class:`~ipguard.policy.rules.Policy`.

        Returns
        -------
        Policy
            The policy after it.

        Raises
        ------
        InvalidArgumentError
            If one is out of range, or there is no setting of that name.
        """
        for name in changed:
            if name not in _SETTINGS:
                raise InvalidArgumentError("thresholds", f"be among {', '.join(_SETTINGS)}", name)
        with self._database.writing() as connection:
            _lock(connection)
            held = connection.execute(sa.select(state)).mappings().one()
            values: dict[str, Any] = {**{key: held[key] for key in _SETTINGS}, **changed}
            Policy(**values)  # checks them together
            connection.execute(sa.update(state).values(values))
            _raise_revision(connection)
        return self.policy()


def rule_key(rule: Rule) -> str:
    """Return the hash by which equal rules are known.

    Parameters
    ----------
    rule
        A rule.

    Returns
    -------
    str
        Hexadecimal SHA-256 of all that it says.
    """
    return sha256(msgspec.json.encode(rule, order="deterministic")).hexdigest()


def _columns(rule: Rule) -> dict[str, Any]:
    return {**msgspec.structs.asdict(rule), "territories": list(rule.territories)}


def _stored(row: sa.RowMapping) -> StoredRule:
    content = {key: row[key] for key in Rule.__struct_fields__}
    rule = Rule(**{**content, "territories": tuple(content["territories"])})
    return StoredRule(row["id"], rule, row["added_at"], row["added_by"])


def _one(connection: sa.Connection, rule_id: int) -> StoredRule:
    row = connection.execute(sa.select(rules).where(rules.c.id == rule_id)).mappings().one_or_none()
    if row is None:
        raise InvalidArgumentError("rule_id", "be the id of a rule in the registry", rule_id)
    return _stored(row)


def _keys(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.select(rules.c.key)).scalars())


def _insert(connection: sa.Connection, wanted: Mapping[str, Rule], by: str) -> int:
    """Insert the rules whose keys are not there, and return how many they are."""
    held, now = _keys(connection), datetime.now(tz=UTC)
    rows = [
        {**_columns(rule), "key": key, "added_at": now, "added_by": by}
        for key, rule in wanted.items()
        if key not in held
    ]
    if rows:
        connection.execute(sa.insert(rules), rows)
    return len(rows)


def _lock(connection: sa.Connection) -> None:
    """Let writers pass one after another; SQLite does by itself."""
    connection.execute(sa.select(state.c.id).with_for_update())


def _raise_revision(connection: sa.Connection) -> None:
    connection.execute(sa.update(state).values(revision=state.c.revision + 1))
