"""Two servers that share PostgreSQL and Redis, while each of these breaks in each of its ways.

Real servers of all three kinds, and callers who never stop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.program import Server, run
from databases import PostgresTemplate
from fakes.postgres_server import PostgresServer
from fakes.redis_server import RedisServer
from faults.crowd import eventually
from faults.link import Link
from faults.site import Site, administrator, furnished, started, stopped
from gateway.bench import CHAT, CREDENTIAL, chat
from sluicegate.storage import migrate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_HEADERS = {"authorization": f"Bearer {CREDENTIAL.text}"}
_NUMBERS = iter(range(10_000_000, 20_000_000))
# Slots of a server that stands still are free after 120 seconds.
_FROZEN_SECONDS = 130.0
_TRIES = 3
_WINDOW_SECONDS = 62.0


@dataclass
class Pair:
    """Two servers, each with a link of its own to the database; all share one to Redis."""

    site: Site
    servers: Sequence[Server]
    links: Sequence[Link]
    redis: RedisServer
    redis_link: Link
    token: str
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    async def call(self, number: int, **values: Any) -> httpx.Response:
        """One numbered call through a server."""
        key = str(next(_NUMBERS))
        body = chat(user=key, **values)
        return await self.clients[number].post(CHAT, json=body, headers=_HEADERS | {"x-session-id": key})

    async def ask(self, number: int, query: str) -> Any:
        answer = await self.clients[number].post(
            "/graphql", json={"query": query}, headers={"authorization": f"Bearer {self.token}"}
        )
        return answer.json()

    async def change(self, number: int, mutation: str) -> None:
        answer = await self.ask(number, f"mutation {{ {mutation} }}")
        assert "errors" not in answer, answer

    async def in_force_on_both(self) -> None:
        """A change through either is in force on both when it is answered."""
        for number in (0, 1):
            await self.change(number, 'suspendUser(id: "ada") { user { id } }')
            for other in (1 - number, number):
                assert (await self.call(other)).json()["error"]["code"] == "user_suspended"
            await self.change(number, 'reactivateUser(id: "ada") { user { id } }')
            assert [(await self.call(other)).status_code for other in (0, 1)] == [200, 200]

    async def through_both(self, calls: int) -> Counter[int]:
        """What became of so many calls at once."""
        statuses = await asyncio.gather(*(self.call(number % 2) for number in range(calls)))
        return Counter(answer.status_code for answer in statuses)

    async def stop(self) -> None:
        for server in self.servers:
            await stopped(server)

    def events(self, number: int) -> list[str]:
        return [line["event"] for line in self.servers[number].log()]


@asynccontextmanager
async def pair(tmp_path: Path, database: str, skews: Sequence[float] = (0.0, 0.0)) -> AsyncIterator[Pair]:
    """`skews` are how many seconds the clock of each server is ahead."""
    async with AsyncExitStack() as later, RedisServer() as redis:
        redis_link = await later.enter_async_context(await Link.to("127.0.0.1", redis.port))
        values = {"REDIS_URL": redis_link.url(redis.url), "REDIS_PREFIX": f"test-{uuid4().hex}", "LOG_LEVEL": "info"}
        site = await later.enter_async_context(furnished(tmp_path, database, **values))
        token = await administrator(site)
        links = [await later.enter_async_context(await Link.to_database(database)) for _ in skews]
        stack = later.enter_context(ExitStack())
        servers = [
            await started(stack, site, link.url(database), name=f"server-{number}", skew=skew)
            for number, (link, skew) in enumerate(zip(links, skews, strict=True))
        ]
        made = Pair(site, servers, links, redis, redis_link, token)
        for server in servers:
            client = httpx.AsyncClient(base_url=server.url, timeout=300)
            made.clients.append(await later.enter_async_context(client))
        yield made


@pytest.fixture
async def own() -> AsyncIterator[PostgresServer]:
    server = await asyncio.to_thread(PostgresServer.new)
    try:
        await asyncio.to_thread(migrate.upgrade, server.url)
        yield server
    finally:
        await asyncio.to_thread(server.remove)


async def test_a_database_that_is_stopped_and_started_again_keeps_nobody_from_working(
    tmp_path: Path, own: PostgresServer
) -> None:
    async with pair(tmp_path, own.url) as two:
        await two.in_force_on_both()
        async with two.site.crowd.calling(*two.urls) as crowd:
            await crowd.until_answered(20)
            await asyncio.to_thread(own.stop)
            await crowd.until_answered(40)
            # Nothing can be changed, and that is said at once.
            refused = await two.ask(0, 'mutation { suspendUser(id: "ada") { user { id } } }')
            assert refused["error"]["code"] == "unavailable"
            ready = await two.clients[1].get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            await crowd.until_answered(40)
            await asyncio.to_thread(own.start)
            await crowd.until_answered(40)
        # Who would count apart from them is kept away as before.
        await eventually_async(lambda: _healthy(two))
        await two.in_force_on_both()
        assert "Another Sluicegate server" in (await run_apart(tmp_path, own.url)).errors
        await two.stop()
        assert not crowd.lost
        assert not crowd.refused
        two.site.settle_accounts()


async def test_a_replica_that_takes_over_loses_no_call(tmp_path: Path, own: PostgresServer) -> None:
    copy = await asyncio.to_thread(own.replica)
    try:
        async with pair(tmp_path, own.url) as two:
            await two.in_force_on_both()
            async with two.site.crowd.calling(*two.urls) as crowd:
                await crowd.until_answered(40)
                await asyncio.to_thread(own.stop, "immediate")
                await crowd.until_answered(40)
                await asyncio.to_thread(copy.promote)
                for link in two.links:
                    link.move("127.0.0.1", copy.port)
                await crowd.until_answered(40)
            await eventually_async(lambda: _healthy(two))
            await two.in_force_on_both()
            assert "Another Sluicegate server" in (await run_apart(tmp_path, copy.url)).errors
            await two.stop()
            assert not crowd.lost
            assert not crowd.refused
            two.site.database = copy.url
            two.site.settle_accounts()
    finally:
        await asyncio.to_thread(copy.remove)


async def test_a_database_that_hangs_is_waited_for_once_and_then_done_without(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored()) as two:
        await two.in_force_on_both()
        async with two.site.crowd.calling(*two.urls) as crowd, AsyncExitStack() as stack:
            await crowd.until_answered(20)
            for link in two.links:
                await stack.enter_async_context(link.hanging())
            # Longer than one wait for it, and calls go on all the same.
            began = time.monotonic()
            while time.monotonic() - began < 25:
                await crowd.until_answered(5)
                await asyncio.sleep(0.5)
            began = time.monotonic()
            await crowd.until_answered(100)
            assert time.monotonic() - began < 20
            ready = await two.clients[1].get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            await stack.aclose()
            await crowd.until_answered(20)
        await eventually_async(lambda: _healthy(two), within=90)
        await two.in_force_on_both()
        await two.stop()
        assert not crowd.lost
        assert not crowd.refused
        two.site.settle_accounts()


async def test_one_server_that_alone_cannot_reach_the_database_does_not_hold_up_changes(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored()) as two:
        await two.in_force_on_both()
        async with two.links[1].hanging():
            began = time.monotonic()
            await two.change(0, 'suspendUser(id: "ada") { user { id } }')
            assert time.monotonic() - began < 10
            await two.change(0, 'reactivateUser(id: "ada") { user { id } }')
        await eventually_async(lambda: _healthy(two), within=90)
        await two.in_force_on_both()
        await two.stop()
        two.site.settle_accounts()


async def test_a_redis_that_is_slow_or_emptied_changes_no_figure(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored()) as two:
        async with two.site.crowd.calling(*two.urls) as crowd:
            await crowd.until_answered(20)
            # Slow, but within what a call waits for, unless the machine is slow as well.
            two.redis_link.delay = 0.02
            await crowd.until_answered(40)
            # Slower than that.
            two.redis_link.delay = 1.0
            await crowd.until_answered(80)
            assert "redis.away" in two.events(0)
            assert "redis.away" in two.events(1)
            ready = await two.clients[0].get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["redis"]) == (200, False)
            two.redis_link.delay = 0.0
            await eventually_async(lambda: _healthy(two), within=60)
            await crowd.until_answered(40)
            assert await two.redis.tell("FLUSHALL") == b"+OK\r\n"
            await crowd.until_answered(80)
            await eventually_async(lambda: _healthy(two), within=60)
        await eventually_async(lambda: _counts_what_the_ledger_has(two), within=60)
        await two.stop()
        assert not crowd.lost
        assert not crowd.refused
        two.site.settle_accounts()


async def test_what_a_server_served_alone_before_it_was_stopped_counts_once_it_is_started_again(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    database = postgres_schema.restored()
    async with pair(tmp_path, database) as two:
        assert set(await two.through_both(20)) == {200}
        async with two.redis_link.cut():
            await eventually(lambda: _alone(two))
            assert set(await two.through_both(20)) == {200}
            await stopped(two.servers[0])
        with ExitStack() as stack:
            again = await started(stack, two.site, two.links[0].url(database), name="server-again")
            assert (await two.call(1)).status_code == 200
            await eventually_async(lambda: _counts_what_the_ledger_has(two), within=60)
            await stopped(again)
        await stopped(two.servers[1])
        two.site.settle_accounts()


def _alone(two: Pair) -> None:
    assert all(_times_away(two))


# What the user spent in all months.
_SPENT = """
local token = redis.call('HGET', KEYS[1] .. ':epoch', 'token')
local fields = redis.call('HGETALL', KEYS[1] .. ':' .. token .. ':m:user:ada')
local spent = 0
for n = 1, #fields, 2 do
  if string.match(fields[n], '^s:%d%d%d%d%-%d%d$') then spent = spent + tonumber(fields[n + 1]) end
