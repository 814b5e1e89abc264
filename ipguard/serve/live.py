"""The guard in force, replaced whole when its policy or its catalogue changes."""

from __future__ import annotations

import logging
from time import monotonic

from ipguard.errors import IpguardError
from ipguard.guard import Guard
from ipguard.policy.rules import Policy
from ipguard.serve.loading import Loaded, catalogue_path, load, stamp
from ipguard.serve.lookup import Lookup
from ipguard.serve.metrics import Metrics
from ipguard.serve.scorer import InForce
from ipguard.serve.settings import ServeSettings
from ipguard.serve.watch import Watched

logger = logging.getLogger("ipguard.serve")


class Live:
    """What prompts are judged by, now.

    Parameters
    ----------
    settings, metrics
        Of the service.
    loaded
        Model and catalogue; loaded as the settings say if None.
    """

    def __init__(self, settings: ServeSettings, metrics: Metrics, loaded: Loaded | None = None) -> None:
        self._settings, self._metrics = settings, metrics
        self._policy = Watched("policy", settings.policy, Policy.load, metrics) if settings.policy else None
        base = loaded or load(settings)
        self._used = self._policy.value if self._policy else Policy()
        self._path = catalogue_path(settings)
        self._stamp, self._seen = base.stamp, stamp(self._path)
        # A worker that takes another's place later was given what had been loaded at the beginning.
        self._wanted = self._stamp != self._seen
        self._shown: dict[str, str] = {}
        self._put(base.guard.with_policy(self._used), Lookup(base.guard.compiled))
        self._checked = monotonic()

    @property
    def in_force(self) -> InForce:
        """The guard and what goes with it; take it once for each piece of work."""
        return self._in_force

    @property
    def policy_age(self) -> float:
        """Seconds since the policy was read or found unchanged."""
        return monotonic() - self._checked

    def want_catalogue(self) -> None:
        """Have the catalogue loaded at the next look, whether or not its file changed."""
        self._wanted = True

    def look(self) -> None:
        """Take up a policy or a catalogue that has changed."""
        self._look_at_policy()
        if self._wanted or self._catalogue_changed():
            self._wanted = False
            self._load_catalogue()
        self._metrics.policy_age.set(self.policy_age)

    def close(self) -> None:
        """Let go of what policies are read from."""

    def _put(self, guard: Guard, lookup: Lookup) -> None:
        self._in_force = InForce(guard, guard.rules_version, lookup)
        versions = {
            "model": guard.model_version,
            "catalogue": guard.catalogue_version,
            "policy": self._in_force.policy_version,
        }
        for what, version in versions.items():
            if self._shown.get(what) != version:
                self._metrics.show_version(what, version, self._shown.get(what))
        self._shown = versions

    def _look_at_policy(self) -> None:
        if self._policy:
            self._policy.look()
            policy = self._policy.value
            if policy is not self._used:
                self._used = policy
                try:
                    self._put(self._in_force.guard.with_policy(policy), self._in_force.lookup)
                except IpguardError as error:
                    self._failed("policy", error)
                    return
        self._checked = monotonic()

    def _catalogue_changed(self) -> bool:
        """Whether the file differs from what was loaded, and has been left alone since the last look."""
        if not self._settings.watch_catalogue:
            return False
        now, before = stamp(self._path), self._seen
        self._seen = now
        return now != self._stamp and now == before

    def _load_catalogue(self) -> None:
        self._stamp = self._seen = stamp(self._path)
        try:
            guard = self._in_force.guard.with_catalogue(self._settings.catalogue)
            self._put(guard, Lookup(guard.compiled))
        except IpguardError as error:
            self._failed("catalogue", error)
            return
        self._metrics.reloads.labels("catalogue", "done").inc()
        logger.warning("catalogue loaded anew: %s", guard.catalogue_version)

    def _failed(self, what: str, error: IpguardError) -> None:
        self._metrics.reloads.labels(what, "failed").inc()
        logger.error("%s kept as it was: %s", what, error)
