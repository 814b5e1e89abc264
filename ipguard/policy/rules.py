"""Rules about works, rights holders, items and media; thresholds; the file they are read from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import msgspec

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.verdict import Decision

Effect = Literal["permit", "review", "block"]
Reason = Literal["opted_out", "opted_in", "licensed", "public_domain", "house_rule"]
_SPECIFICITY = ("item", "work", "rights_holder", "medium")
_STRICTNESS = {"permit": 0, "review": 1, "block": 2}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to do about a work, everything of a rights holder, an item or a medium.

    Attributes
    ----------
    effect
        ``permit`` takes the candidate out of the decision; ``review`` and ``block`` set the least decision
        where the candidate's risk reaches the review threshold.
    reason
        Why.
    work, item, rights_holder, medium
        Whom it concerns; ``item`` needs ``work``. A rule that names none concerns everything.
    territories
        ISO 3166 codes where it holds; empty means everywhere.
    since, until
        First and last day on which it holds.
    source
        URL or document that it rests on.
    """

    effect: Effect
    reason: Reason = "house_rule"
    work: str | None = None
    item: str | None = None
    rights_holder: str | None = None
    medium: str | None = None
    territories: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        """Refuse an item without its work."""
        if self.item is not None and self.work is None:
            raise ValueError("an item needs its work")

    @property
    def name(self) -> str:
        """How verdicts name the rule."""
        subject = next((f"{key}={getattr(self, key)}" for key in _SPECIFICITY if getattr(self, key)), "all")
        return f"{self.reason}:{self.effect}:{subject}"

    @property
    def specificity(self) -> int:
        """Greater for a narrower subject, and for one bound to territories."""
        place = next((at for at, key in enumerate(_SPECIFICITY) if getattr(self, key)), len(_SPECIFICITY))
        return 2 * (len(_SPECIFICITY) - place) + bool(self.territories)

    def holds(self, territory: str | None, today: date) -> bool:
        """Return whether the rule is in force.

        Parameters
        ----------
        territory
            Where the output will be used; None for unknown, which a territorial permit does not cover but a
            territorial review or block does.
        today
            The day.

        Returns
        -------
        bool
            Whether it applies.
        """
        if (self.since and today < self.since) or (self.until and today > self.until):
            return False
        if not self.territories:
            return True
        return territory in self.territories if territory else self.effect != "permit"


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Thresholds and rules.

    Attributes
    ----------
    review, block
        Risks in [0, 1] from which a prompt is reviewed and blocked; None for the model's.
    style
        The strictest decision that style alone may lead to; never ``block``.
    style_threshold
        Style risk in [0, 1] from which that decision is taken.
    rules
        In any order; the most specific wins, of equal ones the stricter.
    """

    review: float | None = None
    block: float | None = None
    style: Literal["allow", "review"] = "allow"
    style_threshold: float = 0.5
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Check the thresholds."""
        check_thresholds(self.review, self.block)

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy from a JSON file.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Policy
            Its content.

        Raises
        ------
        PolicyError
            If it cannot be read or breaks a rule; the message names the field.
        """
        try:
            return msgspec.json.decode(Path(path).read_bytes(), type=cls)
        except OSError as error:
            raise PolicyError(f"{path} cannot be read: {error.strerror}.") from None
        except msgspec.DecodeError as error:
            raise PolicyError(f"{path} is not a policy: {error}.") from None

    def permitting(self, works: Iterable[str]) -> Policy:
        """Return a policy that also permits works.

        Parameters
        ----------
        works
            Ids of works.

        Returns
        -------
        Policy
            With a rule for each.
        """
        more = tuple(Rule("permit", reason="licensed", work=work) for work in works)
        return msgspec.structs.replace(self, rules=(*self.rules, *more)) if more else self

    def rule_for(
        self, work: str, item: str | None, holders: Iterable[str], media: Iterable[str], territory: str | None
    ) -> Rule | None:
        """Return the rule that decides about a candidate.

        Parameters
        ----------
        work, item
            Ids.
        holders, media
            Of the work. One opt-out of a single holder covers the work; a holder's permit does not, unless it
            is the only one.
        territory
            Where the output will be used.

        Returns
        -------
        Rule or None
            The most specific; of equally specific ones the strictest.
        """
        today = datetime.now(tz=UTC).date()
        parties, kinds = set(holders), set(media)
        fitting = [
            rule
            for rule in self.rules
            if (rule.work is None or rule.work == work)
            and (rule.item is None or rule.item == item)
            and (rule.rights_holder is None or _covers(rule, parties))
            and (rule.medium is None or rule.medium in kinds)
            and rule.holds(territory, today)
        ]
        return max(fitting, key=lambda rule: (rule.specificity, _STRICTNESS[rule.effect]), default=None)


def _covers(rule: Rule, parties: set[str]) -> bool:
    return parties == {rule.rights_holder} if rule.effect == "permit" else rule.rights_holder in parties


def check_thresholds(review: float | None, block: float | None) -> None:
    """Check that thresholds are risks and in order.

    Parameters
    ----------
    review, block
        Thresholds or None.

    Raises
    ------
    InvalidArgumentError
        Naming the one that breaks the rule.
    """
    for name, value in (("review", review), ("block", block)):
        if value is not None and not 0 <= value <= 1:
            raise InvalidArgumentError(name, "lie in [0, 1]", value)
    if review is not None and block is not None and review > block:
        raise InvalidArgumentError("review", f"be at most block ({block})", review)


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Return the strictest of some decisions, ``allow`` if there are none."""
    order: tuple[Decision, ...] = ("allow", "review", "block")
    return max(decisions, key=order.index, default="allow")
