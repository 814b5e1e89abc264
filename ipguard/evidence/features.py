"""One row of features a candidate. Features describe how it was found, never which work it is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import TITLE, CompiledCatalogue
from ipguard.evidence.candidates import Candidate, NamedHit, PromptEvidence
from ipguard.text.normalize import fold
from ipguard.text.scripts import Script, script_of
from ipguard.text.syntax import Zone

_PLAIN = frozenset({"exact", "joined", "inflected"})
_DISGUISED = frozenset({"leet", "signs", "repeats", "spaced", "glued", "kana"})
_CJK = frozenset({Script.HAN, Script.HIRAGANA, Script.KATAKANA, Script.HANGUL})
NONE_SENSE = 4.0


@dataclass(frozen=True, slots=True)
class Feature:
    """A column.

    Attributes
    ----------
    name
        Stable name; a head lists the names that it was trained on.
    group
        For ablations.
    monotone
        1 if more of it never lowers the risk, -1 if it never raises it, 0 otherwise.
    """

    name: str
    group: str
    monotone: int = 0


FEATURES: tuple[Feature, ...] = (
    Feature("names_only", "sense", 1),
    Feature("names_usually", "sense", 1),
    Feature("names_sometimes", "sense", 1),
    Feature("names_rarely", "sense", 1),
    Feature("best_sense", "sense", -1),
    Feature("best_is_title", "name"),
    Feature("best_length", "name"),
    Feature("best_words", "name"),
    Feature("best_zipf", "name"),
    Feature("best_script", "name"),
    Feature("best_readings", "name"),
    Feature("best_abbreviation", "name"),
    Feature("how_plain", "how"),
    Feature("how_disguised", "how"),
    Feature("how_split", "how"),
    Feature("how_fuzzy", "how"),
    Feature("edit_share", "how"),
    Feature("capitalised", "case"),
    Feature("prompt_lower", "case"),
    Feature("prompt_titled", "case"),
    Feature("subjects", "support", 1),
    Feature("items", "support", 1),
    Feature("related_sense", "support", -1),
    Feature("related_names", "support", 1),
    Feature("others_sense", "support"),
    Feature("others_strong", "support"),
    Feature("inside_person", "person"),
    Feature("is_person", "person"),
    Feature("people", "person"),
    Feature("style_share", "context"),
    Feature("like_any", "context"),
    Feature("by_any", "context"),
    Feature("artist_list", "context"),
    Feature("make_any", "context"),
    Feature("wanted_share", "context", 1),
    Feature("lora", "context", 1),
    Feature("mention", "context"),
    Feature("fandom", "context"),
    Feature("position", "layout"),
    Feature("alone_in_clause", "layout"),
    Feature("commas", "layout"),
    Feature("prompt_words", "layout"),
    Feature("name_share", "layout"),
    Feature("similarity_work", "description", 1),
    Feature("similarity_rank", "description"),
    Feature("similarity_margin", "description"),
    Feature("nearest_is_named", "description"),
    Feature("coverage", "description"),
    Feature("coverage_margin", "description"),
    Feature("language_cjk", "language"),
    Feature("language_plain", "language"),
    Feature("catalogue_depth", "catalogue"),
    Feature("brand", "catalogue"),
    Feature("public_domain", "catalogue"),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
Row = list[float]


def hit_rank(named: NamedHit) -> tuple[bool, int, int, int]:
    """Order the hits of a candidate: wanted before excluded, then sense, plainness, length."""
    hit = named.hit
    return not named.wanted, named.reading.sense, hit.how not in _PLAIN, -hit.length


@dataclass(frozen=True, slots=True)
class _Prompt:
    """Facts of the prompt that all its candidates share."""

    lower: bool
    titled: bool
    words: int
    commas: int
    cjk: bool


@lru_cache(maxsize=512)  # a batch asks twice for each of its prompts
def _prompt_facts(prompt: str) -> _Prompt:
    folded = fold(prompt)
    spans = folded.words
    starts = folded.starts.tolist()
    heads = [prompt[starts[s]] for s, _ in spans]
    latin = [h for h in heads if h.isalpha() and h.isascii()]
    upper = sum(h.isupper() for h in latin)
    return _Prompt(
        lower=upper <= 1,
        titled=len(latin) >= 3 and upper / len(latin) > 0.7,
        words=len(spans),
        commas=sum(prompt.count(c) for c in ",、，"),
        cjk=not prompt.isascii() and _mostly_cjk(folded.scripts[:400]),
    )


def _mostly_cjk(scripts: bytes) -> bool:
    return sum(map(_CJK.__contains__, scripts)) > len(scripts) * 0.3


def _senses(candidate: Candidate) -> tuple[Row, float]:
    """Distinct wanted names by sense, capped at three each, and the best sense."""
    kinds: list[set[str]] = [set(), set(), set(), set()]
    for named in candidate.hits:
        if named.wanted and named.hit.how != "split":
            kinds[named.reading.sense].add(named.reading.text)
    counts = [float(min(len(kind), 3)) for kind in kinds]
    best = min((n.reading.sense for n in candidate.hits if n.wanted), default=None)
    return counts, NONE_SENSE if best is None else float(best)


def _best_name(named: NamedHit | None, prompt: str, facts: _Prompt) -> Row:
    """Columns of the best hit: the name itself, how it was matched, how it is written."""
    if named is None:
        return [
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            float(facts.lower),
            float(facts.titled),
        ]
    hit, reading = named.hit, named.reading
    text = prompt[hit.start : hit.end]
    script = script_of(next((c for c in text if c.isalnum()), text[0]))
    return [
        float(bool(reading.flags & TITLE)),
        float(hit.length),
        float(len(reading.text.split())),
        reading.zipf,
        float(script),
        float(len({r.subject for r in hit.readings})),
        float(reading.text.isupper() and len(reading.text) <= 5),
        float(hit.how in _PLAIN),
        float(hit.how in _DISGUISED),
        float(hit.how == "split"),
        float(hit.how == "fuzzy"),
        hit.distance / max(hit.length, 1),
        float(text[0].isupper()),
        float(facts.lower),
        float(facts.titled),
    ]


class _Shared:
    """What the candidates of a prompt are compared with: each other's names and descriptions."""

    def __init__(self, evidence: PromptEvidence) -> None:
        self.facts = _prompt_facts(evidence.prompt)
        self.wanted = [
            (candidate.work, (named.hit.start, named.hit.end), named.reading.sense)
            for candidate in evidence.candidates
            for named in candidate.hits
            if named.wanted
        ]
        nearest = evidence.descriptions.nearest if evidence.descriptions else {}
        self.similarities = sorted(near.similarity for near in nearest.values())
        self.coverages = sorted(near.coverage for near in nearest.values())


