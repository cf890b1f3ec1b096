"""Counts that end: the same whether one process has them or several share them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from adapters.sides import InTurn, sides
from counters.stores import prefix
from fakes.redis_server import RedisServer
from gateway.bench import CHAT, CREDENTIAL, Bench, chat, running_bench
from sluicegate.adapters.redis import RedisTallies, Side
from sluicegate.domain import apikey
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.tallies import Count, LocalTallies, Tallies, Tally
from sluicegate.policy import known

KEY = b"k" * 32


class _Several(InTurn[RedisTallies]):
    async def take(self, *tallies: Tally) -> float | None:
        return await self._next().take(*tallies)

    async def counts(self, *names: str) -> list[Count]:
        return await self._next().counts(*names)

    async def give_back(self, name: str, *, whole: bool = False) -> None:
        await self._next().give_back(name, whole=whole)


@pytest.fixture(params=["memory", "redis", "several"])
async def tallies(request: pytest.FixtureRequest) -> AsyncIterator[Tallies]:
    """With room for ten names."""
    if request.param == "memory":
        yield LocalTallies(SystemClock(), most=10)
        return
    async with sides(request.getfixturevalue("redis_url"), 1 if request.param == "redis" else 3) as several:
        yield _Several([RedisTallies(side, KEY, "test", SystemClock(), most=10) for side in several])


async def _numbers(tallies: Tallies, *names: str) -> list[int]:
    return [found.number for found in await tallies.counts(*names)]


async def test_all_are_counted_or_none(tallies: Tallies) -> None:
    both = Tally("a", 3, 60), Tally("b", 2, 600)
    assert [await tallies.take(*both) for _ in range(2)] == [None, None]
    wait = await tallies.take(*both)
    assert wait is not None
    assert 590 < wait <= 600
    assert await _numbers(tallies, "a", "b", "c") == [2, 2, 0]
    assert await tallies.take(both[0]) is None
    wait = await tallies.take(*both)
    assert wait is not None
    assert 50 < wait <= 60
    a, b, c = await tallies.counts("a", "b", "c")
    assert (a.number, b.number, c) == (3, 2, (0, 0))
    assert 50 < a.left <= 60 < 590 < b.left <= 600


async def test_what_is_given_back_was_not(tallies: Tallies) -> None:
    for _ in range(3):
        await tallies.take(Tally("a", 3, 60), Tally("b", 9, 60))
    await tallies.give_back("a")
    await tallies.give_back("b", whole=True)
    await tallies.give_back("nothing")
    assert await _numbers(tallies, "a", "b", "nothing") == [2, 0, 0]
    assert await tallies.take(Tally("a", 3, 60)) is None
    assert await tallies.take(Tally("a", 3, 60)) is not None


async def test_a_span_ends_as_it_began(tallies: Tallies) -> None:
    short = Tally("a", 1, 1)
    assert await tallies.take(short) is None
    assert await tallies.take(short) is not None
    async with asyncio.timeout(30):
        while await tallies.take(short) is not None:  # noqa: ASYNC110 - the span ends by itself
            await asyncio.sleep(0.05)
    assert await _numbers(tallies, "a") == [1]


async def test_a_flood_of_names_washes_no_count_away(tallies: Tallies) -> None:
    for _ in range(3):
        await tallies.take(Tally("stopped", 3, 60))
    for n in range(50):
        assert await tallies.take(Tally(f"invented {n}", 3, 60)) is None
    assert await tallies.take(Tally("stopped", 3, 60)) is not None
    assert sum(await _numbers(tallies, *(f"invented {n}" for n in range(50)))) <= 10


async def test_many_at_once_never_pass_together(tallies: Tallies) -> None:
    waits = await asyncio.gather(*(tallies.take(Tally("a", 7, 60), Tally(f"b{n % 2}", 90, 60)) for n in range(60)))
    assert waits.count(None) == 7
    assert await _numbers(tallies, "a") == [7]


async def test_redis_sees_no_names_and_forgets_them_by_itself(redis_url: str) -> None:
    name = prefix()
    side = Side(redis_url, name, patience=10)
    await RedisTallies(side, KEY, "test", SystemClock()).take(Tally("ada@example.com", 3, 60))
    client = Redis.from_url(redis_url)
    keys = [key async for key in client.scan_iter(f"{{{name}}}:*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await client.ttl(key) <= 60
        assert [len(member) for member in await client.zrange(key, 0, -1)] == [16]
    await client.aclose()
    await side.close()


async def test_without_redis_each_counts_for_itself() -> None:
    async with RedisServer() as server:
        sides = [Side(server.url, "test") for _ in range(2)]
        one, two = (RedisTallies(side, KEY, "test", SystemClock()) for side in sides)
        await server.kill()
        for process in (one, two):
            assert [await process.take(Tally("a", 2, 60)) for _ in range(2)] == [None, None]
            assert await process.take(Tally("a", 2, 60)) is not None
            await process.give_back("a")
            assert await _numbers(process, "a") == [1]
        for side in sides:
            await side.close()


async def _asked(bench: Bench, key: str) -> httpx.Response:
    return await bench.client.post(CHAT, json=chat(), headers={"authorization": f"Bearer {key}"})


def _forged(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Well-formed, and of a key that exists, so that nothing but a look at the secret tells."""
    draw: Callable[[int], str] = vars(apikey)["_random_text"]
    public_id = CREDENTIAL.public_id
    with monkeypatch.context() as patch:
        patch.setattr(apikey, "_random_text", lambda size: public_id if size == len(public_id) else draw(size))
        return [apikey.new_credential().text for _ in range(number)]


