"""The stores that the tests of this folder go through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from counters.cluster import Cluster
from counters.stores import Records, Several, open_stores
from fakes.redis_server import RedisServer
from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.adapters.redis import RedisAdmission
from sluicegate.kit.clock import ManualClock
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import PastUse


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))


Make = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["memory", "redis", "processes"])
async def make(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Make]:
    """Opens a store over given records: the one in memory, one in Redis, or three processes that share one."""
    opened: list[RedisAdmission] = []

    async def make_one(past: PastUse | None = None, records: Records | None = None) -> Any:
        records = records or Records(past)
        if request.param == "memory":
            return MemoryAdmission(records, clock, PeriodClock(UTC))
        url, number = request.getfixturevalue("redis_url"), 1 if request.param == "redis" else 3
        stores = await open_stores(url, number, records, clock, PeriodClock(UTC), server_time=clock.time)
        opened.extend(stores)
        return stores[0] if number == 1 else Several(stores)

    yield make_one
    for store in opened:
        await store.close()


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def cluster(server: RedisServer) -> AsyncIterator[Cluster]:
    cluster = Cluster(server)
    await cluster.start()
    yield cluster
    await cluster.close()
