"""Settings of the service, from arguments or ``IPGUARD_*`` variables of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from ipguard.errors import InvalidArgumentError

Images = Literal["refuse", "ignore"]
Audit = Literal["off", "on", "required"]
BlockOn = Literal["block", "review"]
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What the service is started with. Each field is also ``IPGUARD_`` and its name in capitals.

    Attributes
    ----------
    model, catalogue
        As for :class:`~ipguard.guard.Guard`.
    policy
        Policy file, or the URL of a registry; looked at once a second.
    database
        URL of the registry that decisions are recorded in; that of the policy if that is a URL.
    keys
        File of hashed keys. Without one, only callers on this machine are answered.
    review, block, prior
        As for :class:`~ipguard.guard.Guard`.
    max_body
        Bytes of a request.
    max_prompts
        Prompts of a request.
    queue
        Prompts that may be in work at once; a request beyond them is refused.
    timeout
        Seconds that a request may take, the reading of its body included.
    drain
        Seconds, after the order to stop, in which requests are still taken and connections are asked to close.
    stop_timeout
        Seconds that requests in work then still have.
    poll
        Seconds between two looks at policy, keys and catalogue.
    watch_catalogue
        Load the catalogue anew when its file changes.
    images
        What LiteLLM's requests with images get: ``refuse`` blocks them, ``ignore`` judges their text alone.
    block_on
        The decision from which LiteLLM's requests are blocked.
    audit
        Record what is not allowed: ``off``, ``on``, or ``required`` (a request that cannot be recorded fails).
    log_prompts
        Write prompts to the log, and to the record of decisions.
    """

    model: str | None = None
    catalogue: str | None = None
    policy: str | None = None
    database: str | None = None
    keys: str | None = None
    review: float | None = None
    block: float | None = None
    prior: float | None = None
    max_body: int = 2 * 1024 * 1024
    max_prompts: int = 256
    queue: int = 1024
    timeout: float = 30.0
    drain: float = 1.0
    stop_timeout: float = 30.0
    poll: float = 1.0
    watch_catalogue: bool = False
    images: Images = "refuse"
    block_on: BlockOn = "block"
    audit: Audit = "on"
    log_prompts: bool = False

    def __post_init__(self) -> None:
        """Check the numbers and choices."""
        for name in ("max_body", "max_prompts", "queue", "timeout", "poll"):
            if getattr(self, name) <= 0:
                raise InvalidArgumentError(name, "be greater than 0", getattr(self, name))
        for name in ("drain", "stop_timeout"):
            if getattr(self, name) < 0:
                raise InvalidArgumentError(name, "not be negative", getattr(self, name))
        if self.queue < self.max_prompts:
            raise InvalidArgumentError("queue", f"be at least max_prompts ({self.max_prompts})", self.queue)
        for name, choices in (("images", Images), ("block_on", BlockOn), ("audit", Audit)):
            if getattr(self, name) not in get_args(choices):
                raise InvalidArgumentError(name, f"be one of {', '.join(get_args(choices))}", getattr(self, name))
        if self.audit == "required" and self.registry is None:
            raise InvalidArgumentError("audit", "be required only where there is a database", self.audit)

    @property
    def registry(self) -> str | None:
        """Address of the registry: the database, or the policy where it is one."""
        if self.database or not self.policy:
            return self.database
        is_registry = "://" in self.policy or self.policy.lower().endswith((".db", ".sqlite", ".sqlite3"))
        return self.policy if is_registry else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: Any) -> ServeSettings:  # noqa: ANN401
        """Read settings from variables; an empty one counts as unset.

        Parameters
        ----------
        environment
            Variables; those of the process if None.
        given
            Settings that go before the variables where they are not None.

        Returns
        -------
        ServeSettings
            Checked.

        Raises
        ------
        InvalidArgumentError
            If a variable does not hold a value of its setting's type, or breaks its rule.
        """
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = f"IPGUARD_{field.name.upper()}"
            if text := source.get(variable, ""):
                values[field.name] = _parsed(variable, text, str(field.type))
        return cls(**values | {name: value for name, value in given.items() if value is not None})


def _parsed(variable: str, text: str, kind: str) -> object:
    if kind == "bool":
        if text.lower() not in _YES | _NO:
            raise InvalidArgumentError(variable, "be 1 or 0", text)
        return text.lower() in _YES
    try:
        if "int" in kind:
            return int(text)
        return float(text) if "float" in kind else text
    except ValueError:
        raise InvalidArgumentError(variable, "be a number", text) from None
