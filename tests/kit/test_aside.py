"""Long work beside a loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from sluicegate.kit.aside import in_turn


async def test_a_turn_lasts_as_long_as_its_thread_also_when_nobody_waits_for_it_any_more() -> None:
    begun, goes_on, turns = list[int](), threading.Event(), asyncio.Semaphore(2)

    def work(number: int) -> int:
        begun.append(number)
        assert goes_on.wait(10)
        return number

    leavers = [asyncio.create_task(in_turn(turns, work, number)) for number in range(2)]
    while len(begun) < 2:  # noqa: ASYNC110 - a thread signals no loop
        await asyncio.sleep(0.01)
    for leaver in leavers:
        leaver.cancel()
    stayers = [asyncio.create_task(in_turn(turns, work, number)) for number in (2, 3, 4)]
    try:
        await asyncio.sleep(0.2)
        assert sorted(begun) == [0, 1]
    finally:
        goes_on.set()
    assert await asyncio.gather(*stayers) == [2, 3, 4]
    assert not turns.locked()


async def test_what_the_work_of_a_turn_raises_is_raised_and_the_turn_is_over() -> None:
    turns = asyncio.Semaphore()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await in_turn(turns, divmod, 1, 0)
