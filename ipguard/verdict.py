"""What a score returns: frozen records without behaviour beyond their own serialisation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Decision = Literal["allow", "review", "block"]
Status = Literal["protected", "public_domain"]
MatchKind = Literal["name", "misspelled", "obfuscated", "description", "unlisted"]

DECISIONS: tuple[Decision, ...] = ("allow", "review", "block")
"""From the mildest to the strictest."""


@dataclass(frozen=True, slots=True)
class Match:
    """One piece of evidence that a prompt asks for a work of the catalogue.

    Attributes
    ----------
    work_id
        Stable id of the work; policies refer to it.
    title
        Title of the work in English.
    item
        Id of the character, place or thing within the work, or None for the work itself.
    rights_holders
        Ids of the parties that hold rights in the work.
    status
        ``"protected"`` or ``"public_domain"``; the latter never raises the risk.
    kind
        How it was found.
    text
        The slice of the prompt, ``prompt[start:end]``.
    start, end
        Code point offsets into the original prompt, on grapheme boundaries.
    risk
        Calibrated probability in [0, 1] that this work or a relative of it would be reproduced.
    reason
        One sentence for operators.
    rule
        The policy rule that applies to this match, or None.
    """

    work_id: str
    title: str
    item: str | None
    rights_holders: tuple[str, ...]
    status: Status
    kind: MatchKind
    text: str
    start: int
    end: int
    risk: float
    reason: str
    rule: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the match as JSON-ready data."""
        return {**asdict(self), "rights_holders": list(self.rights_holders)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one prompt.

    Attributes
    ----------
    risk
        Calibrated probability in [0, 1] that fulfilling the prompt reproduces a protected franchise, for
        the prior that the model states. Policy never changes it. At least the risk of every match, but for
        brands.
    residual_risk
        The same without the works that policy permits.
    decision
        ``"allow"``, ``"review"`` or ``"block"``.
    matches
        Evidence, the highest risk first.
    categories
        ``franchise`` (equal to `risk`), ``style`` and ``brand`` in [0, 1]; None where it was not run, as brands
        are not without their pack.
    reason
        One sentence for operators, naming what decided.
    reason_code
        Stable code for programs and end users; holds no catalogue term.
    rule
        The threshold or policy rule that decided.
    model_version, catalogue_version
        Name and short hash of what produced the score.
    truncated
        Whether text beyond the limit was left unscored; the decision is then at least ``"review"``.
    """

    risk: float
    residual_risk: float
    decision: Decision
    matches: tuple[Match, ...]
    categories: dict[str, float | None]
    reason: str
    reason_code: str
    rule: str
    model_version: str
    catalogue_version: str
    truncated: bool = False

    @property
    def flagged(self) -> bool:
        """Whether the decision is anything but ``"allow"``."""
        return self.decision != "allow"

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready data, valid under ``ipguard/schemas/verdict.schema.json``."""
        return {
            "risk": self.risk,
            "residual_risk": self.residual_risk,
            "decision": self.decision,
            "flagged": self.flagged,
            "categories": dict(self.categories),
            "matches": [match.to_dict() for match in self.matches],
            "reason": self.reason,
            "reason_code": self.reason_code,
            "rule": self.rule,
            "model_version": self.model_version,
            "catalogue_version": self.catalogue_version,
            "truncated": self.truncated,
        }
