"""What becomes of a transaction whose task is cancelled."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest
from sqlalchemy.pool import QueuePool

from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.storage.engine import SqlStore
from storage.records import NOW

ADA = User("ada", "ada@example.com", "Ada", Role.MEMBER, UserStatus.ACTIVE, NOW, None)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What a transaction leaves is let go of by itself: the collector of a server may not come for minutes."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
async def ada(store: SqlStore, uncollected: None) -> AsyncIterator[None]:
    async with store.write() as transaction:
        await transaction.users.add(ADA)
    yield
    assert taken(store) == 0
    # All connections that the pool has can be had, and none of them holds a lock.
    pool = store.engine.pool
    assert isinstance(pool, QueuePool)
    async with AsyncExitStack() as stack:
        for _ in range(pool.size()):
            await (await stack.enter_async_context(store.read())).users.get(ADA.id)
    await rename(store, "Countess")
    assert await name(store) == "Countess"


def taken(store: SqlStore) -> int:
    pool = store.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def nothing() -> None:
    pass


async def rename(store: SqlStore, to: str, before_the_end: Callable[[], Awaitable[object]] = nothing) -> None:
    async with store.write() as transaction:
        await transaction.users.update(ADA.id, name=to)
        await before_the_end()


async def name(store: SqlStore) -> str:
    async with store.read() as transaction:
        found = await transaction.users.get(ADA.id)
    assert found is not None
    return found.name


async def cancelled(task: asyncio.Task[None]) -> None:
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("ada")
async def test_a_write_that_is_cancelled_between_two_statements_is_taken_back(store: SqlStore) -> None:
    written = asyncio.Event()

    async def stay() -> None:
        written.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(rename(store, "Nobody", stay))
    await written.wait()
    assert taken(store) == 1
    task.cancel()
    await cancelled(task)
    assert taken(store) == 0
    assert await name(store) == "Ada"


@pytest.mark.usefixtures("ada")
async def test_a_write_that_is_cancelled_while_it_waits_for_another_leaves_nothing(store: SqlStore) -> None:
    async def try_meanwhile() -> None:
        second = asyncio.create_task(rename(store, "Second"))
        await asyncio.sleep(0.1)
        assert not second.done()
        second.cancel()
        await cancelled(second)
        assert taken(store) == 1

    await rename(store, "First", try_meanwhile)
    assert await name(store) == "First"


@pytest.mark.usefixtures("ada")
async def test_who_is_cancelled_again_while_all_is_taken_back_leaves_nothing_either(store: SqlStore) -> None:
    written = asyncio.Event()

    async def stay() -> None:
        written.set()
        await asyncio.Event().wait()

    for turns in range(10):
        written.clear()
        task = asyncio.create_task(rename(store, "Nobody", stay))
        await written.wait()
        task.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await cancelled(task)
        assert taken(store) == 0
    assert await name(store) == "Ada"


@pytest.mark.usefixtures("ada")
async def test_a_write_that_is_cancelled_at_any_moment_is_done_or_not(store: SqlStore) -> None:
    ended = 0
    for number in range(60):
        task = asyncio.create_task(rename(store, f"Name {number}"))
        # From before it begins to after its end.
        await asyncio.sleep(number * 0.0002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
            ended += 1
            assert await name(store) == f"Name {number}"
        assert taken(store) == 0
    assert ended < 60


@pytest.mark.usefixtures("ada")
async def test_a_read_that_is_cancelled_at_any_moment_gives_its_connection_back(store: SqlStore) -> None:
    for number in range(60):
        task = asyncio.create_task(name(store))
        await asyncio.sleep(number * 0.0001)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert taken(store) == 0
