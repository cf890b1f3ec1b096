"""Work that many ask for at once and that is done once."""

from __future__ import annotations

import asyncio

import pytest

from sluicegate.policy.singleflight import SingleFlight


class Work:
    """Ends when it is let; gives how often it was begun by then."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return number


async def over(flight: SingleFlight[str, int], work: Work) -> asyncio.Task[int]:
    """Who began a run that has ended within this turn of the loop; what it leaves behind is cleared in the next one."""
    first = asyncio.create_task(flight.run("a", work))
    await asyncio.sleep(0)
    work.gate.set()
    await asyncio.sleep(0)
    assert not first.done()
    return first


async def test_all_who_ask_for_the_same_get_what_one_run_gives() -> None:
    flight, work, other = SingleFlight[str, int](), Work(), Work()
    asking = [asyncio.create_task(flight.run("a", work)) for _ in range(5)]
    asking.append(asyncio.create_task(flight.run("b", other)))
    await asyncio.sleep(0)
    work.gate.set()
    other.gate.set()
    assert await asyncio.gather(*asking) == [1] * 6
    assert (work.begun, other.begun) == (1, 1)


async def test_who_gives_up_does_not_end_it_for_others() -> None:
    flight, work = SingleFlight[str, int](), Work()
    first, second = (asyncio.create_task(flight.run("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    work.gate.set()
    assert await second == 1


async def test_a_failure_reaches_all_who_wait_and_nobody_after_them() -> None:
    flight, work = SingleFlight[str, int](), Work()
    work.fault = ValueError("no")
    asking = [asyncio.create_task(flight.run("a", work)) for _ in range(2)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*asking, return_exceptions=True) == [work.fault] * 2
    work.fault = None
    assert await flight.run("a", work) == 2


async def test_who_asks_right_after_the_end_gets_a_run_of_his_own() -> None:
    flight, work = SingleFlight[str, int](), Work()
    first = await over(flight, work)
    assert await flight.run("a", work) == 2
    assert await first == 1


@pytest.mark.timeout(20)
async def test_who_asks_until_the_answer_is_of_now_comes_to_an_end() -> None:
    flight, work = SingleFlight[str, int](), Work()
    first, found = await over(flight, work), 0
    while found < 2:
        found = await flight.run("a", work)
    assert (found, await first) == (2, 1)
