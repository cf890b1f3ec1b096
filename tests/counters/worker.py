"""One of several processes on one Redis: reads what to do as lines of JSON, and answers each with one."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC
from typing import Any

from counters.stores import Records, ask
from sluicegate.adapters.redis import RedisAdmission, RedisOptions
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.kit.clock import SystemClock
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import Denial, LimitSet


class Skewed(SystemClock):
    """A clock that is wrong by so many seconds."""

    def __init__(self, seconds: float) -> None:
        real = SystemClock()
        self.time = lambda: real.time() + seconds
        self.monotonic = lambda: real.monotonic() + seconds


async def main(url: str, prefix: str, skew: float) -> None:
    options = RedisOptions(patience=20, lease=2, beat=0.3, grace=0)
    clock = Skewed(skew)
    store = RedisAdmission(url, prefix, Records(), clock, PeriodClock(UTC), options=options)
    await store.start()
    print("{}", flush=True)
    held: list[Any] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        wanted = ask(LimitSet(Subject(SubjectKind.USER, order["user"]), **order["limits"]), cost=order.get("cost", 0))
        verdicts = await asyncio.gather(*(store.admit(wanted) for _ in range(order["callers"])))
        leases = [verdict for verdict in verdicts if not isinstance(verdict, Denial)]
        if order.get("settle"):
            for lease in leases:
                store.settle(lease, 1, 1, wanted.cost)
            await store.drain()
        else:
            held.extend(leases)
        print(json.dumps({"admitted": len(leases)}), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
