"""How the server's recurring work is doing."""

from __future__ import annotations

from datetime import datetime

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.job import JobState
from sluicegate.kit.clock import Clock
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller


class JobService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> datetime:
        """The instant that decides whether a job is running."""
        return self._clock.now()

    async def all(self, caller: Caller) -> list[JobState]:
        """By name."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.jobs.all()
