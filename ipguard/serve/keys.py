"""Keys of callers: made once, kept as hashes, compared in constant time."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Literal, get_args

from ipguard.errors import InvalidArgumentError, ServeError

Role = Literal["end_user", "read", "policy"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may: be told a decision; see terms and spans; change the policy."""

PREFIX = "ipg_"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    name
        Name of the key; empty for a caller on this machine where no keys are in use.
    role
        What the caller may do.
    """

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Return whether the caller's role includes another."""
        return ROLES.index(self.role) >= ROLES.index(role)


def digest(key: str) -> str:
    """Return the hash under which a key is kept.

    A key holds 256 random bits, so that a fast hash does: there is nothing to guess, unlike with a password.
    """
    return sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key(name: str, role: str) -> tuple[str, str]:
    """Make a key.

    Parameters
    ----------
    name
        Letters, digits, dots, hyphens and underscores; stands in logs and in the record of decisions.
    role
        One of :data:`ROLES`.

    Returns
    -------
    tuple of str
        The key, and the line for the file of keys.

    Raises
    ------
    InvalidArgumentError
        If the name or the role breaks its rule.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgumentError("name", "hold 1 to 64 letters, digits, dots, hyphens and underscores", name)
    if role not in ROLES:
        raise InvalidArgumentError("role", f"be one of {', '.join(ROLES)}", role)
    key = PREFIX + secrets.token_urlsafe(32)
    return key, f"{name}:{role}:{digest(key)}"


class KeyRing:
    """The keys that are valid.

    Parameters
    ----------
    entries
        Callers with the hash of their key.
    """

    def __init__(self, entries: Iterable[tuple[Caller, str]]) -> None:
        self._entries = tuple(entries)

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._entries)

    @classmethod
    def load(cls, path: str | Path) -> KeyRing:
        """Read a file of keys: a line ``name:role:hash`` each; empty lines and ``#`` comments are skipped.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        KeyRing
            Its keys.

        Raises
        ------
        ServeError
            If it cannot be read, holds no key, or a line breaks the format; the message names the line.
        """
        try:
            lines = Path(path).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ServeError(f"The file of keys {path} cannot be read: {error}.") from None
        found: dict[str, tuple[Caller, str]] = {}
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, _, rest = text.partition(":")
            role, _, hashed = rest.partition(":")
            if not (_NAME.fullmatch(name) and role in ROLES and _DIGEST.fullmatch(hashed)):
                raise ServeError(
                    f"{path}:{number} is not a key: it must be name:role:hash, from ipguard serve-key new."
                )
            if name in found:
                raise ServeError(f"{path}:{number} repeats the name {name!r}.")
            found[name] = Caller(name, ROLES[ROLES.index(role)]), hashed
        if not found:
            raise ServeError(f"{path} holds no key; make one with ipguard serve-key new NAME.")
        return cls(found.values())

    def caller(self, key: str) -> Caller | None:
        """Return whose key it is, or None. Takes the same time whichever key it is."""
        wanted = digest(key)
        matching = [caller for caller, hashed in self._entries if compare_digest(hashed, wanted)]
        return matching[0] if matching else None
