"""From the risks of candidates to a decision and the rule that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipguard.policy.rules import Policy, Rule, strictest
from ipguard.verdict import Decision


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate as policy sees it."""

    work: str
    items: tuple[str, ...]
    rights_holders: tuple[str, ...]
    media: tuple[str, ...]
    risk: float
    protected: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What policy decided, and by which rule or threshold."""

    decision: Decision
    rule: str
    permitted: tuple[bool, ...]
    rules: tuple[Rule | None, ...]


def rules_of(policy: Policy, candidates: Sequence[Judged], territory: str | None) -> tuple[Rule | None, ...]:
    """Return the rule that applies to each candidate.

    Parameters
    ----------
    policy
        The policy.
    candidates
        Candidates of one prompt.
    territory
        ISO 3166 code, or None.

    Returns
    -------
    tuple
        One rule or None a candidate. A candidate with several items takes the strictest of their rules.
    """
    if not policy.rules:
        return (None,) * len(candidates)
    order = {"permit": 0, "review": 1, "block": 2}
    found: list[Rule | None] = []
    for candidate in candidates:
        options = [
            policy.rule_for(candidate.work, item, candidate.rights_holders, candidate.media, territory)
            for item in candidate.items or (None,)
        ]
        # An item without a permit of its own keeps the candidate in the decision.
        if any(option is None for option in options) and all(o is None or o.effect == "permit" for o in options):
            found.append(None)
        else:
            found.append(max((o for o in options if o), key=lambda rule: order[rule.effect], default=None))
    return tuple(found)


def permits(rules: Sequence[Rule | None]) -> tuple[bool, ...]:
    """Return which candidates a rule takes out of the decision."""
    return tuple(rule is not None and rule.effect == "permit" for rule in rules)


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds in force."""

    review: float
    block: float


def decide(
    policy: Policy,
    limits: Limits,
    candidates: Sequence[Judged],
    rules: Sequence[Rule | None],
    residual_risk: float,
    style_risk: float,
    *,
    truncated: bool,
) -> Outcome:
    """Take the strictest decision that thresholds, rules and style call for.

    Parameters
    ----------
    policy
        For the treatment of style.
    limits
        Review and block thresholds.
    candidates, rules
        Candidates of one prompt with the rule of each.
    residual_risk
        Risk without the permitted candidates, in [0, 1].
    style_risk
        In [0, 1].
    truncated
        Whether part of the text was not scored.

    Returns
    -------
    Outcome
        The decision and what made it.
    """
    permitted = permits(rules)
    options: list[tuple[Decision, str]] = []
    if residual_risk >= limits.block:
        options.append(("block", "threshold:block"))
    elif residual_risk >= limits.review:
        options.append(("review", "threshold:review"))
    for candidate, rule in zip(candidates, rules, strict=True):
        if rule and rule.effect != "permit" and candidate.protected and candidate.risk >= limits.review:
            options.append((rule.effect, rule.name))
    if policy.style != "allow" and style_risk >= policy.style_threshold:
        options.append((policy.style, "category:style"))
    if truncated:
        options.append(("review", "truncated"))
    decision = strictest(option for option, _ in options)
    named = [name for option, name in options if option == decision]
    # A rule that somebody wrote explains more than a threshold that it agrees with.
    rule_name = next((name for name in named if not name.startswith("threshold")), named[0] if named else "")
    if not rule_name:
        first = next((r for r, p in zip(rules, permitted, strict=True) if r and p), None)
        rule_name = first.name if first else "threshold:allow"
    return Outcome(decision, rule_name, permitted, tuple(rules))
