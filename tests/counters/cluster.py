"""Three processes that count together in a Redis of their own."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

from counters.ledger import Journal, Ledger
from counters.stores import ADA, prefix
from fakes.redis_server import RedisServer
from sluicegate.adapters.redis import RedisAdmission, RedisOptions
from sluicegate.domain.policy import Window
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import Ask, Denial

# Others share this machine: a second of patience is no time-out by chance.
OPTIONS = RedisOptions(patience=1.0, beat=0.1, retry=0.05, grace=0.5)


class Cluster:
    """Three processes of a deployment, each with a journal of its own, over one ledger."""

    def __init__(self, server: RedisServer, *, fail_closed: bool = False) -> None:
        self.server = server
        self.ledger = Ledger()
        self.journals = [Journal(self.ledger) for _ in range(3)]
        self._name, self._fail_closed = prefix(), fail_closed
        self.stores = [self.process(journal) for journal in self.journals]

    def process(self, journal: Journal, url: str = "") -> RedisAdmission:
        """`url` is another way to Redis."""
        periods, fail_closed = PeriodClock(UTC), self._fail_closed
        url = url or self.server.url
        return RedisAdmission(
            url, self._name, journal, SystemClock(), periods, fail_closed=fail_closed, options=OPTIONS
        )

    async def start(self) -> None:
        await asyncio.gather(*(store.start() for store in self.stores))
        # Each has heard of the others.
        await asyncio.sleep(4 * OPTIONS.beat)

    async def close(self) -> None:
        for store in self.stores:
            await store.close()

    async def until(self, *, shared: bool) -> None:
        async with asyncio.timeout(20):
            while any(store.shared is not shared for store in self.stores):  # noqa: ASYNC110 - stores signal nobody
                await asyncio.sleep(0.02)

    async def until_alone(self, number: int) -> None:
        async with asyncio.timeout(20):
            while self.stores[number].shared:  # noqa: ASYNC110 - stores signal nobody
                await asyncio.sleep(0.02)

    async def admit(self, number: int, wanted: Ask) -> Any:
        lease = await self.stores[number].admit(wanted)
        assert not isinstance(lease, Denial), lease
        return lease

    def settle(self, number: int, lease: Any, cost: int) -> None:
        """In the order of the gateway: the journal first."""
        for subject in {*(limits.subject for limits in lease.ask.limits), *lease.ask.counted}:
            self.journals[number].note(subject, cost, lease.id)
        self.stores[number].settle(lease, 1, 1, Nanos(cost), lease.id)

    async def call(self, number: int, wanted: Ask, cost: int) -> None:
        self.settle(number, await self.admit(number, wanted), cost)

    async def spent(self, subject: Any = ADA) -> int:
        """By Redis, once all have told what they know."""
        for store in self.stores:
            await store.drain()
        return (await self.stores[0].use_of(subject)).spent[Window.MONTH]
