"""Which rule holds for a candidate, and from which risks: the algebra of rules, apart from any catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ipguard.policy.rules import EFFECTS, Rule


@dataclass(frozen=True, slots=True)
class Limits:
    """Risks from which something is reviewed and blocked."""

    review: float
    block: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """What rules say of one candidate.

    Attributes
    ----------
    limits
        Thresholds that hold for the candidate.
    review, block
        The rules that set them; None where the thresholds in force stand.
    permit
        The rule that takes the candidate out of the decision, or None.
    """

    limits: Limits
    review: Rule | None = None
    block: Rule | None = None
    permit: Rule | None = None

    @property
    def rule(self) -> Rule | None:
        """The rule that speaks of the candidate, the strictest of its parts first."""
        return self.block or self.review or self.permit


Place = tuple[float, ...]
"""How narrow a rule is for a candidate: compared from the left, greater is narrower."""


def place(rule: Rule, distance: int) -> Place:
    """Return how narrow a rule is.

    Parameters
    ----------
    rule
        The rule.
    distance
        Steps from the candidate up to the rule's work; 0 for the work itself.

    Returns
    -------
    tuple
        An item is narrower than a work, a work than what it is part of, that than a rights holder, then a
        medium, a category, and last a territory.
    """
    return (
        rule.item is not None,
        1 / (1 + distance) if rule.work is not None else 0.0,
        rule.rights_holder is not None,
        rule.medium is not None,
        rule.category is not None,
        bool(rule.territories),
    )


def ruling_by(rule: Rule, standing: Limits) -> Ruling:
    """Return what one rule says.

    Parameters
    ----------
    rule
        The rule.
    standing
        Thresholds in force without it.

    Returns
    -------
    Ruling
        A rule that reviews leaves blocking to the threshold in force, unless it has one of its own.
    """
    if rule.effect == "permit":
        return Ruling(Limits(math.inf, math.inf), permit=rule)
    review = standing.review if rule.review is None else rule.review
    if rule.effect == "block":
        block = review if rule.block is None else rule.block
        return Ruling(Limits(min(review, block), block), rule, rule)
    block = max(standing.block, review) if rule.block is None else rule.block
    return Ruling(Limits(min(review, block), block), rule, rule if block != standing.block else None)


def _order(rule: Rule | None) -> tuple[bool, int, str, str]:
    """Of rules that say the same a rule before none, a blocking one before others, then any fixed order."""
    if rule is None:
        return True, 0, "", ""
    return False, -EFFECTS.index(rule.effect), rule.name, rule.source or ""


def strictest_ruling(rulings: Sequence[Ruling]) -> Ruling:
    """Return one ruling as strict as each of several, whatever their order.

    Parameters
    ----------
    rulings
        At least one.

    Returns
    -------
    Ruling
        Permitted only if all are; else with the lowest thresholds of those that are not.
    """
    binding = [ruling for ruling in rulings if ruling.permit is None]
    if not binding:
        return min(rulings, key=lambda ruling: _order(ruling.permit))
    review = min(binding, key=lambda ruling: (ruling.limits.review, _order(ruling.review)))
    block = min(binding, key=lambda ruling: (ruling.limits.block, _order(ruling.block)))
    return Ruling(Limits(review.limits.review, block.limits.block), review.review, block.block)


def ruling_of(fitting: Sequence[tuple[Place, Rule]], standing: Limits) -> Ruling:
    """Return what the rules that fit a candidate say of it.

    Parameters
    ----------
    fitting
        Rules in force with how narrow each is.
    standing
        Thresholds where no rule fits.

    Returns
    -------
    Ruling
        That of the narrowest; of equally narrow ones the strictest.
    """
    if not fitting:
        return Ruling(standing)
    narrowest = max(where for where, _ in fitting)
    return strictest_ruling([ruling_by(rule, standing) for where, rule in fitting if where == narrowest])
