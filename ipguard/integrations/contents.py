"""Texts in what callers send: strings, parts of a chat message, messages, conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TEXT_PARTS = ("text", "input_text")
"""Types of the parts of a message that carry text, in OpenAI's two interfaces and in LangChain."""


@dataclass(slots=True)
class Contents:
    """What a value holds.

    Attributes
    ----------
    texts
        Every text, in order.
    others
        Kinds of the parts that hold no text: images, audio, files, anything unknown.
    """

    texts: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def contents_of(value: object) -> Contents:
    """Collect the texts of a value, and name what is none.

    Parameters
    ----------
    value
        A string; a part such as ``{"type": "text", "text": …}``; a message with ``content``; or a sequence of these.

    Returns
    -------
    Contents
        None of the value is left out: what is not understood is among the others.
    """
    found = Contents()
    _collect(value, found, depth=0)
    return found


_NO_PROMPT = frozenset({"type", "text", "role", "id"})
_DEEPEST = 8
"""Levels of nesting that are followed; a conversation has three."""


def _collect(value: object, found: Contents, depth: int) -> None:
    if isinstance(value, str):
        found.texts.append(value)
    elif depth >= _DEEPEST:
        found.others.append("deeply nested")
    elif isinstance(value, Mapping):
        _collect_mapping(value, found, depth)
    elif isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        for entry in value:
            _collect(entry, found, depth + 1)
    else:
        found.others.append(type(value).__name__)


def _collect_mapping(value: Mapping[object, object], found: Contents, depth: int) -> None:
    kind, text = value.get("type"), value.get("text")
    known = False
    if isinstance(text, str) and (kind is None or kind in TEXT_PARTS):
        found.texts.append(text)
        known = True
        if kind is None and "content" not in value:
            # A part of no stated type may hold its prompt beside the text.
            beside = (member for name, member in value.items() if name not in _NO_PROMPT)
            for member in beside:
                if isinstance(member, (str, Mapping, Sequence)):
                    _collect(member, found, depth + 1)
    if "content" in value and kind in (None, "message"):
        _collect(value["content"], found, depth + 1)
        known = True
    if not known:
        found.others.append(kind if isinstance(kind, str) else "part of no known type")


def by_roles(messages: Iterable[object], roles: Iterable[str]) -> list[object]:
    """Return the contents of the messages whose role is one of some.

    Parameters
    ----------
    messages
        Mappings with ``role`` and ``content``; a mapping of another role or none, such as a tool's result, is left
        out. Anything else stands for its own content.
    roles
        For example ``("user",)``.

    Returns
    -------
    list
        The contents, in order.
    """
    wanted = frozenset(roles)
    chosen: list[object] = []
    for message in messages:
        if not isinstance(message, Mapping):
            chosen.append(message)
        elif message.get("role") in wanted:
            chosen.append(message.get("content"))
    return chosen
