"""The Aho-Corasick automaton over all names: read ready-made where it can be, else built.

`daachorse <https://github.com/daac-tools/daachorse>`_ stores a finished automaton (double array, Yata et al. 2023)
and takes milliseconds to load; it has wheels for x86-64 and macOS. Elsewhere ``ahocorasick_rs`` builds its own from
the names when a process starts. Both report the same occurrences.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

Occurrence = tuple[int, int, int]
"""Start, end and number of a pattern."""


class Automaton(Protocol):
    """Finds every occurrence of every pattern, overlapping ones too."""

    def find(self, text: str) -> list[Occurrence]:
        """Return the occurrences in a text, in no particular order."""
        ...


class _DoubleArray:
    def __init__(self, automaton: object) -> None:
        self.find = automaton.find_overlapping  # type: ignore[attr-defined]


class _Built:
    def __init__(self, patterns: Sequence[str]) -> None:
        from ahocorasick_rs import AhoCorasick, Implementation, MatchKind  # noqa: PLC0415 - one of the two is there

        self._automaton = AhoCorasick(
            list(patterns),
            matchkind=MatchKind.Standard,
            implementation=Implementation.NoncontiguousNFA,
            store_patterns=False,
        )

    def find(self, text: str) -> list[Occurrence]:
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return [(start, end, pattern) for pattern, start, end in found]


class _Nothing:
    def find(self, text: str) -> list[Occurrence]:  # noqa: ARG002
        return []


def maker() -> str:
    """Return the name and version of what writes ready-made automata here; empty where nothing does."""
    try:
        return f"daachorse {version('daachorse')}"
    except PackageNotFoundError:
        return ""


def serialise(patterns: Sequence[str]) -> bytes:
    """Return a ready-made automaton, empty where none can be made.

    Parameters
    ----------
    patterns
        Distinct strings, none of them empty.

    Returns
    -------
    bytes
        For :func:`automaton`, on a machine with the same :func:`maker`.
    """
    if not patterns or not maker():
        return b""
    from daachorse import CharwiseDoubleArrayAhoCorasick  # noqa: PLC0415 - one of the two is there

    return bytes(CharwiseDoubleArrayAhoCorasick(list(patterns)).serialize())


def automaton(patterns: Sequence[str], stored: bytes = b"", made_by: str = "") -> Automaton:
    """Return the automaton over some strings.

    Parameters
    ----------
    patterns
        Distinct strings, none of them empty.
    stored
        What :func:`serialise` gave for them. It is not checked: only bytes whose hash was verified may be passed.
    made_by
        The :func:`maker` of ``stored``; another's is not read but built anew.

    Returns
    -------
    Automaton
        Thread-safe.
    """
    if not patterns:
        return _Nothing()
    if not maker():
        return _Built(patterns)
    from daachorse import CharwiseDoubleArrayAhoCorasick  # noqa: PLC0415 - one of the two is there

    if stored and made_by == maker():
        return _DoubleArray(CharwiseDoubleArrayAhoCorasick.deserialize(stored))
    return _DoubleArray(CharwiseDoubleArrayAhoCorasick(list(patterns)))
