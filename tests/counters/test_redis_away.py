"""Redis emptied, frozen, gone and back: nothing that was used is forgotten, and limits hold meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from counters.cluster import OPTIONS, Cluster
from counters.ledger import Journal
from counters.stores import ADA, BOB, TEAM, admitted, ask
from fakes.redis_server import RedisServer
from sluicegate.domain.policy import Dimension, Window
from sluicegate.kit.clock import SystemClock
from sluicegate.ports.policy import CountersUnavailable, Denial, LimitSet

# How many keys have no expiry.
_LASTING = """
local found = 0
for _, key in ipairs(redis.call('KEYS', '*')) do if redis.call('TTL', key) < 0 then found = found + 1 end end
return found
"""


async def flying(cluster: Cluster) -> int:
    return (await cluster.stores[1].use_of(ADA)).used[Dimension.CONCURRENT_REQUESTS]


async def test_an_emptied_redis_learns_all_again_exactly_once(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, concurrent_requests=9, month=1_000), LimitSet(TEAM, month=5_000), cost=10)
    in_flight = [await cluster.admit(number, wanted) for number in range(3)]
    # One is in the ledger, and two are only known to the process that carried them.
    await cluster.call(0, wanted, 5)
    await cluster.journals[0].flush()
    await cluster.call(1, wanted, 7)
    await cluster.call(2, wanted, 11)
    assert await cluster.spent() == 23
    await cluster.server.tell("FLUSHALL")
    # Whoever calls meanwhile is served, and counts.
    await cluster.call(0, wanted, 13)
    cluster.settle(1, in_flight[1], 17)
    await cluster.until(shared=False)
    await cluster.until(shared=True)
    assert await cluster.spent() == 53
    assert await cluster.spent(TEAM) == 53
    assert await flying(cluster) == 2
    use = await cluster.stores[2].use_of(ADA)
    assert use.reserved[Window.MONTH] == 20
    for number in (0, 2):
        cluster.settle(number, in_flight[number], 1)
    assert await cluster.spent() == 55
    assert await flying(cluster) == 0
    for journal in cluster.journals:
        await journal.flush()
    assert cluster.ledger.spent[ADA] == 55


async def test_a_redis_that_was_started_anew_is_an_emptied_one(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, month=100), cost=40)
    await cluster.call(1, wanted, 40)
    in_flight = await cluster.admit(2, wanted)
    await cluster.server.kill()
    await cluster.until(shared=False)
    cluster.settle(2, in_flight, 30)
    await cluster.server.start()
    await cluster.until(shared=True)
    assert await cluster.spent() == 70
    assert await admitted(cluster.stores[0], wanted, 3) == 0


async def test_a_frozen_redis_leaves_each_process_its_share_and_hears_later_what_was_used(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, requests=30, concurrent_requests=9, month=1_000), cost=10)
    kept = await cluster.admit(0, wanted)
    await cluster.call(1, wanted, 100)
    assert await cluster.spent() == 100
    await cluster.journals[1].flush()
    cluster.server.freeze()
    # Those who wait for an answer get theirs, too, and nothing is counted twice for them.
    counts = await asyncio.gather(*(admitted(store, wanted, 12) for store in cluster.stores))
    assert counts == [2, 3, 3]
    denial = await cluster.stores[1].admit(wanted)
    assert isinstance(denial, Denial)
    assert (denial.dimension, denial.limit) == (Dimension.CONCURRENT_REQUESTS, 9)
    assert not any(store.shared for store in cluster.stores)
    cluster.server.thaw()
    await cluster.until(shared=True)
    assert await flying(cluster) == 9
    assert await admitted(cluster.stores[2], wanted, 3) == 0
    cluster.settle(0, kept, 20)
    assert await cluster.spent() == 120
    assert await flying(cluster) == 8


@pytest.mark.parametrize("looked_at", [True, False])
async def test_calls_that_began_with_redis_and_ended_without_stay_taken_off_a_share(
    cluster: Cluster, looked_at: bool
) -> None:
    wanted = ask(LimitSet(ADA, requests=9))
    in_flight = [await cluster.admit(1, wanted) for _ in range(3)]
    cluster.server.freeze()
    await cluster.until(shared=False)
    if looked_at:
        assert await admitted(cluster.stores[1], wanted, 1) == 0
    for lease in in_flight:
        cluster.settle(1, lease, 0)
    assert await admitted(cluster.stores[1], wanted, 1) == 0
    assert await admitted(cluster.stores[0], wanted, 4) <= 3
    cluster.server.thaw()


async def test_money_is_shared_out_while_redis_is_away_and_nobody_is_sent_off_for_a_month(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, month=900), cost=100)
    await cluster.call(0, wanted, 300)
    await cluster.journals[0].flush()
    await cluster.server.kill()
    await cluster.until(shared=False)
    leases = [await cluster.admit(number, wanted) for number in (0, 0, 1, 1, 2, 2)]
    denial = await cluster.stores[0].admit(wanted)
    assert isinstance(denial, Denial)
    assert (denial.held, denial.limit, denial.used - denial.reserved) == (True, 900, 300)
    assert denial.retry_after == 5.0
    for number, lease in zip((0, 0, 1, 1, 2, 2), leases, strict=True):
        cluster.settle(number, lease, 100)
    for journal in cluster.journals:
        await journal.flush()
    await cluster.server.start()
    await cluster.until(shared=True)
    assert await cluster.spent() == 900
    assert await cluster.spent(BOB) == 0


async def test_a_day_that_began_without_redis_is_not_taken_to_have_begun_with_nothing_spent(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = 0.0
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    wanted = ask(LimitSet(ADA, day=1_000), cost=10)
    await cluster.call(0, wanted, 10)
    assert await cluster.spent() == 10
    cluster.server.freeze()
    offset = 86_400.0
    await cluster.call(1, wanted, 7)
    cluster.server.thaw()
    await cluster.until(shared=True)
    cluster.ledger.away = True
    with pytest.raises(OSError, match="away"):
        await cluster.stores[0].admit(wanted)
    cluster.ledger.away = False
    await cluster.call(0, wanted, 1)
    for store in cluster.stores:
        await store.drain()
    # The ledger of these tests knows no days.
    assert (await cluster.stores[2].use_of(ADA)).spent[Window.DAY] == 18
    cluster.ledger.away = True
    offset = 2 * 86_400.0
    await cluster.call(2, wanted, 5)
    for store in cluster.stores:
        await store.drain()
    assert (await cluster.stores[0].use_of(ADA)).spent[Window.DAY] == 5
    cluster.ledger.away = False


async def test_a_process_that_cannot_write_down_what_it_knows_goes_on_alone(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, month=1_000), cost=10)
    await cluster.call(0, wanted, 10)
    await cluster.server.tell("FLUSHALL")
    await cluster.until(shared=False)
    cluster.ledger.away = True
    await asyncio.sleep(1.5)
    assert not any(store.shared for store in cluster.stores)
    cluster.ledger.away = False
    await cluster.until(shared=True)
    assert await cluster.spent() == 10


async def test_a_redis_that_has_no_room_is_away(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, month=1_000), cost=10)
    await cluster.call(0, wanted, 10)
    assert await cluster.spent() == 10
    await cluster.server.tell("CONFIG", "SET", "maxmemory", "1")
    await cluster.call(1, wanted, 10)
    # It may have come back already, for as long as nobody asks for more room.
    assert cluster.stores[1].outages >= 1
    await cluster.server.tell("CONFIG", "SET", "maxmemory", "0")
    await cluster.until(shared=True)
    assert await cluster.spent() == 20


async def test_who_must_not_go_on_alone_refuses_until_redis_is_back(server: RedisServer) -> None:
    cluster = Cluster(server, fail_closed=True)
    await cluster.start()
    wanted = ask(LimitSet(ADA, month=1_000), cost=10)
    in_flight = await cluster.admit(0, wanted)
    server.freeze()
    refused: Sequence[Any] = await asyncio.gather(
        *(store.admit(wanted) for store in cluster.stores), return_exceptions=True
    )
    assert [type(verdict) for verdict in refused] == [CountersUnavailable] * 3
    cluster.settle(0, in_flight, 10)
    server.thaw()
    await cluster.until(shared=True)
    assert await cluster.spent() == 10
    assert await flying(cluster) == 0
    await cluster.close()


async def test_a_process_that_never_met_the_others_does_not_start_without_redis(server: RedisServer) -> None:
    cluster = Cluster(server)
    await server.kill()
    with pytest.raises(CountersUnavailable, match="Redis is not there"):
        await cluster.stores[0].start()


async def test_what_a_killed_process_left_in_its_journal_is_read_from_the_ledger(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, concurrent_requests=9, month=1_000), cost=10)
    await cluster.call(0, wanted, 5)
    await cluster.call(1, wanted, 7)
    for journal in cluster.journals:
        await journal.flush()
    assert await cluster.spent() == 12
    # The heir of a process that nobody knew has moved the calls of the dead to the ledger.
    cluster.ledger.spent[ADA] += 100
    heir = cluster.process(Journal(cluster.ledger))
    cluster.stores.append(heir)
    await heir.start([ADA, BOB])
    in_flight = await cluster.admit(0, wanted)
    cluster.settle(0, in_flight, 30)
    assert await cluster.spent() == 142
    assert await cluster.spent(BOB) == 0


async def test_every_key_goes_away_by_itself(cluster: Cluster) -> None:
    wanted = ask(LimitSet(ADA, requests=100, month=1_000), LimitSet(TEAM, concurrent_requests=5), cost=10)
    await cluster.call(0, wanted, 10)
    await cluster.admit(1, wanted)
    await cluster.spent()
    await asyncio.sleep(3 * OPTIONS.beat)
    assert int((await cluster.server.tell("DBSIZE")).removeprefix(b":")) > 5
    assert await cluster.server.tell("EVAL", _LASTING, "0") == b":0\r\n"
