"""Whose call brought about what a provider keeps: the same whether one process knows it or several share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable

import pytest
from redis.asyncio import Redis

from adapters.sides import InTurn, sides
from counters.stores import prefix
from fakes.redis_server import RedisServer
from sluicegate.adapters.memory import MemoryKept
from sluicegate.adapters.redis import RedisKept, Side
from sluicegate.ports.kept import KEPT_SECONDS, KeptOwners

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
Make = Callable[[], KeptOwners]


class _Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


class _Several(InTurn[RedisKept]):
    shared = True

    def note(self, owner: str, ids: Iterable[str]) -> None:
        self._next().note(owner, ids)

    async def learn(self, owner: str, ids: Collection[str]) -> None:
        for process in self._processes:
            await process.told()
        for process in self._processes:
            await process.learn(owner, ids)

    def belongs(self, identity: str, owner: str) -> bool:
        return self._next().belongs(identity, owner)


@pytest.fixture(params=["memory", "redis", "several"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[KeptOwners]:
    """With room for three."""
    if request.param == "memory":
        yield MemoryKept(_Clock(), most=3)
        return
    async with sides(request.getfixturevalue("redis_url"), 1 if request.param == "redis" else 3) as several:
        yield _Several([RedisKept(side, [KEY], _Clock(), most=3) for side in several])


async def _owned(kept: KeptOwners, owner: str, ids: Iterable[str]) -> str:
    found = ""
    for identity in ids:
        await kept.learn(owner, [identity])
        found += identity if kept.belongs(identity, owner) else ""
    return found


async def test_the_last_owner_has_it_and_the_oldest_go(kept: KeptOwners) -> None:
    kept.note("ada", ["a", "b"])
    await _owned(kept, "ada", "a")
    kept.note("bob", ["c", "a"])
    assert await _owned(kept, "bob", "abcd") == "ac"
    kept.note("ada", ["d"])
    assert await _owned(kept, "ada", "acd") == "d"
    assert await _owned(kept, "bob", "acd") == "ac"


async def test_what_nobody_told_is_nobodys(kept: KeptOwners) -> None:
    kept.note("ada", ["a", "\ud800"])
    assert await _owned(kept, "ada", ["a", "\ud800", "b", ""]) == "a\ud800"
    assert await _owned(kept, "", ["a", "\ud800", "b", ""]) == ""


async def test_thousands_at_once(redis_url: str) -> None:
    side = Side(redis_url, prefix(), patience=10)
    one, two = (RedisKept(side, [KEY], _Clock()) for _ in range(2))
    ids = [f"msg_{number}" for number in range(1500)]
    one.note("ada", ids)
    await one.told()
    await two.learn("ada", ids)
    assert all(two.belongs(identity, "ada") for identity in ids)
    await side.close()


async def test_it_is_known_for_thirty_days(redis_url: str) -> None:
    clock, name = _Clock(), prefix()
    memory = MemoryKept(clock)
    memory.note("ada", ["a"])
    side = Side(redis_url, name, patience=10)
    first = RedisKept(side, [KEY], clock)
    first.note("ada", ["a"])
    await first.told()
    second = RedisKept(side, [KEY], clock)
    await second.learn("ada", ["a"])
    stores: list[KeptOwners] = [memory, first, second]
    clock.now = KEPT_SECONDS - 60
    assert [store.belongs("a", "ada") for store in stores] == [True] * 3
    clock.now = KEPT_SECONDS
    assert [store.belongs("a", "ada") for store in stores] == [False] * 3
    client = Redis.from_url(redis_url)
    keys = [key async for key in client.scan_iter(f"{{{name}}}:*")]
    assert len(keys) == 2
    for key in keys:
        assert KEPT_SECONDS - 60 < await client.ttl(key) <= KEPT_SECONDS
    # Those that are over are found no more, and go with the next that is told.
    (told,) = (key for key in keys if key.endswith(b":told"))
    for member in await client.zrange(told, 0, -1):
        await client.zincrby(told, -KEPT_SECONDS, member)
    third = RedisKept(side, [KEY], clock)
    await third.learn("ada", ["a"])
    assert not third.belongs("a", "ada")
    third.note("ada", ["b"])
    await third.told()
    assert await client.zcard(told) == 1
    await client.aclose()
    await side.close()


async def test_redis_sees_neither_ids_nor_owners_and_makes_nobody_an_owner(redis_url: str) -> None:
    name = prefix()
    side = Side(redis_url, name, patience=10)
    one, foreign = RedisKept(side, [KEY], _Clock()), RedisKept(side, [OTHER_KEY], _Clock())
    one.note("user-ada", ["resp_secret"])
    one.note("user-bob", ["resp_other"])
    await one.told()
    client = Redis.from_url(redis_url)
    owners = f"{{{name}}}:kept:owners"
    dump = b"".join([part for pair in (await client.hgetall(owners)).items() for part in pair])
    assert len(dump) == 64
    assert not any(word in dump for word in (b"resp", b"ada", b"bob", b"secret"))
    # Who writes to Redis may take things away, but can't give one's answer to another.
    fields = await client.hkeys(owners)
    values = await client.hvals(owners)
    await client.hset(owners, mapping=dict(zip(fields, reversed(values), strict=True)))
    reader = RedisKept(side, [KEY], _Clock())
    for owner in ("user-ada", "user-bob"):
        assert await _owned(reader, owner, ["resp_secret", "resp_other"]) == ""
    assert await _owned(foreign, "user-ada", ["resp_secret"]) == ""
    await client.aclose()
    await side.close()


async def test_a_key_that_was_changed_still_opens_what_was_told_under_the_old_one(redis_url: str) -> None:
    side = Side(redis_url, prefix(), patience=10)
    old, new = RedisKept(side, [KEY], _Clock()), RedisKept(side, [OTHER_KEY, KEY], _Clock())
    old.note("ada", ["a"])
    await old.told()
    assert await _owned(new, "ada", "a") == "a"
    assert await _owned(new, "bob", "a") == ""
    await side.close()


async def test_what_is_on_its_way_is_waited_for(redis_url: str) -> None:
    side = Side(redis_url, prefix(), patience=10)
    one, two = (RedisKept(side, [KEY], _Clock()) for _ in range(2))
    asking = asyncio.create_task(two.learn("ada", ["a"]))
    await asyncio.sleep(0.01)
    one.note("ada", ["a"])
    await asking
    assert two.belongs("a", "ada")
    await side.close()


async def test_without_redis_each_knows_its_own_and_tells_it_later() -> None:
    async with RedisServer() as server:
        sides = [Side(server.url, "test") for _ in range(2)]
        one, two = (RedisKept(side, [KEY], _Clock(), most=3) for side in sides)
        await server.kill()
        one.note("ada", ["a", "b", "c", "d"])
        await one.learn("ada", ["d"])
        await two.learn("ada", ["d"])
        assert (one.belongs("d", "ada"), one.belongs("d", "bob"), two.belongs("d", "ada")) == (True, False, False)
        await server.start()
        async with asyncio.timeout(30):
            while not two.belongs("d", "ada"):
                await two.learn("ada", ["b", "d"])
        assert two.belongs("b", "ada")
        # One that was emptied has forgotten what others told; everybody still knows their own.
        await server.tell("FLUSHALL")
        await one.learn("ada", ["d"])
        assert one.belongs("d", "ada")
        for side in sides:
            await side.close()
