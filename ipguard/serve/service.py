"""What an application runs on: the guard in force, the scoring thread, keys, figures, the record of decisions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from ipguard.policy.registry import Registry
from ipguard.serve.audit import Auditor
from ipguard.serve.keys import Caller, KeyRing
from ipguard.serve.live import Live
from ipguard.serve.loading import Loaded
from ipguard.serve.metrics import Metrics
from ipguard.serve.scorer import Options, Render, Scorer
from ipguard.serve.settings import ServeSettings
from ipguard.serve.watch import Watched
from ipguard.verdict import Verdict

T = TypeVar("T")
logger = logging.getLogger("ipguard.serve")


class Service:
    """The parts of one application.

    Parameters
    ----------
    settings
        What it is started with.
    loaded
        Model and catalogue; loaded as the settings say if None.

    Raises
    ------
    IpguardError
        If keys, policy, model or catalogue cannot be used.
    """

    def __init__(self, settings: ServeSettings, loaded: Loaded | None = None) -> None:
        self.settings, self.metrics, self.draining = settings, Metrics(), False
        self._keys = Watched("keys", settings.keys, KeyRing.load, self.metrics) if settings.keys else None
        self.live = Live(settings, self.metrics, loaded)
        self.scorer = Scorer(lambda: self.live.in_force, capacity=settings.queue, observe=self._observe)
        self.registry = Registry(settings.registry) if settings.registry else None
        self.auditor = Auditor(settings, self.registry, self.metrics)
        self._watcher: asyncio.Task[None] | None = None

    @property
    def keys(self) -> KeyRing | None:
        """The keys in force; None if none are in use."""
        return self._keys.value if self._keys else None

    async def start(self) -> None:
        """Start the thread and the watch over policy, keys and catalogue."""
        self.scorer.start()
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Finish what is in work and write what is to be recorded."""
        if self._watcher:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        await asyncio.to_thread(self.scorer.stop)
        await asyncio.to_thread(self.auditor.close)
        await asyncio.to_thread(self.live.close)
        if self.registry:
            await asyncio.to_thread(self.registry.close)

    async def judge(
        self,
        prompts: Sequence[str],
        options: Options,
        render: Render[T],
        *,
        caller: Caller,
        request_id: str,
        settle: Callable[[Verdict], Verdict] = lambda verdict: verdict,
    ) -> list[tuple[Verdict, T]]:
        """Score prompts, count the decisions, and record what is not allowed.

        Parameters
        ----------
        prompts, options, render
            As for :meth:`~ipguard.serve.scorer.Scorer.score`.
        caller, request_id
            For the record.
        settle
            Gives the verdict that counts, where a request has its own idea of what is allowed.

        Returns
        -------
        list of tuple
            A verdict a prompt, and what `render` made of it.
        """
        found = await self.scorer.score(prompts, options, render)
        settled = [replace(judgement, verdict=settle(judgement.verdict)) for judgement, _ in found]
        for judgement in settled:
            self.metrics.decisions.labels(judgement.verdict.decision, judgement.verdict.reason_code).inc()
        await self.auditor.record(settled, caller=caller, request_id=request_id)
        return [(judgement.verdict, answer) for judgement, (_, answer) in zip(settled, found, strict=True)]

    def reload(self) -> None:
        """Load keys, policy and catalogue anew at the next look."""
        self.live.want_catalogue()

    def _observe(self, prompts: int, seconds: float) -> None:
        self.metrics.prompts.inc(prompts)
        self.metrics.batch.observe(prompts)
        self.metrics.scoring.observe(seconds)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            try:
                await asyncio.to_thread(self._look)
            except Exception:
                # Whatever fails here, what is in force stays, and the next look is taken.
                logger.exception("the look at policy, keys and catalogue failed")

    def _look(self) -> None:
        if self._keys:
            self._keys.look()
        self.live.look()
        self.auditor.show()
