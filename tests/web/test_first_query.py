"""GraphQL is loaded when it is first asked something, beside what goes on."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import Any

import pytest

from sluicegate.app import OnFirstQuery


class Loading:
    """What is loaded, once it may be."""

    def __init__(self) -> None:
        self.times = 0
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.seen: tuple[float, bool] | None = None
        self.fault: Exception | None = None

    def __call__(self) -> Any:
        self.times += 1
        self.begun.set()
        self.may_end.wait()
        self.seen = sys.getswitchinterval(), gc.isenabled()
        if self.fault is not None:
            raise self.fault
        return self._execute

    async def _execute(self, *asked: Any) -> dict[str, Any]:
        return {"data": list(asked)}


@pytest.fixture
def loading() -> Loading:
    return Loading()


@pytest.fixture
def ask(loading: Loading) -> OnFirstQuery:
    return OnFirstQuery(loading)


async def begun(loading: Loading) -> None:
    assert await asyncio.to_thread(loading.begun.wait, 30)


async def test_of_many_who_ask_at_once_the_first_has_it_loaded_for_all(loading: Loading, ask: OnFirstQuery) -> None:
    asking = [asyncio.create_task(ask(number)) for number in range(20)]
    # The loop goes on meanwhile, or nobody would let it end.
    await begun(loading)
    assert not any(task.done() for task in asking)
    loading.may_end.set()
    assert [answer["data"] for answer in await asyncio.gather(*asking)] == [[number] for number in range(20)]
    assert (await ask("later"))["data"] == ["later"]
    assert loading.times == 1


async def test_who_leaves_meanwhile_stops_nothing(loading: Loading, ask: OnFirstQuery) -> None:
    first = asyncio.create_task(ask("first"))
    await begun(loading)
    second = asyncio.create_task(ask("second"))
    first.cancel()
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], asyncio.CancelledError)
    loading.may_end.set()
    assert (await second)["data"] == ["second"]
    assert loading.times == 1


async def test_what_cannot_be_loaded_is_tried_again(loading: Loading, ask: OnFirstQuery) -> None:
    loading.fault = MemoryError("no room")
    loading.may_end.set()
    for answer in await asyncio.gather(ask(1), ask(2), return_exceptions=True):
        assert isinstance(answer, MemoryError)
    loading.fault = None
    assert (await ask(3))["data"] == [3]


async def test_the_interpreter_changes_hands_sooner_while_it_is_loaded(loading: Loading, ask: OnFirstQuery) -> None:
    usual = sys.getswitchinterval(), gc.isenabled()
    loading.may_end.set()
    await ask()
    assert loading.seen is not None
    assert loading.seen[0] < usual[0] / 5
    assert loading.seen[1] is False
    assert (sys.getswitchinterval(), gc.isenabled()) == usual
