"""Rules about works, rights holders, items, media and categories; thresholds; the file they are read from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import msgspec

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.territories import check_territory
from ipguard.verdict import Decision

Effect = Literal["permit", "review", "block"]
Reason = Literal["opted_out", "opted_in", "licensed", "public_domain", "house_rule"]
Category = Literal["franchise", "style", "brand"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)
"""From the mildest to the strictest."""
REASONS: tuple[Reason, ...] = get_args(Reason)
CATEGORIES: tuple[Category, ...] = get_args(Category)
_CRITERIA = ("work", "item", "rights_holder", "medium", "category")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to do about a work, an item, everything of a rights holder, a medium or a category.

    Attributes
    ----------
    effect
        ``permit`` takes the candidate out of the decision; ``review`` and ``block`` set the least decision
        where the candidate's risk reaches the threshold.
    reason
        Why.
    work, item, rights_holder, medium
        Whom it concerns; all that are given must fit, and ``item`` needs ``work``. A rule for a work also
        holds for the works that are part of it. A rule that names none concerns everything.
    category
        ``franchise``, ``style`` or ``brand``. Without one, a permit covers all three, a review or block all
        but style. A rule about style may review but not block.
    territories
        ISO 3166 codes where it holds; empty means everywhere.
    since, until
        First and last day (UTC) on which it holds.
    source
        URL or document that it rests on.
    review, block
        Thresholds in [0, 1] for what the rule concerns, in place of those in force. A rule that blocks does so
        from ``block``, or from ``review`` where ``block`` is not given.
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
    category: Category | None = None
    review: float | None = None
    block: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or could never hold."""
        _check_choice("effect", self.effect, EFFECTS)
        _check_choice("reason", self.reason, REASONS)
        if self.category is not None:
            _check_choice("category", self.category, CATEGORIES)
        if self.item is not None and self.work is None:
            raise InvalidArgumentError("item", "come with its work", self.item)
        if self.effect == "permit" and self.reason == "opted_out":
            raise InvalidArgumentError("reason", "not be opted_out for a permit", self.reason)
        self._check_days()
        self._check_territories()
        self._check_thresholds()

    def _check_days(self) -> None:
        for name, value in (("since", self.since), ("until", self.until)):
            # A time is no day: the two cannot be compared, which would be found out only by a prompt.
            if value is not None and type(value) is not date:
                raise InvalidArgumentError(name, "be a datetime.date", value)
        if self.since and self.until and self.since > self.until:
            raise InvalidArgumentError("since", f"not be after until ({self.until})", self.since)

    def _check_territories(self) -> None:
        given: object = self.territories
        if isinstance(given, str):
            raise InvalidArgumentError("territories", "be a collection of codes, not one string", given)
        # Sorted, each once: rules that say the same are equal.
        codes = tuple(sorted({check_territory("territories", code) for code in self.territories}))
        msgspec.structs.force_setattr(self, "territories", codes)

    def _check_thresholds(self) -> None:
        check_thresholds(self.review, self.block)
        given = next((name for name in ("review", "block") if getattr(self, name) is not None), None)
        if self.effect == "permit" and given:
            raise InvalidArgumentError(given, "not be given for a permit", getattr(self, given))
        if self.category == "style" and self.effect == "block":
            raise InvalidArgumentError("effect", "be permit or review for style, which alone never blocks", self.effect)
        if self.category == "style" and self.block is not None:
            raise InvalidArgumentError("block", "not be given for style, which alone never blocks", self.block)

    @property
    def name(self) -> str:
        """How verdicts name the rule: reason, effect, and what it concerns."""
        parts = [f"{key}={value}" for key in _CRITERIA if (value := getattr(self, key))]
        if self.territories:
            parts.append(f"territories={'+'.join(self.territories)}")
        return f"{self.reason}:{self.effect}:{','.join(parts) or 'all'}"

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
        """Check the thresholds and the treatment of style."""
        check_thresholds(self.review, self.block)
        _check_choice("style", self.style, ("allow", "review"))
        if not _is_risk(self.style_threshold):
            raise InvalidArgumentError("style_threshold", "lie in [0, 1]", self.style_threshold)

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
            return cls.decode(Path(path).read_bytes(), str(path))
        except OSError as error:
            raise PolicyError(f"{path} cannot be read: {error.strerror}.") from None

    @classmethod
    def decode(cls, content: bytes, name: str = "The text") -> Policy:
        """Read a policy from the content of a JSON file.

        Parameters
        ----------
        content
            JSON in UTF-8.
        name
            Names the content in the error.

        Returns
        -------
        Policy
            What it says.

        Raises
        ------
        PolicyError
            If it breaks a rule; the message names the field.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PolicyError(f"{name} is not a policy: {error}.") from None


def _is_risk(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidArgumentError(name, f"be one of {', '.join(choices)}", value)


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
        if value is not None and not _is_risk(value):
            raise InvalidArgumentError(name, "lie in [0, 1]", value)
    if review is not None and block is not None and review > block:
        raise InvalidArgumentError("review", f"be at most block ({block})", review)


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Return the strictest of some decisions, ``allow`` if there are none."""
    order: tuple[Decision, ...] = ("allow", "review", "block")
    return max(decisions, key=order.index, default="allow")
