"""What subjects spent is read from the ledger while calls of other processes end: each of them counts once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from counters.cluster import OPTIONS, Cluster
from counters.ledger import Journal
from counters.stores import ADA, TEAM, ask
from fakes.redis_server import RedisServer
from faults.link import Link
from sluicegate.adapters.redis import RedisAdmission
from sluicegate.adapters.redis.scripts import DIGESTS
from sluicegate.domain.policy import Dimension, Window
from sluicegate.kit.clock import SystemClock
from sluicegate.ports.policy import LimitSet

_WANTED = ask(LimitSet(ADA, concurrent_requests=9, month=1_000), cost=10)


async def emptied(cluster: Cluster) -> None:
    """Redis knows nobody any more, and all processes are back."""
    await cluster.server.tell("FLUSHALL")
    await cluster.until(shared=False)
    await cluster.until(shared=True)


async def test_a_call_that_came_to_the_ledger_just_before_it_was_read_counts_once(cluster: Cluster) -> None:
    in_flight = await cluster.admit(1, _WANTED)
    await emptied(cluster)
    cluster.settle(1, in_flight, 17)
    await cluster.stores[1].drain()
    await cluster.journals[1].flush()
    assert await cluster.spent() == 17


@pytest.mark.parametrize("written_down", [True, False])
async def test_a_call_that_was_in_flight_and_ended_before_its_subject_was_read_is_one_of_the_last_minute(
    cluster: Cluster, written_down: bool
) -> None:
    in_flight = [await cluster.admit(1, _WANTED) for _ in range(2)]
    await emptied(cluster)
    cluster.settle(1, in_flight[0], 17)
    await cluster.stores[1].drain()
    if written_down:
        await cluster.journals[1].flush()
    else:
        cluster.ledger.read_only = True
    used = (await cluster.stores[0].use_of(ADA)).used
    cluster.ledger.read_only = False
    # Of the one that goes on, what was estimated.
    assert (used[Dimension.REQUESTS], used[Dimension.INPUT_TOKENS]) == (2, 1 + _WANTED.input_tokens)


async def test_a_call_that_the_ledger_does_not_take_for_long_counts_all_the_same(cluster: Cluster) -> None:
    in_flight = await cluster.admit(1, _WANTED)
    await emptied(cluster)
    cluster.settle(1, in_flight, 17)
    await cluster.stores[1].drain()
    cluster.ledger.read_only = True
    await asyncio.sleep(1.5)
    assert await cluster.spent() == 17
    cluster.ledger.read_only = False
    await cluster.journals[1].flush()
    assert await cluster.spent() == 17


async def test_a_call_that_ends_while_the_ledger_is_read_counts_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_flight = [await cluster.admit(1, _WANTED) for _ in range(3)]
    await emptied(cluster)
    reader, load = cluster.journals[0], cluster.journals[0].load

    async def slowly(*asked: Any) -> None:
        # Redis hears of it after it was asked what had ended, and before the ledger is read.
        if in_flight:
            cluster.settle(1, in_flight.pop(), 17)
            await cluster.stores[1].drain()
            await cluster.journals[1].flush()
        await load(*asked)

    monkeypatch.setattr(reader, "load", slowly)
    assert await cluster.spent() == 3 * 17


async def test_a_call_of_a_day_that_only_one_process_has_reached_counts_in_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = 0.0
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    wanted = ask(LimitSet(ADA, day=1_000), cost=10)
    await cluster.call(0, wanted, 10)
    assert await cluster.spent() == 10
    cluster.server.freeze()
    await cluster.stores[0].admit(wanted)
    offset = 86_400.0
    in_flight = await cluster.admit(1, wanted)
    cluster.server.thaw()
    await cluster.until(shared=True)
    cluster.settle(1, in_flight, 7)
    await cluster.stores[1].drain()
    # Nobody can say what was spent that day but Redis, which has heard of all calls.
    cluster.ledger.away = True
    spent = (await cluster.stores[0].use_of(ADA)).spent[Window.DAY]
    cluster.ledger.away = False
    assert spent == 7


async def test_answers_that_are_lost_let_no_call_count_twice(server: RedisServer) -> None:
    async with apart(server) as (cluster, link):
        in_flight = await cluster.admit(1, _WANTED)
        async with link.cut():
            await server.tell("FLUSHALL")
            await cluster.call(0, _WANTED, 5)
            assert await _spent_by(cluster.stores[0]) == 5
            # Its call is announced to a Redis that knows the subject, and the process does not hear that it was.
            link.unanswered.append(DIGESTS["announce"].encode())
        await _until_unanswered(link)
        cluster.settle(1, in_flight, 17)
        # Nor that its end was taken.
        link.unanswered.append(DIGESTS["settle"].encode())
        await _until_unanswered(link)
        await cluster.until(shared=True)
        assert await cluster.spent() == 22


async def test_what_a_process_on_its_own_wrote_down_before_others_read_it_counts_once(server: RedisServer) -> None:
    async with apart(server) as (cluster, link):
        async with link.hanging():
            await cluster.until_alone(1)
            await cluster.call(1, _WANTED, 17)
            await cluster.journals[1].flush()
            # For longer than clocks may seem to be apart where answers take all the time that they may.
            await asyncio.sleep(OPTIONS.patience + 0.2)
            assert await _spent_by(cluster.stores[0]) == 17
        await cluster.until(shared=True)
        assert await cluster.spent() == 17


async def test_a_call_that_is_being_decided_alone_while_redis_comes_back_is_told_to_it(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with apart(server) as (cluster, link):
        await cluster.call(0, _WANTED, 10)
        load, asked, answered = cluster.journals[1].load, asyncio.Event(), asyncio.Event()

        async def slowly(*wanted: Any) -> None:
            asked.set()
            await answered.wait()
            await load(*wanted)

        async with link.hanging():
            await cluster.until_alone(1)
            monkeypatch.setattr(cluster.journals[1], "load", slowly)
            deciding = asyncio.create_task(cluster.admit(1, _WANTED))
            await asked.wait()
        await cluster.until(shared=True)
        answered.set()
        in_flight = await deciding
        use = await cluster.stores[0].use_of(ADA)
        assert (use.used[Dimension.CONCURRENT_REQUESTS], use.reserved[Window.MONTH]) == (1, 10)
        cluster.settle(1, in_flight, 17)
        assert await cluster.spent() == 27


async def test_what_was_spent_alone_before_a_day_began_counts_for_the_month(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the middle of a month.
    offset = datetime(2026, 11, 11, 12, tzinfo=UTC).timestamp() - time.time()
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    async with apart(server) as (cluster, link):
        await cluster.call(0, _WANTED, 10)
        assert await _spent_by(cluster.stores[0]) == 10
        async with link.hanging():
            await cluster.until_alone(1)
            await cluster.call(1, _WANTED, 17)
            await cluster.journals[1].flush()
            await asyncio.sleep(OPTIONS.patience + 0.2)
            offset += 86_400.0
            # The new day is read, and the month is not.
            assert await _spent_by(cluster.stores[0]) == 10
        await cluster.until(shared=True)
        assert await cluster.spent() == 27


async def test_what_was_told_and_not_written_down_counts_when_a_dead_process_made_its_subject_be_read_again(
    cluster: Cluster,
) -> None:
    for cost in (20, 30):
        await cluster.call(1, _WANTED, cost)
    await cluster.call(2, _WANTED, 5)
    assert await cluster.spent() == 55
    await cluster.journals[2].flush()
    cluster.ledger.read_only = True
    # The heir has moved the calls of the dead to the ledger.
    cluster.ledger.spent[ADA] += 100
    heir = cluster.process(Journal(cluster.ledger))
    cluster.stores.append(heir)
    await heir.start([ADA])
    await cluster.call(2, _WANTED, 7)
    assert await cluster.spent() == 162
    cluster.ledger.read_only = False
    await cluster.journals[1].flush()
    await cluster.journals[2].flush()
    assert await cluster.spent() == cluster.ledger.spent[ADA] == 162


async def test_a_process_leaves_others_nothing_that_is_only_in_its_journal(cluster: Cluster) -> None:
    await cluster.call(0, _WANTED, 5)
    await cluster.call(1, _WANTED, 20)
    assert await cluster.spent() == 25
    await cluster.stores.pop(1).close()
    # Nobody asks it any more when the records are read again.
    heir = cluster.process(Journal(cluster.ledger))
    cluster.stores.append(heir)
    await heir.start([ADA])
    assert await cluster.spent() == 25


async def test_a_day_that_only_some_have_reached_is_read_again_and_not_begun_anew(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = 0.0
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    wanted = ask(LimitSet(ADA, day=1_000), cost=10)
    await cluster.call(0, wanted, 10)
    offset = 86_400.0
    await cluster.call(1, wanted, 30)
    for number in (0, 1):
        await cluster.stores[number].drain()
        await cluster.journals[number].flush()
    heir = cluster.process(Journal(cluster.ledger))
    cluster.stores.append(heir)
    await heir.start([ADA])
    # One whose clock is behind is the first to read it again.
    offset = 0.0
    await cluster.stores[0].use_of(ADA)
    offset = 86_400.0
    cluster.ledger.away = True
    with pytest.raises(OSError, match="away"):
        await cluster.stores[1].use_of(ADA)
    cluster.ledger.away = False
    # The ledger of these tests knows no days.
    assert (await cluster.stores[2].use_of(ADA)).spent[Window.DAY] == 40


@pytest.mark.parametrize("known_to_redis", [False, True])
async def test_a_pool_that_limits_from_now_on_has_what_others_told_and_have_not_written_down(
    cluster: Cluster, known_to_redis: bool
) -> None:
    before = msgspec.structs.replace(_WANTED, counted=(TEAM,))
    if known_to_redis:
        # Somebody looked at it, and all was emptied since.
        await cluster.stores[0].use_of(TEAM)
        await emptied(cluster)
    # One that has ended, and one that ends later.
    ended, going_on = [await cluster.admit(1, before) for _ in range(2)]
    cluster.settle(1, ended, 17)
    await cluster.stores[1].drain()
    cluster.ledger.read_only = True
    for store in cluster.stores:
        store.forget(TEAM)
    assert await cluster.spent(TEAM) == 17
    cluster.settle(1, going_on, 5)
    assert await cluster.spent(TEAM) == 22
    cluster.ledger.read_only = False
    await cluster.journals[1].flush()
    assert await cluster.spent(TEAM) == cluster.ledger.spent[TEAM] == 22


async def test_a_list_for_a_subject_that_could_not_be_read_does_not_grow_for_ever(cluster: Cluster) -> None:
    await cluster.call(0, _WANTED, 5)
    cluster.ledger.away = True
    with pytest.raises(OSError, match="away"):
        await cluster.stores[0].use_of(TEAM)
    cluster.ledger.away = False
    lasts = list[int]()
    for _ in range(2):
        # The pool sets nothing, so that nobody has to read it.
        await cluster.call(0, msgspec.structs.replace(_WANTED, counted=(TEAM,)), 5)
        await cluster.stores[0].drain()
        await asyncio.sleep(1.1)
        lasts.append(int((await cluster.server.tell("EVAL", _LASTS, "0")).removeprefix(b":")))
    assert 600 > lasts[0] > lasts[1] > 0


_LASTS = "return redis.call('TTL', redis.call('KEYS', '*:x:pool:team')[1])"


@asynccontextmanager
async def apart(server: RedisServer) -> AsyncIterator[tuple[Cluster, Link]]:
    """Of three processes the second has a way to Redis of its own."""
    async with await Link.to("127.0.0.1", server.port) as link:
        cluster = Cluster(server)
        cluster.stores[1] = cluster.process(cluster.journals[1], f"redis://127.0.0.1:{link.port}/0")
        await cluster.start()
        yield cluster, link
        await cluster.close()


async def _spent_by(store: RedisAdmission) -> int:
    async with asyncio.timeout(20):
        while not store.shared:  # noqa: ASYNC110 - a store signals nobody
            await asyncio.sleep(0.02)
    return (await store.use_of(ADA)).spent[Window.MONTH]


async def _until_unanswered(link: Link) -> None:
    async with asyncio.timeout(20):
        while link.unanswered:  # noqa: ASYNC110 - a link signals nobody
            await asyncio.sleep(0.01)
