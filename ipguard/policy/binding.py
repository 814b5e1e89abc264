"""A policy bound to a catalogue: its ids checked, its rules found by what they concern."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import get_args

import msgspec
import numpy as np
from rapidfuzz import process

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.catalogue.schema import Medium
from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.rules import Category, Policy, Rule
from ipguard.policy.rulings import Limits, Place, Ruling, place, ruling_of, strictest_ruling

NEAR = 70.0
"""Similarity in per cent from which an id is offered for one that is not known."""
SHOWN = 20
"""Unknown ids that one error lists."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate as policy sees it.

    Attributes
    ----------
    work
        Id.
    items
        Ids of the items that are asked for; None among them stands for the work as a whole.
    rights_holders, media
        Of the work.
    category
        ``franchise``, or ``brand`` for a work of the brands pack.
    risk
        In [0, 1]; 0 for what is in the public domain.
    style
        Risk that its style is asked for, in [0, 1].
    """

    work: str
    items: tuple[str | None, ...]
    rights_holders: tuple[str, ...]
    media: tuple[str, ...]
    risk: float
    category: Category = "franchise"
    style: float = 0.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when the output will be used."""

    territory: str | None
    today: date


class BoundPolicy:
    """A policy whose rules were checked against a catalogue. Immutable; thread-safe.

    Parameters
    ----------
    policy
        The policy.
    compiled
        The catalogue.

    Raises
    ------
    PolicyError
        If rules name works, items, rights holders or media that the catalogue does not hold; lists them with
        the nearest that it does.
    """

    def __init__(self, policy: Policy, compiled: CompiledCatalogue) -> None:
        self.policy, self._compiled = policy, compiled
        self._lineages: dict[str, dict[str, int]] = {}
        self._of_work: defaultdict[str, list[Rule]] = defaultdict(list)
        self._of_holder: defaultdict[str, list[Rule]] = defaultdict(list)
        self._general: list[Rule] = []
        self._granted: dict[str, Rule] = {}
        _check_ids(policy.rules, compiled)
        for given in policy.rules:
            work = given.work and current_id(compiled, given.work)
            rule = given if work == given.work else msgspec.structs.replace(given, work=work)
            if rule.work is not None:
                self._of_work[rule.work].append(rule)
            elif rule.rights_holder is not None:
                self._of_holder[rule.rights_holder].append(rule)
            else:
                self._general.append(rule)

    @property
    def has_rules(self) -> bool:
        """Whether there is any rule to ask."""
        return bool(self.policy.rules or self._granted)

    def permitting(self, works: Iterable[str]) -> BoundPolicy:
        """Return a policy that also permits works.

        Parameters
        ----------
        works
            Ids that are or were in use.

        Returns
        -------
        BoundPolicy
            Shares everything else with this one.

        Raises
        ------
        InvalidArgumentError
            If the catalogue holds no such work.
        """
        granted = {}
        for work in works:
            found = current_id(self._compiled, work)
            if found not in self._compiled.work_index:
                raise InvalidArgumentError("allow", "hold ids of works in the catalogue", work)
            granted[found] = Rule("permit", reason="licensed", work=found)
        if not granted:
            return self
        other = copy.copy(self)
        other._granted = granted  # noqa: SLF001 - of the same class
        return other

    def ruling(self, candidate: Judged, standing: Limits, where: Circumstances, *, style: bool = False) -> Ruling:
        """Return what the rules say of a candidate.

        Parameters
        ----------
        candidate
            The candidate.
        standing
            Thresholds where no rule fits.
        where
            Where and when the output will be used.
        style
            Whether its style is asked about, instead of the work itself.

        Returns
        -------
        Ruling
            The strictest over its items.
        """
        category: Category = "style" if style else candidate.category
        concerning = [
            (distance, rule)
            for distance, rule in self._concerning(candidate)
            if _concerns(rule, category) and rule.holds(where.territory, where.today)
        ]
        return strictest_ruling(
            [ruling_of(list(_fitting(concerning, candidate, item)), standing) for item in candidate.items or (None,)]
        )

    def _concerning(self, candidate: Judged) -> Iterator[tuple[int, Rule]]:
        """Rules about the work, what it is part of, its holders, or no one in particular."""
        for work, distance in self._lineage(candidate.work).items():
            for rule in self._of_work.get(work, ()):
                yield distance, rule
            if work in self._granted:
                yield distance, self._granted[work]
        for holder in candidate.rights_holders:
            for rule in self._of_holder.get(holder, ()):
                yield 0, rule
        for rule in self._general:
            yield 0, rule

    def _lineage(self, work: str) -> dict[str, int]:
        """The work and what it is part of, with the steps up to each."""
        known = self._lineages.get(work)
        if known is None:
            works, start = self._compiled.meta.works, self._compiled.work_index[work]
            steps = {start: 0}
            todo = [start]
            for at in todo:
                for parent in works[at].part_of:
                    if parent not in steps:
                        steps[parent] = steps[at] + 1
                        todo.append(parent)
            known = {works[at].id: distance for at, distance in steps.items()}
            self._lineages[work] = known
        return known