def _support(candidate: Candidate, shared: _Shared) -> Row:
    subjects = {n.reading.subject for n in candidate.hits if n.wanted}
    items = {n.reading.subject for n in candidate.hits if n.wanted and not n.reading.flags & TITLE}
    related = [n for n in candidate.related if n.wanted]
    own = {(n.hit.start, n.hit.end) for n in candidate.hits}
    others = [sense for work, span, sense in shared.wanted if work != candidate.work and span not in own]
    return [
        float(min(len(subjects), 4)),
        float(min(len(items), 4)),
        float(min((n.reading.sense for n in related), default=NONE_SENSE)),
        float(min(len({n.reading.text for n in related}), 3)),
        float(min(others, default=NONE_SENSE)),
        float(min(sum(s <= 1 for s in others), 4)),
    ]


def _context(candidate: Candidate, evidence: PromptEvidence, best: NamedHit | None) -> Row:
    hits = candidate.hits
    count = max(len(hits), 1)
    wanted = [n for n in hits if n.wanted]
    return [
        float(best is not None and bool(best.hit.inside_person)),
        float(best is not None and bool(best.hit.person_roles)),
        float(min(len(evidence.people), 4)),
        sum(n.around.style for n in wanted) / max(len(wanted), 1),
        float(any(n.around.like for n in hits)),
        float(any(n.around.by for n in hits)),
        float(best is not None and best.around.in_artist_list),
        float(any(n.around.make for n in wanted)),
        len(wanted) / count if hits else 1.0,
        float(any(n.zone == Zone.LORA for n in hits)),
        float(evidence.mention),
        float(evidence.fandom),
    ]