@pytest.mark.embedded
async def test_wrong_keys_cost_no_more_at_two_gateways_than_at_one(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    verify = known.verify_hash

    def counted(hashed: str, secret: str) -> bool:
        looked_at.append(secret)
        return verify(hashed, secret)

    monkeypatch.setattr(known, "verify_hash", counted)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    shared = {"redis_url": redis_url, "redis_prefix": prefix()}
    async with running_bench(tmp_path / "one", **shared) as one, running_bench(tmp_path / "two", **shared) as two:
        # What the servers tried on themselves.
        looked_at.clear()
        wrong = _forged(monkeypatch, 80)
        answers = await asyncio.gather(*(_asked((one, two)[n % 2], key) for n, key in enumerate(wrong)))
        assert {answer.status_code for answer in answers} == {401}
        assert len(looked_at) == len(set(looked_at)) == 30
        told = Counter("Too many" in answer.text for answer in answers)
        assert told == {False: 30, True: 50}
        # Not even the right one is looked at, and one that was wrong is known to be, everywhere.
        assert [(await _asked(bench, CREDENTIAL.text)).status_code for bench in (one, two)] == [401, 401]
        assert len(looked_at) == 30


@pytest.mark.embedded
async def test_many_right_keys_at_once_are_none_of_them_refused(tmp_path: Path, redis_url: str) -> None:
    async with running_bench(tmp_path, redis_url=redis_url, redis_prefix=prefix()) as bench:
        keys = [(await bench.add_key()).text for _ in range(45)]
        answers = await asyncio.gather(*(_asked(bench, key) for key in keys))
        assert {answer.status_code for answer in answers} == {200}


@pytest.mark.embedded
async def test_sign_ins_are_counted_together(tmp_path: Path, redis_url: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    shared = {"redis_url": redis_url, "redis_prefix": prefix(), "everything": True}
    guess = {"email": "ada@example.com", "password": "a guess of somebody"}
    async with running_bench(tmp_path / "one", **shared) as one, running_bench(tmp_path / "two", **shared) as two:
        tries = ((one, two)[n % 2].client.post("/auth/sign-in", json=guess) for n in range(30))
        answers = Counter(answer.status_code for answer in await asyncio.gather(*tries))
        assert answers == {401: 10, 429: 20}
