"""Writers of one file take turns, whether they are threads or coroutines."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from sluicegate.kit.errors import Unavailable
from sluicegate.storage import turns
from sluicegate.storage.turns import Turns, turns_of, turns_of_file


class Room:
    """Fails as soon as two are in it."""

    def __init__(self) -> None:
        self.inside = self.visits = 0

    def enter(self) -> None:
        self.inside += 1
        assert self.inside == 1

    def leave(self) -> None:
        self.inside -= 1
        self.visits += 1


async def test_threads_and_coroutines_exclude_each_other_and_all_get_in() -> None:
    queue, room = Turns(), Room()

    def thread() -> None:
        for _ in range(200):
            with queue.turn():
                room.enter()
                room.leave()

    async def coroutine() -> None:
        for _ in range(50):
            async with queue.turn_async():
                room.enter()
                await asyncio.sleep(0)
                room.leave()

    threads = [asyncio.to_thread(thread) for _ in range(3)]
    await asyncio.gather(*threads, *(coroutine() for _ in range(8)))
    assert room.visits == 3 * 200 + 8 * 50


async def test_turns_come_in_the_order_of_arrival() -> None:
    queue = Turns()
    order: list[int] = []

    async def writer(number: int) -> None:
        async with queue.turn_async():
            order.append(number)
            await asyncio.sleep(0)

    async with queue.turn_async():
        waiting = [asyncio.create_task(writer(number)) for number in range(20)]
        await asyncio.sleep(0.01)
    await asyncio.gather(*waiting)
    assert order == list(range(20))


async def test_who_is_cancelled_at_any_moment_takes_no_turn_along() -> None:
    queue, room = Turns(), Room()
    chance = random.Random(7)

    async def writer() -> None:
        async with queue.turn_async():
            room.enter()
            try:
                await asyncio.sleep(0)
            finally:
                room.leave()

    for _ in range(200):
        tasks = [asyncio.create_task(writer()) for _ in range(6)]
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(0)
        for task in chance.sample(tasks, 3):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10), queue.turn_async():
        room.enter()


async def test_waiting_ends_with_an_error_and_leaves_the_turn_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_WAIT_SECONDS", 0.01)
    queue = Turns()
    async with queue.turn_async():
        with pytest.raises(Unavailable, match="busy"):
            async with queue.turn_async():
                pytest.fail("two inside")
        with pytest.raises(Unavailable, match="busy"):
            await asyncio.to_thread(_take, queue)
    async with asyncio.timeout(10), queue.turn_async():
        pass


def _take(queue: Turns) -> None:
    with queue.turn():
        pytest.fail("two inside")


def test_one_file_has_one_queue_however_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    (tmp_path / "link").symlink_to(tmp_path)
    queue = turns_of_file(str(path))
    assert turns_of_file(str(tmp_path / "link" / "data.db")) is queue
    assert turns_of(make_url(f"sqlite+aiosqlite:///{path}")) is queue
    assert turns_of_file(str(tmp_path / "other.db")) is not queue
    assert turns_of_file(":memory:") is not turns_of_file(":memory:")


def test_other_databases_let_writers_in_side_by_side() -> None:
    queue = turns_of(make_url("postgresql+psycopg://host/name"))
    entered = threading.Event()

    def other() -> None:
        with queue.turn():
            entered.set()

    with queue.turn():
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(5)
        thread.join()
