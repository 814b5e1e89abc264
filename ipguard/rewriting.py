"""Prompts without the franchises that they name: each match replaced by the catalogue's generic wording."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.errors import InvalidPromptError
from ipguard.guard import Guard, Purpose, default_guard
from ipguard.text.language import plain_language
from ipguard.verdict import Decision, Match, Verdict

RISK = 0.1
"""Risk of a match from which it is replaced: that of any prompt, before it is read (the prior)."""
ROUNDS = 12
"""In each round the strongest evidence of each work goes, until its risk is gone; what is left after so many stays."""

_ARTICLE = re.compile(r"\b(?:an?|the|some|this|that|my|your|his|her|their|our)\s+$", re.IGNORECASE)
_OWN_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s+)$")
_TAG = re.compile(r"<(?:lora|lyco|hypernet|embedding)s?:[^<>]*>\s?", re.IGNORECASE)
_KINDS = {
    "en": {"character": "an original character", "creature": "an original creature", "place": "an imaginary place",
           "vehicle": "an original vehicle", "artefact": "an original object", "faction": "an imaginary group",
           "logo": "an original emblem", "ability": "an imaginary power", "": "an original story"},
    "ja": {"character": "オリジナルのキャラクター", "creature": "オリジナルの生き物", "place": "架空の場所",
           "vehicle": "オリジナルの乗り物", "artefact": "オリジナルの道具", "faction": "架空の集団",
           "logo": "オリジナルの紋章", "ability": "架空の能力", "": "オリジナルの物語"},
    "zh": {"character": "原创角色", "creature": "原创生物", "place": "虚构的地方", "vehicle": "原创载具",
           "artefact": "原创道具", "faction": "虚构的组织", "logo": "原创标志", "ability": "虚构的能力", "": "原创故事"},
    "ko": {"character": "오리지널 캐릭터", "creature": "오리지널 생물", "place": "가상의 장소", "vehicle": "오리지널 탈것",
           "artefact": "오리지널 도구", "faction": "가상의 집단", "logo": "오리지널 문장", "ability": "가상의 능력",
           "": "오리지널 이야기"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of the prompt that was replaced.

    Attributes
    ----------
    start, end
        Code points of the original prompt.
    old, new
        What stood there, and what stands there now.
    work_id
        The work for which it was replaced.
    """

    start: int
    end: int
    old: str
    new: str
    work_id: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A prompt and its rewording.

    Attributes
    ----------
    prompt, text
        Before and after.
    replacements
        What differs, in order; all the rest is the same to the letter.
    risk_before, risk
        Before and after.
    decision
        For the rewording. A rewrite lowers the risk but does not promise that it is low: look at this.
    """

    prompt: str
    text: str
    replacements: tuple[Replacement, ...]
    risk_before: float
    risk: float
    decision: Decision

    def to_dict(self) -> dict[str, Any]:
        """Return the rewrite as JSON-ready data."""
        return {**asdict(self), "replacements": [asdict(replacement) for replacement in self.replacements]}


BESIDE = 2
"""Characters between two names of a work that belong together: "ワンピースのルフィ"."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the current text; ``fixed`` where it was put in, with the span of the original it stands for."""

    text: str
    start: int
    end: int
    work: str = ""


def rewrite(prompt: str, *, guard: Guard | None = None, purpose: Purpose | None = None) -> Rewrite:
    """Replace what names or describes protected works by generic wording.

    Parameters
    ----------
    prompt
        What a user asks for.
    guard
        Scores; the shared one if None.
    purpose
        As for :meth:`~ipguard.guard.Guard.score`.

    Returns
    -------
    Rewrite
        The rewording in the prompt's language where the catalogue has words for it, and its risk.

    Raises
    ------
    InvalidPromptError
        If the prompt is not a string.
    """
    if not isinstance(prompt, str):
        raise InvalidPromptError("prompt", "be a string", prompt)
    scorer = guard or default_guard()
    before = verdict = scorer.score(prompt, purpose=purpose)
    pieces = [_Piece(prompt, 0, len(prompt))]
    for _ in range(ROUNDS):
        changed = _replaced(pieces, verdict, scorer.compiled)
        if changed == pieces:
            break
        pieces = changed
        verdict = scorer.score(_joined(pieces), purpose=purpose)
    replacements = tuple(
        Replacement(piece.start, piece.end, prompt[piece.start : piece.end], piece.text, piece.work)
        for piece in pieces
        if piece.work
    )
    return Rewrite(prompt, _joined(pieces), replacements, before.risk, verdict.risk, verdict.decision)


