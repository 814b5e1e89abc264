"""A guard whose policy changes while a service runs."""

from __future__ import annotations

from collections.abc import Callable

from ipguard.guard import Guard
from ipguard.policy.rules import Policy


def live_guard(policy: Callable[[], Policy], guard: Guard | None = None) -> Callable[[], Guard]:
    """Return a function for the `guard` of a :class:`~ipguard.integrations.check.Check`.

    Parameters
    ----------
    policy
        Gives the policy that holds now, the same object until it changes.
    guard
        Model and catalogue; the shipped ones if None.

    Returns
    -------
    callable
        Gives a guard with that policy, made anew only where the policy is another object. What `policy` raises, and a
        policy that the catalogue does not know, make the check fail.
    """
    base = guard or Guard()
    now = policy()
    held = (now, base.with_policy(now))

    def current() -> Guard:
        nonlocal held
        now = policy()
        # One name for both, so that a thread never sees the new policy with the guard of the old.
        seen, made = held
        if seen is not now:
            made = base.with_policy(now)
            held = (now, made)
        return made

    return current
