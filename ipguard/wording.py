"""Wording verdicts: matches, reasons and stable codes."""

from __future__ import annotations

from dataclasses import dataclass

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.evidence.candidates import Candidate, NamedHit, PromptEvidence
from ipguard.evidence.features import hit_rank
from ipguard.matching.names import RARELY
from ipguard.policy.decide import Outcome
from ipguard.verdict import Match, MatchKind, Verdict

MIN_SHOWN = 0.01
"""Candidates of less risk are left out of the matches, unless a rule speaks of them or they are free."""
TELLING = 0.5
"""Similarity from which a description says more than common words that are also names of the work."""
_KINDS: dict[str, MatchKind] = {"fuzzy": "misspelled"}
_PLAIN = frozenset({"exact", "joined", "inflected"})
_SENSES = (
    "a name that means only this work",
    "a name that usually means this work",
    "a name that has other meanings too",
    "a common word that is also a name in this work",
)
_HOWS = {
    "split": "with separators put in",
    "spaced": "spelled with gaps",
    "glued": "joined to other letters",
    "leet": "with digits for letters",
    "signs": "with signs for letters",
    "repeats": "with repeated letters",
    "kana": "in the other kana",
    "fuzzy": "misspelled",
}


@dataclass(frozen=True, slots=True)
class Scored:
    """One prompt with its risks and the outcome of policy."""

    evidence: PromptEvidence
    risk: float
    residual_risk: float
    style_risk: float
    brand_risk: float | None
    candidate_risks: tuple[float, ...]
    outcome: Outcome
    truncated: bool


def empty_verdict(model_version: str, catalogue_version: str) -> Verdict:
    """Return the verdict of a prompt without visible text."""
    return Verdict(
        risk=0.0,
        residual_risk=0.0,
        decision="allow",
        matches=(),
        categories={"franchise": 0.0, "style": 0.0, "brand": None},
        reason="The prompt holds no text.",
        reason_code="empty",
        rule="empty",
        model_version=model_version,
        catalogue_version=catalogue_version,
    )


def _why(named: NamedHit) -> str:
    """What spoke for and against a name, in words."""
    parts = [_SENSES[named.reading.sense]]
    if named.hit.how in _HOWS:
        parts.append(_HOWS[named.hit.how])
    notes = (
        (named.negated or not named.wanted, "excluded by the words around it"),
        (named.around.style, "asked for as a style"),
        (bool(named.hit.inside_person), "inside a real person's name"),
        (named.around.make, "asked for by the words around it"),
    )
    parts += [note for holds, note in notes if holds]
    return ", ".join(parts)


def _named_match(compiled: CompiledCatalogue, prompt: str, named: NamedHit, risk: float, rule: str | None) -> Match:
    subject = compiled.subjects[named.reading.subject]
    work = compiled.meta.works[subject.work]
    text = prompt[named.hit.start : named.hit.end]
    kind = _KINDS.get(named.hit.how, "name" if named.hit.how in _PLAIN else "obfuscated")
    return Match(
        work_id=work.id,
        title=work.title,
        item=subject.item,
        rights_holders=work.rights_holders,
        status="public_domain" if subject.status == "public_domain" else "protected",
        kind=kind,
        text=text,
        start=named.hit.start,
        end=named.hit.end,
        risk=risk,
        reason=f"“{text}”: {_why(named)}.",
        rule=rule,
    )


def _matches_of(
    compiled: CompiledCatalogue, prompt: str, candidate: Candidate, risk: float, rule: str | None
) -> list[Match]:
    matches = [_named_match(compiled, prompt, n, risk, rule) for n in sorted(candidate.hits, key=hit_rank)]
    if candidate.nearest is None or not _tells_more(candidate):
        return matches
    near = candidate.nearest
    subject = compiled.subjects[near.subject]
    work = compiled.meta.works[candidate.work]
    start = near.clause.start + len(near.clause.text) - len(near.clause.text.lstrip())
    end = near.clause.end - len(near.clause.text) + len(near.clause.text.rstrip())
    return [
        Match(
            work_id=work.id,
            title=work.title,
            item=subject.item,
            rights_holders=work.rights_holders,
            status="public_domain" if subject.status == "public_domain" else "protected",
            kind="description",
            text=prompt[start:end],
            start=start,
            end=end,
            risk=risk,
            reason=f"The text describes {subject.title} of {work.title} (similarity {near.similarity:.2f}).",
            rule=rule,
        ),
        *matches,
    ]