def _layout(best: NamedHit | None, prompt: str, facts: _Prompt) -> Row:
    if best is None:
        return [0.0, 0.0, float(min(facts.commas, 40)), math.log1p(facts.words), 0.0]
    start, end = best.hit.start, best.hit.end
    left = max((prompt.rfind(c, 0, start) for c in ",.;、。，\n|"), default=-1) + 1
    right = min((at for at in (prompt.find(c, end) for c in ",.;、。，\n|") if at >= 0), default=len(prompt))
    clause = prompt[left:right].strip()
    return [
        start / max(len(prompt), 1),
        float(len(clause) <= end - start + 2),
        float(min(facts.commas, 40)),
        math.log1p(facts.words),
        (end - start) / max(len(prompt), 1),
    ]


def _description(candidate: Candidate, shared: _Shared) -> Row:
    if candidate.nearest is None:
        return [0.0, 9.0, -1.0, 0.0, 0.0, -1.0]
    own, values = candidate.nearest.similarity, shared.similarities
    named = any(n.reading.subject == candidate.nearest.subject for n in candidate.hits)
    rank = len(values) - bisect_right(values, own)
    best_other = values[-1] if rank else values[-2] if len(values) > 1 else 0.0
    covered, shares = candidate.nearest.coverage, shared.coverages
    best_share = (
        shares[-2] if covered >= shares[-1] and len(shares) > 1 else shares[-1] if covered < shares[-1] else 0.0
    )
    return [own, float(min(rank, 9)), own - best_other, float(named), covered, covered - best_share]


def _of_names(candidate: Candidate, evidence: PromptEvidence, shared: _Shared) -> Row:
    """Columns that depend on names, the same for all candidates without any."""
    best = min(candidate.hits, key=hit_rank) if candidate.hits else None
    counts, sense = _senses(candidate)
    return [
        *counts,
        sense,
        *_best_name(best, evidence.prompt, shared.facts),
        *_support(candidate, shared),
        *_context(candidate, evidence, best),
        *_layout(best, evidence.prompt, shared.facts),
    ]


def feature_rows(compiled: CompiledCatalogue, evidence: PromptEvidence) -> npt.NDArray[np.float32]:
    """Return the features of all candidates of a prompt.

    Parameters
    ----------
    compiled
        The catalogue.
    evidence
        What was found.

    Returns
    -------
    numpy.ndarray
        float32 of shape ``(candidates, len(FEATURES))``, in the order of the candidates.
    """
    if not evidence.candidates:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    shared = _Shared(evidence)
    facts = shared.facts
    unnamed = _of_names(Candidate(-1), evidence, shared)
    rows: list[Row] = []
    for candidate in evidence.candidates:
        named = candidate.hits or candidate.related
        work = compiled.meta.works[candidate.work]
        rows.append(
            [
                *(_of_names(candidate, evidence, shared) if named else unnamed),
                *_description(candidate, shared),
                float(facts.cjk),
                float(evidence.lang is not None),
                math.log1p(compiled.depth[candidate.work]),
                float(work.brand),
                float(work.status == "public_domain"),
            ]
        )
    return np.array(rows, dtype=np.float32)


def prompt_features(evidence: PromptEvidence) -> npt.NDArray[np.float32]:
    """Return what says that a prompt asks for *some* franchise, whichever it is.

    Parameters
    ----------
    evidence
        What was found; its whole vector must be there.

    Returns
    -------
    numpy.ndarray
        float32 of shape ``(dimensions + 7,)``: the prompt's vector, then fandom, mention, title case, people,
        length, the best description similarity and the best coverage.
    """
    assert evidence.descriptions is not None  # noqa: S101 - the guard always computes them
    facts = _prompt_facts(evidence.prompt)
    nearest = evidence.descriptions.nearest.values()
    extra = [
        float(evidence.fandom),
        float(evidence.mention),
        float(facts.titled),
        float(min(len(evidence.people), 4)),
        math.log1p(facts.words) / 3,
        max((n.similarity for n in nearest), default=0.0),
        max((n.coverage for n in nearest), default=0.0),
    ]
    return np.concatenate([evidence.descriptions.whole, np.array(extra, dtype=np.float32)])


def as_matrix(rows: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Stack the rows of several prompts.

    Parameters
    ----------
    rows
        Results of :func:`feature_rows`.

    Returns
    -------
    numpy.ndarray
        float32 of shape ``(all candidates, len(FEATURES))``.
    """
    return np.concatenate(rows) if rows else np.zeros((0, len(FEATURES)), dtype=np.float32)
