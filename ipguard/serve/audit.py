"""The record of decisions that are not to allow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipguard.policy.registry import AuditWriter
from ipguard.serve.keys import Caller
from ipguard.serve.metrics import Metrics
from ipguard.serve.scorer import Judgement
from ipguard.serve.settings import ServeSettings

if TYPE_CHECKING:
    from ipguard.policy.registry import Registry


class Auditor:
    """Records decisions in a registry, where there is one.

    Parameters
    ----------
    settings
        Whether to record, whether that is required, and whether texts may be kept.
    registry
        Where the records go; None for nowhere.
    metrics
        Shows what was lost.
    """

    def __init__(self, settings: ServeSettings, registry: Registry | None, metrics: Metrics) -> None:
        self._keep_text, self._metrics = settings.log_prompts, metrics
        wanted = registry is not None and settings.audit != "off"
        self.writer = (
            AuditWriter(registry.audit, required=settings.audit == "required", patience=settings.timeout / 2)
            if registry is not None and wanted
            else None
        )

    async def record(self, judgements: Sequence[Judgement], *, caller: Caller, request_id: str) -> None:
        """Record what is not allowed.

        Parameters
        ----------
        judgements
            Of one request.
        caller, request_id
            Of the request.

        Raises
        ------
        RegistryError
            If records are required and one could not be written.
        """
        if self.writer is None:
            return
        from ipguard.policy.registry.audit import record_of

        records = [
            record_of(
                judgement.verdict, judgement.prompt, request_id=request_id, caller=caller.name,
                policy_version=judgement.by.policy_version, keep_text=self._keep_text,
            )
            for judgement in judgements
            if judgement.verdict.flagged
        ]  # fmt: skip
        # Together, so that those that are required are written in one transaction, not one after another.
        await asyncio.gather(*map(self.writer.arecord, records))

    def show(self) -> None:
        """Bring the figures up to date."""
        if self.writer is not None:
            status = self.writer.status
            self._metrics.audit_lost.set(status.dropped)
            self._metrics.audit_waiting.set(status.queued)

    def close(self) -> None:
        """Write what waits, and stop."""
        if self.writer is not None:
            self.writer.close()