def _tells_more(candidate: Candidate) -> bool:
    """Whether what is described says more than the words that happen to be names."""
    if candidate.nearest is None:
        return False
    weak = all(named.reading.sense == RARELY for named in candidate.hits)
    return not candidate.hits or (weak and candidate.nearest.similarity >= TELLING)


def make_matches(compiled: CompiledCatalogue, scored: Scored) -> tuple[Match, ...]:
    """Return the matches of a prompt, the highest risk first.

    Parameters
    ----------
    compiled
        The catalogue.
    scored
        The prompt.

    Returns
    -------
    tuple of Match
        Those of some risk, of works that a rule speaks of, and of public-domain works that are named.
    """
    found: list[tuple[float, int, Match]] = []
    for at, candidate in enumerate(scored.evidence.candidates):
        risk, rule = scored.candidate_risks[at], scored.outcome.rules[at]
        free = compiled.meta.works[candidate.work].status == "public_domain"
        if risk < MIN_SHOWN and rule is None and not (free and candidate.hits):
            continue
        name = rule.name if rule else None
        matches = _matches_of(compiled, scored.evidence.prompt, candidate, risk, name)
        found += [(-risk, at, match) for match in matches]
    found.sort(key=lambda entry: entry[:2])
    return tuple(match for _, _, match in found)


def _reason(compiled: CompiledCatalogue, scored: Scored, matches: tuple[Match, ...]) -> tuple[str, str]:
    """Sentence and stable code of what decided; thresholds are reached by franchises, never by brands."""
    brands = {work.id for c in scored.evidence.candidates if (work := compiled.meta.works[c.work]).brand}
    outcome = scored.outcome
    named = [m for m in matches if m.rule == outcome.rule] or [m for m in matches if m.work_id not in brands]
    top = next((m for m in named if m.risk > 0), None)
    if outcome.rule == "truncated":
        return "The prompt is longer than what is scored; the rest needs a look.", "truncated"
    if outcome.rule == "category:style":
        return "The prompt asks for the style of a protected work.", "style"
    if outcome.decision != "allow" and not outcome.rule.startswith("threshold"):
        return f"{top.title if top else 'A work'}: rule {outcome.rule}.", outcome.rule.split(":", 1)[0]
    if outcome.decision == "allow":
        if outcome.rule != "threshold:allow":
            return "What was found is permitted by policy.", "permitted"
        return "Nothing protected is likely to be reproduced.", "clear"
    if top is None:
        return (
            "The prompt reads like a request for a franchise that the catalogue does not hold.",
            "unlisted_franchise",
        )
    code = "described_franchise" if top.kind == "description" else "named_franchise"
    return f"{top.title}: {top.reason}", code


def make_verdict(compiled: CompiledCatalogue, scored: Scored, model_version: str, catalogue_version: str) -> Verdict:
    """Word a verdict.

    Parameters
    ----------
    compiled
        The catalogue.
    scored
        The prompt with its risks.
    model_version, catalogue_version
        Stamped on the verdict.

    Returns
    -------
    Verdict
        The answer for the caller.
    """
    matches = make_matches(compiled, scored)
    reason, code = _reason(compiled, scored, matches)
    return Verdict(
        risk=scored.risk,
        residual_risk=scored.residual_risk,
        decision=scored.outcome.decision,
        matches=matches,
        categories={"franchise": scored.risk, "style": scored.style_risk, "brand": scored.brand_risk},
        reason=reason,
        reason_code=code,
        rule=scored.outcome.rule,
        model_version=model_version,
        catalogue_version=catalogue_version,
        truncated=scored.truncated,
    )
