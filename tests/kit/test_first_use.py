"""What is large is loaded when it is first asked for, beside what goes on."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading

import pytest

from sluicegate.kit.first_use import OnFirstUse


class Loading:
    """What is loaded, once it may be."""

    def __init__(self) -> None:
        self.times = 0
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.seen: tuple[float, bool] | None = None
        self.fault: Exception | None = None

    def __call__(self) -> str:
        self.times += 1
        self.begun.set()
        self.may_end.wait()
        self.seen = sys.getswitchinterval(), gc.isenabled()
        if self.fault is not None:
            raise self.fault
        return "loaded"


@pytest.fixture
def loading() -> Loading:
    return Loading()


@pytest.fixture
def use(loading: Loading) -> OnFirstUse[str]:
    return OnFirstUse(loading)


async def begun(loading: Loading) -> None:
    assert await asyncio.to_thread(loading.begun.wait, 30)


async def test_of_many_who_ask_at_once_the_first_has_it_loaded_for_all(loading: Loading, use: OnFirstUse[str]) -> None:
    asking = [asyncio.create_task(use()) for _ in range(20)]
    # The loop goes on meanwhile, or nobody would let it end.
    await begun(loading)
    assert not any(task.done() for task in asking)
    loading.may_end.set()
    assert await asyncio.gather(*asking) == ["loaded"] * 20
    assert await use() == "loaded"
    assert loading.times == 1


async def test_who_leaves_meanwhile_stops_nothing(loading: Loading, use: OnFirstUse[str]) -> None:
    first = asyncio.create_task(use())
    await begun(loading)
    second = asyncio.create_task(use())
    first.cancel()
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], asyncio.CancelledError)
    loading.may_end.set()
    assert await second == "loaded"
    assert loading.times == 1


async def test_what_cannot_be_loaded_is_tried_again(loading: Loading, use: OnFirstUse[str]) -> None:
    loading.fault = MemoryError("no room")
    loading.may_end.set()
    for answer in await asyncio.gather(use(), use(), return_exceptions=True):
        assert isinstance(answer, MemoryError)
    loading.fault = None
    assert await use() == "loaded"


async def test_the_interpreter_changes_hands_sooner_while_it_is_loaded(loading: Loading, use: OnFirstUse[str]) -> None:
    usual = sys.getswitchinterval(), gc.isenabled()
    loading.may_end.set()
    await use()
    assert loading.seen is not None
    assert loading.seen[0] < usual[0] / 5
    assert loading.seen[1] is False
    assert (sys.getswitchinterval(), gc.isenabled()) == usual


async def test_what_was_loaded_is_nothing_that_the_collector_looks_through() -> None:
    gc.unfreeze()
    module = {"loaded": list[int]()}
    assert any(known is module for known in gc.get_objects())
    await OnFirstUse(lambda: module)()
    assert not any(known is module for known in gc.get_objects())


async def test_two_that_are_loaded_at_once_leave_all_as_it_was() -> None:
    usual = sys.getswitchinterval(), gc.isenabled()
    several = [Loading() for _ in range(3)]
    loading = [asyncio.create_task(OnFirstUse(one)()) for one in several]
    for one in several:
        one.may_end.set()
    await asyncio.gather(*loading)
    assert (sys.getswitchinterval(), gc.isenabled()) == usual
