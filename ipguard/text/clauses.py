"""Cutting a prompt into the pieces that are compared with descriptions."""

from __future__ import annotations

from dataclasses import dataclass

import regex

MAX_CLAUSES = 4
_SENTENCE = regex.compile(r"[^.!?。!?\n;；|]+(?:[.!?。!?\n;；|]+|$)")
_COMMA = regex.compile(r"[^,、，]+(?:[,、，]+|$)")
_MIN_CHARS, _MAX_CHARS = 12, 220


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a prompt, ``text == prompt[start:end]``."""

    text: str
    start: int
    end: int


def _pack(prompt: str, pieces: list[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """Join neighbouring pieces as long as the result stays within the limit."""
    packed: list[tuple[int, int]] = []
    for start, end in pieces:
        if packed and end - packed[-1][0] <= limit:
            packed[-1] = (packed[-1][0], end)
        else:
            packed.append((start, end))
    return [(s, e) for s, e in packed if prompt[s:e].strip()]


def clauses(prompt: str) -> tuple[Clause, ...]:
    """Cut a prompt into at most four clauses.

    Sentences, the long ones cut at commas; the longest are kept, in their order. A prompt of a single clause
    gives that one.

    Parameters
    ----------
    prompt
        The original text.

    Returns
    -------
    tuple of Clause
        Empty for a prompt without visible text.
    """
    pieces: list[tuple[int, int]] = []
    for sentence in _SENTENCE.finditer(prompt):
        if sentence.end() - sentence.start() <= _MAX_CHARS:
            pieces.append(sentence.span())
            continue
        parts = [(sentence.start() + m.start(), sentence.start() + m.end()) for m in _COMMA.finditer(sentence.group())]
        pieces += _pack(prompt, parts, _MAX_CHARS)
    visible = [(s, e) for s, e in pieces if len(prompt[s:e].strip()) >= _MIN_CHARS]
    if not visible:
        visible = [(0, len(prompt))] if prompt.strip() else []
    longest = sorted(visible, key=lambda span: span[0] - span[1])[:MAX_CLAUSES]
    return tuple(Clause(prompt[s:e], s, e) for s, e in sorted(longest))