def _fitting(
    concerning: Iterable[tuple[int, Rule]], candidate: Judged, item: str | None
) -> Iterator[tuple[Place, Rule]]:
    """Those rules that fit one item of a candidate, with how narrow each is."""
    holders = set(candidate.rights_holders)
    found = [
        (distance, rule)
        for distance, rule in concerning
        if (rule.item is None or (rule.item == item and distance == 0))
        and (rule.rights_holder is None or rule.rights_holder in holders)
        and (rule.medium is None or rule.medium in candidate.media)
    ]
    granting = {rule.rights_holder for _, rule in found if rule.effect == "permit"}
    for distance, rule in found:
        # One opt-out of a single holder covers the work; permits cover it once all of its holders gave one.
        if rule.effect != "permit" or rule.rights_holder is None or holders <= granting:
            yield place(rule, distance), rule


def _concerns(rule: Rule, category: Category) -> bool:
    if rule.category is not None:
        return rule.category == category
    return category != "style" or rule.effect == "permit"


def current_id(compiled: CompiledCatalogue, work: str) -> str:
    """Return the id that a work has today, following merges; the same where there is none.

    Parameters
    ----------
    compiled
        The catalogue.
    work
        An id.

    Returns
    -------
    str
        An id.
    """
    redirects = compiled.meta.redirects
    for _ in range(len(redirects)):
        if work in compiled.work_index or work not in redirects:
            break
        work = redirects[work]
    return work


def _check_ids(rules: Iterable[Rule], compiled: CompiledCatalogue) -> None:
    # Each once, in the order of the rules.
    unknown = dict.fromkeys(found for rule in rules for found in _unknown(rule, compiled))
    if unknown:
        more = f"; and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        listed = "; ".join(list(unknown)[:SHOWN])
        raise PolicyError(f"The policy names what the catalogue {compiled.version} does not hold: {listed}{more}.")


def _unknown(rule: Rule, compiled: CompiledCatalogue) -> Iterator[str]:
    """What a rule names that is not there, or not there for its work, so that it could never hold."""
    if rule.work is not None and current_id(compiled, rule.work) not in compiled.work_index:
        yield f"work {rule.work!r}{_near(rule.work, compiled.work_index)}"
        return
    of = f" of {rule.work}" if rule.work is not None else ""
    for key in ("item", "rights_holder", "medium"):
        value = getattr(rule, key)
        if value is not None and value not in (choices := _choices(key, rule, compiled)):
            yield f"{key}{of} {value!r}{_near(value, choices)}"


def _choices(key: str, rule: Rule, compiled: CompiledCatalogue) -> Collection[str]:
    """What a rule may name: of its work or, but for items, of the relatives for which it may hold too."""
    if rule.work is None:
        return compiled.holders if key == "rights_holder" else get_args(Medium)
    work, works = current_id(compiled, rule.work), compiled.meta.works
    if key == "item":
        return items_of(compiled, work)
    family = (works[at] for at in works[compiled.work_index[work]].relatives)
    field = "rights_holders" if key == "rights_holder" else "media"
    return {value for relative in family for value in getattr(relative, field)}


def items_of(compiled: CompiledCatalogue, work: str) -> frozenset[str]:
    """Return the ids of a work's items.

    Parameters
    ----------
    compiled
        The catalogue.
    work
        Id of a work in it.

    Returns
    -------
    frozenset of str
        Empty if it has none.
    """
    at = np.flatnonzero(compiled.subjects.works == compiled.work_index[work]).tolist()
    return frozenset(item for subject in at if (item := compiled.subjects[subject].item))


def _near(value: str, choices: Iterable[str]) -> str:
    found = [choice for choice, _, _ in process.extract(value, list(choices), limit=3, score_cutoff=NEAR)]
    return f" (near: {', '.join(found)})" if found else ""
