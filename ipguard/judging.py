"""From the evidence of prompts to their verdicts: the head's probabilities, risks, the policy's decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.classifier.head import Float, Head, combine, sigmoid
from ipguard.evidence.candidates import Candidate, PromptEvidence
from ipguard.evidence.features import as_matrix, feature_rows, prompt_features
from ipguard.policy.binding import BoundPolicy, Circumstances, Judged
from ipguard.policy.decide import Outcome, Pooled, decide, style_limits
from ipguard.policy.rulings import Limits, Ruling
from ipguard.verdict import Verdict
from ipguard.wording import Scored, make_verdict

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a caller's policy asks for: rules, thresholds in force, where the output will be used."""

    policy: BoundPolicy
    limits: Limits
    territory: str | None


@dataclass(frozen=True, slots=True)
class Chances:
    """What the head makes of one prompt.

    Attributes
    ----------
    franchise, style
        Probability of each candidate in each category.
    unlisted
        Log-odds of a work that the catalogue lacks.
    """

    franchise: Float
    style: Float
    unlisted: float


class Judge:
    """Turns evidence into verdicts. Stateless after construction; thread-safe.

    Parameters
    ----------
    head
        The trained head.
    compiled
        The catalogue.
    shift
        Added to the log-odds of a risk, for a prior other than the head's.
    versions
        Of model and catalogue, stamped on verdicts.
    """

    def __init__(self, head: Head, compiled: CompiledCatalogue, shift: float, versions: tuple[str, str]) -> None:
        self._head, self._compiled, self._shift, self._versions = head, compiled, shift, versions
        self._holds_brands = any(work.brand for work in compiled.meta.works)
        # Works that can raise the franchise risk: protected, and no mere brand.
        self._counts = [work.status == "protected" and not work.brand for work in compiled.meta.works]

    def chances(self, evidence: Sequence[PromptEvidence]) -> list[Chances]:
        """Return the head's probabilities.

        Parameters
        ----------
        evidence
            Of one batch of prompts.

        Returns
        -------
        list of Chances
            One a prompt.
        """
        if not evidence:
            return []
        rows = as_matrix([feature_rows(self._compiled, found) for found in evidence])
        prompts = np.stack([prompt_features(found) for found in evidence]).astype(np.float32)
        franchise, style = sigmoid(self._head.franchise.decision(rows)), sigmoid(self._head.style.decision(rows))
        unlisted = self._head.unlisted.decision(prompts)
        ends = np.cumsum([len(found.candidates) for found in evidence])[:-1]
        parts = zip(np.split(franchise, ends), np.split(style, ends), unlisted, strict=True)
        return [Chances(mine, look, float(other)) for mine, look, other in parts]

    def verdict(self, found: PromptEvidence, chances: Chances, terms: Terms, *, truncated: bool) -> Verdict:
        """Judge one prompt.

        Parameters
        ----------
        found
            Its evidence.
        chances
            What the head makes of it.
        terms
            The policy in force.
        truncated
            Whether part of the text was not scored.

        Returns
        -------
        Verdict
            The answer.
        """
        risks = _Risks(self._head, self._shift, chances, found.candidates, self._counting(found.candidates))
        asked = terms.policy.has_rules
        judged = [self._judged(c, risks, at, asked=asked) for at, c in enumerate(found.candidates)]
        outcome, residual = _decided(judged, risks, terms, truncated=truncated)
        scored = Scored(
            evidence=found,
            risk=risks.of(risks.counting),
            residual_risk=residual,
            style_risk=risks.style_of(risks.counting),
            brand_risk=self._brand_risk(judged),
            candidate_risks=tuple(candidate.risk for candidate in judged),
            outcome=outcome,
            truncated=truncated,
        )
        return make_verdict(self._compiled, scored, *self._versions)

    def _judged(self, candidate: Candidate, risks: _Risks, at: int, *, asked: bool) -> Judged:
        """A candidate as policy sees it; what only rules look at is left out where there are none to be asked."""
        work = self._compiled.meta.works[candidate.work]
        return Judged(
            work=work.id,
            items=self._items(candidate) if asked else (),
            rights_holders=work.rights_holders,
            media=work.media,
            category="brand" if work.brand else "franchise",
            risk=risks.alone[at] if work.status == "protected" else 0.0,
            style=risks.styles_alone[at] if asked and risks.counting[at] else 0.0,
        )

    def _items(self, candidate: Candidate) -> tuple[str | None, ...]:
        """Items that are asked for by name; where nothing is, the one described, and the work as a whole."""
        wanted = [named for named in candidate.hits if named.wanted] or candidate.hits
        subjects = [named.reading.subject for named in wanted]
        if not wanted and candidate.nearest is not None:
            # A description is no sure sign of one item: what is permitted for it alone must not pass for it.
            return self._compiled.subjects[candidate.nearest.subject].item, None
        items = (self._compiled.subjects[subject].item for subject in subjects)
        # The title beside an item says where the item is from.
        return tuple(dict.fromkeys(item for item in items if item))

    def _counting(self, candidates: Sequence[Candidate]) -> Mask:
        return np.array([self._counts[candidate.work] for candidate in candidates], dtype=bool)

    def _brand_risk(self, judged: Sequence[Judged]) -> float | None:
        if not self._holds_brands:
            return None
        return max((candidate.risk for candidate in judged if candidate.category == "brand"), default=0.0)


