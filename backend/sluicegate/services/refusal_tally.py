"""Counts every call that the gateway refuses, and adds the counts to the database, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from sluicegate.domain.policy import Window
from sluicegate.domain.usage import RefusalSpot
from sluicegate.kit.clock import Clock
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.store import Store

log = structlog.get_logger(__name__)
_EVERY_SECONDS = 5.0
_RETRY_SECONDS = 15.0
# Past so many, further refusals count for everybody alone until the next write, and no longer for users and groups.
MAX_SPOTS = 20_000
# Not about a call: nothing is served at such an address.
_ASTRAY = frozenset({"route_not_found", "method_not_allowed"})


class RefusalTally:
    """Keeps sums alone, so that however many calls are refused while the database is away, none of them is forgotten
    and memory stays bounded. A process that is killed takes the last seconds' counts with it."""

    def __init__(self, store: Store, clock: Clock, periods: PeriodClock) -> None:
        self._store = store
        self._clock = clock
        self._periods = periods
        self._waiting: dict[RefusalSpot, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def note(self, reason: str, user_id: str | None, group_ids: Collection[str]) -> None:
        """One more, of a user who was recognised or not. Returns at once; costs the same however many there were."""
        if reason in _ASTRAY:
            return
        day_ms = round(self._periods.at_time(self._clock.time())[Window.DAY].start.timestamp() * 1000)
        self._add(RefusalSpot(day_ms, None, reason), 1)
        if user_id is not None:
            for scope in (user_id, *group_ids):
                spot = RefusalSpot(day_ms, scope, reason)
                if spot in self._waiting or len(self._waiting) < MAX_SPOTS:
                    self._add(spot, 1)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    def forget(self) -> None:
        """All that are not written yet."""
        self._waiting.clear()

    async def settle(self) -> None:
        """Waits until everything that was noted is written, or could not be."""
        written = await self._write_all()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not written:
            log.error("refusals.lost", calls=sum(n for spot, n in self._waiting.items() if spot.scope is None))

    def _add(self, spot: RefusalSpot, calls: int) -> None:
        self._waiting[spot] = self._waiting.get(spot, 0) + calls

    async def _write(self) -> None:
        pause = _EVERY_SECONDS
        while self._waiting:
            await asyncio.sleep(pause)
            pause = _EVERY_SECONDS if await self._write_all() else _RETRY_SECONDS

    async def _write_all(self) -> bool:
        async with self._writing:
            counts, self._waiting = self._waiting, {}
            if not counts:
                return True
            try:
                async with self._store.write() as tx:
                    await tx.refusals.add(counts)
            except Exception as error:
                log.warning("refusals.unreachable", error=type(error).__name__)
                for spot, calls in counts.items():
                    self._add(spot, calls)
                return False
            return True
