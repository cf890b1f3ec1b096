"""What counting in Redis adds to a call: one that is let in and settled, in memory and over loopback.

.venv/bin/python bench/counters.py redis://127.0.0.1:6379/0
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC
from statistics import median
from typing import Any
from uuid import uuid4

import uvloop

from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.adapters.redis import RedisAdmission, RedisOptions
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import Ask, LimitSet, PastUse

CALLS = 2_000
HUGE = 10**15


class NoRecords:
    """Of people who never called."""

    settled = saved = 0

    async def load(self, subject: Subject, periods: dict[Window, str], install: Callable[[PastUse], None]) -> None:
        install(PastUse({}))

    async def flush(self) -> None:
        return


def _limits(subject: Subject) -> LimitSet:
    return LimitSet(subject, 10**6, 10**9, 10**9, 10**4, HUGE, HUGE, HUGE)


def _ask(pools: int) -> Ask:
    """Every limit and budget set, for a user and so many groups' pools."""
    groups = tuple(Subject(SubjectKind.POOL, f"group-{n}") for n in range(pools))
    limits = (_limits(Subject(SubjectKind.USER, "ada")), *map(_limits, groups))
    return Ask(limits, 1_000, 500, Nanos(5_000_000), groups)


async def _one(store: Any, ask: Ask) -> float:
    began = time.perf_counter()
    lease = await store.admit(ask)
    took = time.perf_counter() - began
    store.settle(lease, 900, 400, Nanos(4_000_000))
    return took


async def _measured(label: str, store: Any, ask: Ask) -> None:
    for _ in range(200):
        await _one(store, ask)
    took = []
    for _ in range(CALLS):
        took.append(await _one(store, ask))
        # As between calls of one connection: what is settled leaves meanwhile.
        await asyncio.sleep(0)
    took.sort()
    began, used = time.perf_counter(), time.process_time()

    async def some() -> None:
        for _ in range(CALLS // 16):
            await _one(store, ask)

    await asyncio.gather(*(some() for _ in range(16)))
    calls, passed = CALLS // 16 * 16, time.perf_counter() - began
    cpu = (time.process_time() - used) / calls
    print(
        f"{label:>28}  p50 {median(took) * 1e3:6.3f} ms  p99 {took[CALLS * 99 // 100] * 1e3:6.3f} ms  "
        f"16 at a time {calls / passed:8,.0f}/s  {cpu * 1e6:5.0f} us of this process"
    )


async def main(url: str) -> None:
    clock, periods = SystemClock(), PeriodClock(UTC)
    shared = RedisAdmission(url, f"bench-{uuid4().hex}", NoRecords(), clock, periods, options=RedisOptions(grace=0))
    await shared.start()
    for pools in (0, 3):
        ask = _ask(pools)
        await _measured(f"memory, {1 + pools} subjects", MemoryAdmission(NoRecords(), clock, periods), ask)
        await _measured(f"Redis, {1 + pools} subjects", shared, ask)
    if shared.outages:
        print("Redis was away meanwhile: the figures mean nothing")
    await shared.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
