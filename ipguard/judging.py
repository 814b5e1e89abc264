"""From the evidence of prompts to their verdicts: the head's probabilities, risks, the policy's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.classifier.head import Float, Head, combine, sigmoid
from ipguard.evidence.candidates import Candidate, PromptEvidence
from ipguard.evidence.features import as_matrix, feature_rows, prompt_features
from ipguard.policy.decide import Judged, Limits, decide, permits, rules_of
from ipguard.policy.rules import Policy
from ipguard.verdict import Verdict
from ipguard.wording import Scored, make_verdict

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a caller's policy asks for: rules, thresholds in force, where the output will be used."""

    policy: Policy
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
        protected = np.array([self._counts(c.work) for c in found.candidates], dtype=bool)
        named = np.array([bool(c.hits) for c in found.candidates], dtype=bool)

        def risk_of(kept: Mask) -> float:
            chance = combine(chances.franchise[kept], named[kept])
            return float(sigmoid(self._head.risk.decision(chance, chances.unlisted) + self._shift))

        single = np.eye(len(protected), dtype=bool)
        risks = [risk_of(single[at]) if protected[at] else 0.0 for at in range(len(protected))]
        judged = [
            self._judged(candidate, risk, is_protected)
            for candidate, risk, is_protected in zip(found.candidates, risks, protected.tolist(), strict=True)
        ]
        rules = rules_of(terms.policy, judged, terms.territory)
        kept = protected & ~np.array(permits(rules), dtype=bool) if judged else protected
        residual = risk_of(kept)
        style_chance = combine(chances.style[protected], named[protected])
        style_risk = float(sigmoid(self._head.style_risk.decision(style_chance, 0.0)))
        outcome = decide(terms.policy, terms.limits, judged, rules, residual, style_risk, truncated=truncated)
        scored = Scored(
            evidence=found,
            risk=risk_of(protected),
            residual_risk=residual,
            style_risk=style_risk,
            candidate_risks=tuple(risks),
            outcome=outcome,
            truncated=truncated,
        )
        return make_verdict(self._compiled, scored, *self._versions)

    def _judged(self, candidate: Candidate, risk: float, protected: bool) -> Judged:
        work = self._compiled.meta.works[candidate.work]
        items = (self._compiled.subjects[named.reading.subject].item for named in candidate.hits)
        return Judged(
            work=work.id,
            items=tuple(dict.fromkeys(item for item in items if item)),
            rights_holders=work.rights_holders,
            media=work.media,
            risk=risk,
            protected=protected,
        )

    def _counts(self, work: int) -> bool:
        """Whether a candidate can raise the franchise risk: protected, and no mere brand."""
        info = self._compiled.meta.works[work]
        return info.status == "protected" and not info.brand
