"""From the risks of candidates to a decision and the rule that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipguard.policy.binding import Judged
from ipguard.policy.rules import Policy, Rule, check_thresholds, strictest
from ipguard.policy.rulings import Limits, Ruling
from ipguard.verdict import Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """What policy decided, and by which rule or threshold.

    Attributes
    ----------
    decision
        The strictest that anything called for.
    rule
        Name of what called for it.
    permitted
        Which candidates a rule takes out of the decision.
    rules
        The rule that speaks of each candidate; one about its style only where none is about itself.
    """

    decision: Decision
    rule: str
    permitted: tuple[bool, ...]
    rules: tuple[Rule | None, ...]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Risks of what remains of a prompt at each threshold.

    A candidate whose rule has a looser threshold than the one in force answers to its own alone; any other
    also counts here, together with the rest.
    """

    review: float
    block: float
    style: float


def limits_in_force(review: float | None, block: float | None, policy: Policy, default: tuple[float, float]) -> Limits:
    """Return the thresholds that hold: a caller's before the policy's before the model's.

    Parameters
    ----------
    review, block
        The caller's, or None.
    policy
        The policy.
    default
        The model's review and block thresholds.

    Returns
    -------
    Limits
        In order.

    Raises
    ------
    InvalidArgumentError
        If those of caller and policy together are not in order.
    """
    blocks = next(value for value in (block, policy.block, default[1]) if value is not None)
    reviews = next(value for value in (review, policy.review, min(default[0], blocks)) if value is not None)
    check_thresholds(reviews, blocks)
    return Limits(reviews, blocks)


def style_limits(policy: Policy) -> Limits:
    """Return the threshold of style, which never blocks."""
    return Limits(policy.style_threshold, math.inf)


def decide(
    policy: Policy,
    limits: Limits,
    candidates: Sequence[Judged],
    rulings: Sequence[Ruling],
    styles: Sequence[Ruling],
    pooled: Pooled,
    *,
    truncated: bool,
) -> Outcome:
    """Take the strictest decision that thresholds, rules and style call for.

    Parameters
    ----------
    policy
        For the treatment of style.
    limits
        Review and block thresholds in force.
    candidates, rulings, styles
        Candidates of one prompt with what rules say of each and of its style.
    pooled
        Risks of what remains.
    truncated
        Whether part of the text was not scored.

    Returns
    -------
    Outcome
        The decision and what made it.
    """
    options: list[tuple[Decision, str]] = []
    if pooled.block >= limits.block:
        options.append(("block", "threshold:block"))
    if pooled.review >= limits.review:
        options.append(("review", "threshold:review"))
    options += _called_for(candidates, rulings, styles)
    if policy.style != "allow" and pooled.style >= policy.style_threshold:
        options.append((policy.style, "category:style"))
    if truncated:
        options.append(("review", "truncated"))
    decision = strictest(option for option, _ in options)
    named = [name for option, name in options if option == decision]
    # A rule that somebody wrote explains more than a threshold that it agrees with.
    name = next((name for name in named if not name.startswith("threshold")), named[0] if named else "")
    return Outcome(
        decision,
        name or _spared_by(policy, limits, candidates, rulings, styles),
        tuple(ruling.permit is not None for ruling in rulings),
        tuple(own.rule or style.review for own, style in zip(rulings, styles, strict=True)),
    )


def _called_for(
    candidates: Sequence[Judged], rulings: Sequence[Ruling], styles: Sequence[Ruling]
) -> Iterator[tuple[Decision, str]]:
    for candidate, own, style in zip(candidates, rulings, styles, strict=True):
        if own.block and candidate.risk >= own.limits.block:
            yield "block", own.block.name
        if own.review and candidate.risk >= own.limits.review:
            yield "review", own.review.name
        if style.review and candidate.style >= style.limits.review:
            yield "review", style.review.name


def _spared_by(
    policy: Policy, limits: Limits, candidates: Sequence[Judged], rulings: Sequence[Ruling], styles: Sequence[Ruling]
) -> str:
    """What let the prompt pass: the permit or looser threshold of the candidate of most risk, if any."""
    spared: list[tuple[float, str]] = []
    for candidate, own, style in zip(candidates, rulings, styles, strict=True):
        if own.rule and (own.permit or candidate.risk >= limits.review):
            spared.append((candidate.risk, own.rule.name))
        if style.rule and policy.style != "allow" and candidate.style >= policy.style_threshold:
            spared.append((candidate.style, style.rule.name))
    return max(spared, default=(0.0, "threshold:allow"))[1]
