"""Three processes whose clocks are 30 seconds apart, on one Redis: together they let in what one would."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from counters.stores import prefix

_TESTS = Path(__file__).parent.parent


class Workers:
    def __init__(self, processes: list[Process]) -> None:
        self.processes = processes

    async def order(
        self, number: int, user: str, callers: int, *, cost: int = 0, settle: bool = False, **limits: int
    ) -> int:
        """How many calls one of them let in."""
        process = self.processes[number]
        assert process.stdin is not None
        order: dict[str, Any] = {"user": user, "callers": callers, "cost": cost, "settle": settle, "limits": limits}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return (await _answer(process))["admitted"]

    async def race(self, user: str, callers: int, **values: Any) -> int:
        """How many all of them let in, at the same time."""
        return sum(await asyncio.gather(*(self.order(n, user, callers, **values) for n in range(len(self.processes)))))


async def _answer(process: Process) -> dict[str, int]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return json.loads(await process.stdout.readline())


@pytest.fixture
async def workers(redis_url: str) -> AsyncIterator[Workers]:
    name, environment = prefix(), {**os.environ, "PYTHONPATH": str(_TESTS)}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "counters.worker",
            redis_url,
            name,
            str(skew),
            stdin=PIPE,
            stdout=PIPE,
            env=environment,
        )
        for skew in (0, 30, -30)
    ]
    for process in processes:
        await _answer(process)
    yield Workers(processes)
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_processes_stay_within_every_limit_together(workers: Workers) -> None:
    user = uuid4().hex
    assert await workers.race(f"{user}-a", 60, settle=True, requests=100) == 100
    assert await workers.race(f"{user}-a", 60, settle=True, requests=100) == 0
    # What each asks for is 10, of input as of output.
    assert await workers.race(f"{user}-b", 20, input_tokens=200) == 20
    assert await workers.race(f"{user}-c", 20, cost=7, settle=True, day=175) == 25
    assert await workers.race(f"{user}-c", 20, cost=7, settle=True, month=175) == 0
    assert await workers.race(f"{user}-d", 20, concurrent_requests=5) == 5


async def test_a_killed_process_gives_its_slots_back_and_living_ones_keep_theirs(workers: Workers) -> None:
    user, limits = uuid4().hex, {"concurrent_requests": 3, "cost": 10, "day": 1_000}
    assert await workers.order(0, user, 2, **limits) == 2
    assert await workers.order(1, user, 5, **limits) == 1
    workers.processes[0].kill()
    assert await workers.order(1, user, 1, **limits) == 0
    freed = 0
    async with asyncio.timeout(20):
        while freed < 2:
            freed += await workers.order(2, user, 1, **limits)
            await asyncio.sleep(0.2)
    # The one that lives has told so all the time, for longer than a lease lasts.
    await asyncio.sleep(2.2)
    assert await workers.order(2, user, 5, **limits) == 0