class _Risks:
    """Calibrated risks of one prompt's candidates, alone and together."""

    def __init__(
        self, head: Head, shift: float, chances: Chances, candidates: Sequence[Candidate], counting: Mask
    ) -> None:
        self._head, self._shift, self._chances, self.counting = head, shift, chances, counting
        self._named = np.array([bool(c.hits) for c in candidates], dtype=bool)
        # A candidate alone has the chance that it has; one call for all costs what one for each would.
        decisions = head.risk.decision(1 - (1 - chances.franchise), chances.unlisted) + shift
        self.alone: list[float] = sigmoid(decisions).tolist()
        self._known: dict[bytes, float] = {}
        self._known_styles: dict[bytes, float] = {}

    @cached_property
    def styles_alone(self) -> list[float]:
        """Risk that the style of each candidate is asked for."""
        alone: list[float] = sigmoid(self._head.style_risk.decision(1 - (1 - self._chances.style), 0.0)).tolist()
        return alone

    def of(self, kept: Mask) -> float:
        """Risk that one of the candidates kept, or a work that the catalogue lacks, is reproduced."""
        key = kept.tobytes()
        if key not in self._known:
            chance = combine(self._chances.franchise[kept], self._named[kept])
            decision = self._head.risk.decision(chance, self._chances.unlisted) + self._shift
            self._known[key] = float(sigmoid(decision))
        return self._known[key]

    def style_of(self, kept: Mask) -> float:
        """Risk that the style of one of the candidates kept is asked for."""
        key = kept.tobytes()
        if key not in self._known_styles:
            chance = combine(self._chances.style[kept], self._named[kept])
            self._known_styles[key] = float(sigmoid(self._head.style_risk.decision(chance, 0.0)))
        return self._known_styles[key]


def _decided(judged: Sequence[Judged], risks: _Risks, terms: Terms, *, truncated: bool) -> tuple[Outcome, float]:
    """What policy decides, and the risk that it leaves."""
    book, limits = terms.policy, terms.limits
    looks = style_limits(book.policy)
    where = Circumstances(terms.territory, datetime.now(tz=UTC).date())
    if book.has_rules:
        rulings = [book.ruling(candidate, limits, where) for candidate in judged]
        styles = [book.ruling(candidate, looks, where, style=True) for candidate in judged]
    else:
        rulings, styles = [Ruling(limits)] * len(judged), [Ruling(looks)] * len(judged)

    def left(holds: Iterable[bool]) -> Mask:
        kept: Mask = risks.counting & np.fromiter(holds, dtype=bool, count=len(judged))
        return kept

    residual = risks.of(left(ruling.permit is None for ruling in rulings))
    # The thresholds of a permit are beyond any risk, so that it never counts.
    pooled = Pooled(
        review=risks.of(left(ruling.limits.review <= limits.review for ruling in rulings)),
        block=risks.of(left(ruling.limits.block <= limits.block for ruling in rulings)),
        style=risks.style_of(left(ruling.limits.review <= looks.review for ruling in styles)),
    )
    return decide(book.policy, limits, judged, rulings, styles, pooled, truncated=truncated), residual