def _joined(pieces: list[_Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _chosen(matches: tuple[Match, ...]) -> list[Match]:
    """The strongest match of each work at risk, what equals it, and what stands right beside it; none overlaps."""
    chosen: list[Match] = []
    strongest: dict[str, Match] = {}
    for match in matches:
        if match.status != "protected" or match.risk < RISK or match.end <= match.start:
            continue
        first = strongest.setdefault(match.work_id, match)
        beside = max(match.start - first.end, first.start - match.end) <= BESIDE
        if first.text != match.text and not beside:
            continue
        if all(match.end <= other.start or other.end <= match.start for other in chosen):
            chosen.append(match)
    return chosen


def _replaced(pieces: list[_Piece], verdict: Verdict, compiled: CompiledCatalogue) -> list[_Piece]:
    """The pieces with matches inside untouched text replaced."""
    text = _joined(pieces)
    lang = plain_language(text) or "en"
    chosen = sorted(_chosen(verdict.matches), key=lambda match: match.start)
    out: list[_Piece] = []
    at = 0
    for piece in pieces:
        begin, stop = at, at + len(piece.text)
        at = stop
        inner = [m for m in chosen if begin <= m.start and m.end <= stop] if not piece.work else []
        done = 0
        for match in inner:
            start, end = _widened(piece.text, match.start - begin, match.end - begin)
            if start < done:
                continue
            new = "" if start < match.start - begin else _fitted(wording(compiled, match, lang), text, match.start)
            out.append(_Piece(piece.text[done:start], piece.start + done, piece.start + start))
            out.append(_Piece(new, piece.start + start, piece.start + end, match.work_id))
            done = end
        if piece.work:
            out.append(piece)
        else:
            out.append(_Piece(piece.text[done:], piece.start + done, piece.end))
    return [piece for piece in out if piece.work or piece.text]


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """The span, or that of the whole tag that loads a model trained on the work."""
    for tag in _TAG.finditer(text):
        if tag.start() <= start and end <= tag.end():
            return tag.start(), tag.end()
    return start, end


def _fitted(new: str, text: str, start: int) -> str:
    """The wording without its article where one stands already, and with a capital where a sentence starts."""
    before = text[:start]
    if _ARTICLE.search(before):
        new = _OWN_ARTICLE.sub("", new)
    if text[start : start + 1].isupper() and _SENTENCE_START.search(before):
        new = new[:1].upper() + new[1:]
    return new


def wording(compiled: CompiledCatalogue, match: Match, lang: str) -> str:
    """Return what stands for a match in a language.

    Parameters
    ----------
    compiled
        The catalogue.
    match
        Found in a prompt.
    lang
        Of the prompt.

    Returns
    -------
    str
        The catalogue's generic wording of the item, else of the work, which is English; in Chinese, Japanese and
        Korean a plain word for the kind of thing. Never empty.
    """
    work = compiled.work_index[match.work_id]
    places = [int(place) for place in np.flatnonzero(compiled.subjects.works == work)]
    infos = {compiled.subjects[place].item: place for place in places}
    place = infos.get(match.item, infos[None])
    info = compiled.subjects[place]
    if lang not in ("ja", "zh", "ko"):
        generic = info.generic or compiled.subjects[infos[None]].generic
        return generic or _KINDS["en"][info.kind or ""]
    return _KINDS[lang][info.kind or ""]
