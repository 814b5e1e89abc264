"""Figures for Prometheus."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ipguard.serve.workers import MULTIPROCESS

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one application; with several workers each shows those of all."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._made(Counter, "http_requests", "Requests answered.", ("route", "method", "status"))
        self.seconds = self._made(
            Histogram, "http_request_seconds", "Time from head to answer.", ("route",), buckets=_SECONDS
        )
        self.errors = self._made(Counter, "errors", "Errors answered, by code.", ("code",))
        self.decisions = self._made(Counter, "decisions", "Verdicts given.", ("decision", "reason_code"))
        self.prompts = self._made(Counter, "scored_prompts", "Prompts scored.")
        self.batch = self._made(
            Histogram, "batch_prompts", "Prompts of a batch.", (), buckets=(1, 2, 4, 8, 16, 32, 64, 128)
        )
        self.scoring = self._made(Histogram, "batch_seconds", "Time of a batch.", (), buckets=_SECONDS)
        self.queue = self._made(Gauge, "queue_prompts", "Prompts in work.", multiprocess_mode="livesum")
        self.reloads = self._made(Counter, "reloads", "Loads while running.", ("what", "outcome"))
        self.versions = self._made(
            Gauge, "version", "Workers that use this version.", ("what", "version"), multiprocess_mode="livesum"
        )
        self.policy_age = self._made(
            Gauge, "policy_check_age_seconds", "Time since the policy was read or found unchanged.",
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.audit_lost = self._made(
            Gauge, "audit_lost", "Decisions that could not be recorded.", multiprocess_mode="livesum"
        )
        self.audit_waiting = self._made(
            Gauge, "audit_waiting", "Decisions that wait to be recorded.", multiprocess_mode="livesum"
        )

    def _made(self, kind: Any, name: str, text: str, labels: tuple[str, ...] = (), **options: Any) -> Any:  # noqa: ANN401
        return kind(f"ipguard_{name}", text, labels, registry=self._registry, **options)

    def show_version(self, what: str, version: str, before: str | None) -> None:
        """Record the version of a part that is in use from now on, and before which."""
        if before is not None:
            # Files that several processes share only grow; a version that nobody uses is left out when they are read.
            self.versions.labels(what, before).set(0)
            if not _is_shared():
                self.versions.remove(what, before)
        self.versions.labels(what, version).set(1)

    def text(self) -> tuple[bytes, str]:
        """Return the figures in Prometheus's text format, and its media type."""
        if not _is_shared():
            return generate_latest(self._registry), CONTENT_TYPE_LATEST
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        lines = generate_latest(registry).splitlines(keepends=True)
        shown = (line for line in lines if not (line.startswith(b"ipguard_version{") and line.endswith(b" 0.0\n")))
        return b"".join(shown), CONTENT_TYPE_LATEST


def _is_shared() -> bool:
    return bool(os.environ.get(MULTIPROCESS))