end
return spent
"""


async def _counts_what_the_ledger_has(two: Pair) -> None:
    prefix = f"{{{two.site.values['REDIS_PREFIX']}}}"
    counted = await two.redis.tell("EVAL", _SPENT, "1", prefix)
    assert int(counted.removeprefix(b":")) == await asyncio.to_thread(two.site.spent)


async def test_a_limit_holds_through_an_emptied_and_through_a_slow_redis(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored()) as two:
        await two.change(0, _limit(requests=60))
        began = time.monotonic()
        first = await two.through_both(40)
        assert first == {200: 40}
        await two.redis.tell("FLUSHALL")
        second = await two.through_both(40)
        two.redis_link.delay = 1.0
        third = await two.through_both(40)
        two.redis_link.delay = 0.0
        await eventually_async(lambda: _healthy(two), within=60)
        fourth = await two.through_both(40)
        # Else the first of them count no more, and nothing is shown.
        assert time.monotonic() - began < 55
        told = first + second + third + fourth
        assert set(told) == {200, 429}
        assert told[200] == 60
        assert len(two.site.provider.log) == 60
        await two.stop()
        two.site.settle_accounts()


def _limit(**values: int) -> str:
    names = {"requests": "requestsPerMinute", "concurrent": "concurrentRequests"}
    given = ", ".join(f"{names[name]}: {value}" for name, value in values.items())
    return f'setRateLimit(subject: {{userId: "ada"}}, input: {{{given}}}) {{ rateLimit {{ requestsPerMinute }} }}'


async def test_a_server_that_stands_still_holds_nobody_up_and_decides_nothing_old(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored()) as two:
        await two.change(0, _limit(concurrent=2))
        frozen = two.servers[1].process.pid or 0
        slow = 3.0
        held = await _begun(two, 1, slow)
        os.kill(frozen, signal.SIGSTOP)
        stopped_at = time.monotonic()
        # Its slot is taken as long as it may live: one other call, and not two.
        other = await _begun(two, 0, slow)
        assert (await two.call(0)).json()["error"]["code"] == "rate_limit_exceeded"
        assert (await other).status_code == 200
        # A change waits for its lease to end, and no longer.
        began = time.monotonic()
        await two.change(0, 'suspendUser(id: "ada") { user { id } }')
        assert time.monotonic() - began < 5
        await two.change(0, 'reactivateUser(id: "ada") { user { id } }')
        # Once its slot has run out, two calls at a time go through the other.
        async with asyncio.timeout(_FROZEN_SECONDS + 60):
            while time.monotonic() - stopped_at < _FROZEN_SECONDS:
                assert (await two.call(0)).status_code == 200
                await asyncio.sleep(2)
        both = [await _begun(two, 0, slow) for _ in range(2)]
        assert [(await call).status_code for call in both] == [200, 200]
        await two.change(0, 'suspendUser(id: "ada") { user { id } }')
        # What it knew when it stopped is that she may call.
        late = asyncio.create_task(two.call(1))
        await asyncio.sleep(0.5)
        os.kill(frozen, signal.SIGCONT)
        assert (await late).json()["error"]["code"] == "user_suspended"
        # Its call was let in before, and ends.
        assert (await held).status_code == 200
        await two.change(1, 'reactivateUser(id: "ada") { user { id } }')
        await eventually_async(lambda: _healthy(two), within=60)
        # No slot is held for what has ended, and none is given twice.
        both = [await _begun(two, number, slow) for number in (0, 1)]
        assert (await two.call(1)).json()["error"]["code"] == "rate_limit_exceeded"
        assert [(await call).status_code for call in both] == [200, 200]
        await two.stop()
        two.site.settle_accounts()


async def _begun(two: Pair, number: int, seconds: float) -> asyncio.Task[httpx.Response]:
    """A call that the provider has, and takes its time over."""
    asked = len(two.site.provider.log)
    two.site.provider.slowly = seconds
    call = asyncio.create_task(two.call(number))
    await eventually(lambda: _asked(two, asked + 1))
    two.site.provider.slowly = 0.0
    return call


def _asked(two: Pair, times: int) -> None:
    assert len(two.site.provider.log) >= times


def _times_away(two: Pair) -> list[int]:
    return [two.events(number).count("redis.away") for number in range(len(two.servers))]


async def _counted_in_redis(two: Pair) -> Counter[int]:
    """What became of 160 calls in less than a minute; of others, a minute later, where a loaded machine made Redis too
    slow for the servers: then their clocks have a say in what counts for the last minute."""
    tries = 0
    while True:
        tries += 1
        away, began = _times_away(two), time.monotonic()
        told = await two.through_both(80) + await two.through_both(80)
        assert time.monotonic() - began < 55
        if _times_away(two) == away or tries == _TRIES:
            return told
        await asyncio.sleep(_WINDOW_SECONDS)


async def test_clocks_that_are_a_minute_apart_let_in_no_more_and_lose_nothing(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    async with pair(tmp_path, postgres_schema.restored(), skews=(-30.0, 30.0)) as two:
        await two.change(0, _limit(requests=100))
        assert await _counted_in_redis(two) == {200: 100, 429: 60}
        await two.change(1, _limit(requests=1_000_000))
        await two.in_force_on_both()
        async with two.site.crowd.calling(*two.urls) as crowd:
            await crowd.until_answered(60)
        await two.stop()
        assert not crowd.refused
        assert not crowd.lost
        two.site.settle_accounts()
        # Each row has the time of the server that let it in.
        times = sorted(record.started_ms for record in two.site.ledger())
        assert times[-1] - times[0] > 55_000


async def _healthy(two: Pair) -> None:
    for client in two.clients:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def eventually_async(check: Any, within: float = 30.0) -> None:
    """Until what `check` gives to wait for no longer fails."""
    async with asyncio.timeout(within):
        while True:
            try:
                await check()
            except AssertionError:
                await asyncio.sleep(0.1)
            else:
                return


async def run_apart(tmp_path: Path, database: str) -> Any:
    """The end of a server on the same database that counts by itself."""
    return await asyncio.to_thread(run, "serve", "--port", "0", DATA_DIR=str(tmp_path / "apart"), DATABASE_URL=database)
