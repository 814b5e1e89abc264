"""Answers made of judgements: in full for operators, a sentence and a code for end users."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from ipguard.guard import Guard
from ipguard.serve.messages import Lang, sentence
from ipguard.serve.scorer import Judgement
from ipguard.verdict import Match


class Utf16:
    """Offsets of a text in UTF-16 units, which JavaScript, Java and C# count.

    Parameters
    ----------
    text
        Any text.
    """

    def __init__(self, text: str) -> None:
        wide = not text.isascii() and max(text) > "\uffff"
        self._wide = [at for at, char in enumerate(text) if char > "\uffff"] if wide else []

    def __call__(self, offset: int) -> int:
        """Return the UTF-16 offset of a code point offset."""
        return offset + bisect_left(self._wide, offset)


def match_answer(guard: Guard, match: Match, utf16: Utf16) -> dict[str, Any]:
    """Return a match for operators.

    Parameters
    ----------
    guard
        Knows the names of rights holders.
    match
        Of a verdict.
    utf16
        Of the prompt.

    Returns
    -------
    dict
        The match with UTF-16 offsets and the rights holders' names.
    """
    return {
        **match.to_dict(),
        "start_utf16": utf16(match.start),
        "end_utf16": utf16(match.end),
        "rights_holder_names": [guard.rights_holder(party) for party in match.rights_holders],
    }


def operator_answer(judgement: Judgement, lang: Lang) -> dict[str, Any]:
    """Return a verdict with its terms, spans and versions.

    Parameters
    ----------
    judgement
        A verdict and its prompt.
    lang
        Of the sentence for end users, which is part of it.

    Returns
    -------
    dict
        JSON-ready.
    """
    guard, verdict, utf16 = judgement.by.guard, judgement.verdict, Utf16(judgement.prompt)
    review, block = guard.thresholds
    return {
        **verdict.to_dict(),
        "matches": [match_answer(guard, match, utf16) for match in verdict.matches],
        "message": sentence(verdict.reason_code, verdict.decision, lang),
        "policy_version": judgement.by.policy_version,
        "thresholds": {"review": review, "block": block},
    }


def end_user_answer(judgement: Judgement, lang: Lang) -> dict[str, Any]:
    """Return the decision with a neutral sentence; no term, work or risk, which would help to get around it.

    Parameters
    ----------
    judgement
        A verdict and its prompt.
    lang
        Of the sentence.

    Returns
    -------
    dict
        JSON-ready.
    """
    verdict = judgement.verdict
    return {
        "decision": verdict.decision,
        "flagged": verdict.flagged,
        "reason_code": verdict.reason_code,
        "message": sentence(verdict.reason_code, verdict.decision, lang),
    }
