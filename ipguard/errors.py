"""Errors that ipguard raises.

::

    IpguardError
    ├── InvalidArgumentError (also ValueError)   a caller's argument breaks a rule
    │   └── InvalidPromptError (also TypeError)  a prompt that is not a string
    ├── CatalogueError                           a catalogue cannot be read, built or used
    │   └── CatalogueFormatError                 one line of a catalogue file breaks the schema
    ├── BundleError                              a model bundle cannot be used
    │   ├── BundleMissingError                   a file of the bundle is not there
    │   ├── BundleTamperedError                  a file differs from the hash in its manifest
    │   └── BundleFormatError                    format, schema or encoder is not the one expected
    ├── PolicyError                              a policy cannot be read or applied
    │   └── RegistryError                        its database cannot be reached, or is not of this version
    ├── BatchError                               a batch cannot be read or written
    ├── DataError                                labelled data cannot be read or joined
    └── MissingExtraError (also ImportError)     an optional dependency is not installed

Every error says what was wrong, which rule it broke and which value was received.
"""

from __future__ import annotations

from pathlib import Path

_SHOWN = 80


def shown(value: object) -> str:
    """Return a short representation of a value for use in an error message.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    str
        ``repr(value)``, cut to 80 characters.
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class IpguardError(Exception):
    """Root of every error that ipguard raises on purpose."""


class InvalidArgumentError(IpguardError, ValueError):
    """An argument breaks a rule.

    Parameters
    ----------
    argument
        Name of the argument as the caller wrote it.
    rule
        What must hold, as a phrase that follows "must".
    value
        The value received.
    """

    def __init__(self, argument: str, rule: str, value: object) -> None:
        self.argument, self.rule, self.value = argument, rule, value
        super().__init__(f"{argument} must {rule}. Got {shown(value)} ({type(value).__name__}).")

    def __reduce__(self) -> tuple[type[InvalidArgumentError], tuple[str, str, object]]:
        """Rebuild from the three parts, so that workers can send it home."""
        return type(self), (self.argument, self.rule, self.value)


class InvalidPromptError(InvalidArgumentError, TypeError):
    """A prompt is not a string."""


class CatalogueError(IpguardError):
    """A catalogue cannot be read, built or used."""


class CatalogueFormatError(CatalogueError):
    """A line of a catalogue file breaks the schema.

    Parameters
    ----------
    path
        The file.
    line
        Its line, from 1.
    rule
        The rule that is broken.
    detail
        What was found.
    """

    def __init__(self, path: str | Path, line: int, rule: str, detail: str) -> None:
        self.path, self.line, self.rule, self.detail = str(path), line, rule, detail
        super().__init__(f"{path}:{line}: {rule}: {detail}")

    def __reduce__(self) -> tuple[type[CatalogueFormatError], tuple[str, int, str, str]]:
        """Rebuild from the four parts."""
        return type(self), (self.path, self.line, self.rule, self.detail)


class BundleError(IpguardError):
    """A model bundle cannot be used."""


class BundleMissingError(BundleError):
    """A file of a model bundle is not there."""


class BundleTamperedError(BundleError):
    """A file of a model bundle differs from the hash that its manifest gives."""


class BundleFormatError(BundleError):
    """A bundle's format, schema or encoder is not one that this version accepts."""


class PolicyError(IpguardError):
    """A policy cannot be read or applied."""


class RegistryError(PolicyError):
    """The database of rules and decisions cannot be reached, or is not of this version."""


class BatchError(IpguardError):
    """A batch cannot be read or written."""


class DataError(IpguardError):
    """Labelled data cannot be read or joined."""


class MissingExtraError(IpguardError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    feature
        What was asked for.
    extra
        The extra that installs what it needs.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'ipguard-prompts[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Rebuild from the two parts."""
        return type(self), (self.feature, self.extra)
