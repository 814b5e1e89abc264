"""The record of decisions that are not allow."""

from __future__ import annotations

from collections.abc import Sequence

from ipguard.serve.keys import Caller
from ipguard.serve.metrics import Metrics
from ipguard.serve.scorer import Judgement
from ipguard.serve.settings import ServeSettings


class Auditor:
    """Records decisions."""

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics

    async def record(self, judgements: Sequence[Judgement], *, caller: Caller, request_id: str) -> None:
        """Record."""

    def look(self) -> None:
        """Look."""

    def close(self) -> None:
        """Close."""
