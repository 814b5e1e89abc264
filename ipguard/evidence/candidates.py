"""Gathering what was found into one candidate a work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.evidence.context import Around, around, speaks_of_fandom, talks_about
from ipguard.evidence.descriptions import DescriptionEvidence, Nearest
from ipguard.matching.names import Hit, Reading
from ipguard.text.language import plain_language
from ipguard.text.syntax import Zone, negated, zone_at, zones

MIN_SIMILARITY = 0.30
"""Description similarity from which a work becomes a candidate without a name."""
MAX_DESCRIBED = 3
MIN_DESCRIPTION = 24
"""Letters of a clause, an ideograph or kana counting two, from which it can describe a subject without naming it."""


@dataclass(frozen=True, slots=True)
class NamedHit:
    """A hit as one candidate sees it: one reading, with the words around."""

    hit: Hit
    reading: Reading
    around: Around
    zone: Zone
    negated: bool
    wanted: bool = field(init=False)

    def __post_init__(self) -> None:
        """Note whether the name is meant to be in the output; features ask often."""
        object.__setattr__(self, "wanted", not self.negated and self.zone != Zone.NEGATIVE)


@dataclass(slots=True)
class Candidate:
    """A work that a prompt may be asking for.

    Attributes
    ----------
    work
        Index into the works.
    hits
        Names of the work itself or of its items, in order.
    related
        Names of relatives of the work.
    nearest
        Its nearest description, or None.
    """

    work: int
    hits: list[NamedHit] = field(default_factory=list)
    related: list[NamedHit] = field(default_factory=list)
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class PromptEvidence:
    """Everything known of one prompt before it is judged.

    Attributes
    ----------
    prompt
        The original text.
    lang
        Plain language or None.
    candidates
        By falling strength of their best name.
    people
        Hits that are real persons' names.
    descriptions
        Similarities, or None where they were not computed.
    mention
        Whether the prompt asks about something.
    fandom
        Whether it uses words of fan art and film stills.
    """

    prompt: str
    lang: str | None
    candidates: tuple[Candidate, ...]
    people: tuple[Hit, ...]
    descriptions: DescriptionEvidence | None
    mention: bool
    fandom: bool


def named_works(compiled: CompiledCatalogue, hits: Sequence[Hit]) -> set[int]:
    """Return the works that hits may mean.

    Parameters
    ----------
    compiled
        The catalogue.
    hits
        Names found in one prompt.

    Returns
    -------
    set of int
        Indices of works.
    """
    of_work = compiled.subjects.of_work
    return {of_work[reading.subject] for hit in hits for reading in hit.readings}


def gather(
    compiled: CompiledCatalogue,
    prompt: str,
    hits: Sequence[Hit],
    descriptions: DescriptionEvidence | None,
    purpose: str | None = None,
) -> PromptEvidence:
    """Turn names and similarities into candidates.

    Parameters
    ----------
    compiled
        The catalogue.
    prompt
        The original text.
    hits
        Names found in it.
    descriptions
        Its similarities, or None.
    purpose
        What the model makes. Image and video models draw what is named, asked about or not.

    Returns
    -------
    PromptEvidence
        The candidates with everything the features need.
    """
    of_work, works = compiled.subjects.of_work, compiled.meta.works
    stretches = zones(prompt)
    by_work: defaultdict[int, list[NamedHit]] = defaultdict(list)
    for hit in hits:
        if not hit.readings:
            continue
        cues = around(prompt, hit.start, hit.end)
        zone = zone_at(stretches, hit.start, hit.end)
        excluded = negated(prompt, hit.start, hit.end)
        for reading in hit.readings:
            by_work[of_work[reading.subject]].append(NamedHit(hit, reading, cues, zone, excluded))
    candidates = {work: Candidate(work, found) for work, found in by_work.items()}
    nearest = descriptions.nearest if descriptions else {}
    telling = [work for work, near in nearest.items() if _letters(near.clause.text) >= MIN_DESCRIPTION]
    described = sorted(telling, key=lambda w: -nearest[w].similarity)[:MAX_DESCRIBED]
    for work in described:
        if work not in candidates and nearest[work].similarity >= MIN_SIMILARITY:
            candidates[work] = Candidate(work)
    for work, candidate in candidates.items():
        candidate.nearest = nearest.get(work)
        own = {(h.hit.start, h.hit.end) for h in candidate.hits}
        for relative in works[work].relatives:
            if relative != work:
                candidate.related += [h for h in by_work.get(relative, ()) if (h.hit.start, h.hit.end) not in own]
    ordered = sorted(candidates.values(), key=_strength)
    return PromptEvidence(
        prompt=prompt,
        lang=plain_language(prompt),
        candidates=tuple(ordered),
        people=tuple(hit for hit in hits if hit.person_roles),
        descriptions=descriptions,
        mention=purpose not in ("image", "video") and talks_about(prompt),
        fandom=speaks_of_fandom(prompt),
    )


@lru_cache(maxsize=64)
def _letters(text: str) -> int:
    wide = 0 if text.isascii() else sum(not char.isascii() for char in text if char.isalnum())
    return sum(map(str.isalnum, text)) + wide


def _strength(candidate: Candidate) -> tuple[int, int, float]:
    sense = min((h.reading.sense for h in candidate.hits), default=4)
    similarity = candidate.nearest.similarity if candidate.nearest else 0.0
    return sense, -len(candidate.hits), -similarity
