"""The guard in force, replaced whole when its policy or its catalogue changes."""

from __future__ import annotations

import logging

from ipguard.errors import IpguardError
from ipguard.guard import Guard
from ipguard.policy.rules import Policy
from ipguard.policy.source import PolicySource, SourceStatus
from ipguard.serve.loading import Loaded, catalogue_path, load, stamp
from ipguard.serve.lookup import Lookup
from ipguard.serve.metrics import Metrics
from ipguard.serve.scorer import InForce
from ipguard.serve.settings import ServeSettings

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
        base = loaded or load(settings)
        self._base = base.guard
        self._path = catalogue_path(settings)
        self._stamp, self._seen = base.stamp, stamp(self._path)
        # A worker that takes another's place later was given what had been loaded at the beginning.
        self._wanted = self._stamp != self._seen
        self._shown: dict[str, str] = {}
        self._source = (
            PolicySource(settings.policy, interval=settings.poll, check=self._offer) if settings.policy else None
        )
        if self._source is None:
            self._offer(Policy())
        self._counted = (0, 0)
        self._put(self._offered, Lookup(base.guard.compiled))

    @property
    def in_force(self) -> InForce:
        """The guard and what goes with it; take it once for each piece of work."""
        return self._in_force

    @property
    def policy_status(self) -> SourceStatus | None:
        """How fresh the policy is; None where there is none to be read."""
        return self._source.status if self._source else None

    def want_catalogue(self) -> None:
        """Have the catalogue loaded at the next look, whether or not its file changed."""
        self._wanted = True

    def look(self) -> None:
        """Take up a policy or a catalogue that has changed."""
        if self._source:
            if self._source.refresh():
                self._put(self._offered, self._in_force.lookup)
            self._count(self._source.status)
        if self._wanted or self._catalogue_changed():
            self._wanted = False
            self._load_catalogue()

    def close(self) -> None:
        """Let go of what policies are read from."""
        if self._source:
            self._source.close()

    def _offer(self, policy: Policy) -> None:
        """Make a guard of a policy; one that does not fit the catalogue is refused here, and not taken up."""
        self._offered = self._base.with_policy(policy)

    def _count(self, status: SourceStatus) -> None:
        reloads, failures = self._counted
        self._metrics.reloads.labels("policy", "done").inc(status.reloads - reloads)
        self._metrics.reloads.labels("policy", "failed").inc(status.failures - failures)
        self._metrics.policy_age.set(status.age)
        self._counted = status.reloads, status.failures

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
        except IpguardError as error:
            self._metrics.reloads.labels("catalogue", "failed").inc()
            # One line says it all; the traceback would lead to the reader, not to the file.
            logger.error("catalogue %s kept: %s", self._in_force.guard.catalogue_version, error)  # noqa: TRY400
            return
        self._base = guard
        self._put(guard, Lookup(guard.compiled))
        self._metrics.reloads.labels("catalogue", "done").inc()
        logger.warning("catalogue loaded anew: %s", guard.catalogue_version)
