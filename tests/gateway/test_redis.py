"""A gateway that counts in Redis, and what callers and balancers see when that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from fakes.redis_server import RedisServer
from gateway.bench import CHAT, MESSAGES, SUBJECT, Bench, chat, messages, running_bench
from sluicegate.domain.policy import Dimension, Window

pytestmark = pytest.mark.embedded


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


async def _away(bench: Bench) -> None:
    redis = bench.container.redis
    assert redis is not None
    async with asyncio.timeout(10):
        while redis.shared:  # noqa: ASYNC110 - the store signals nobody
            await asyncio.sleep(0.01)


async def _back(bench: Bench) -> None:
    redis = bench.container.redis
    assert redis is not None
    async with asyncio.timeout(20):
        while not redis.shared:  # noqa: ASYNC110 - the store signals nobody
            await asyncio.sleep(0.05)


async def _ready(bench: Bench) -> tuple[int, str, dict[str, bool]]:
    answer = await bench.client.get("/readyz")
    found = answer.json()
    return answer.status_code, found["status"], found["checks"]


async def test_calls_count_in_redis_and_go_on_without_it(tmp_path: Path, server: RedisServer) -> None:
    async with running_bench(tmp_path, everything=True, redis_url=server.url) as bench:
        await bench.set_limits(requests=4, concurrent_requests=2)
        first = await bench.client.post(CHAT, json=chat())
        assert first.status_code == 200, first.text
        assert first.headers["x-ratelimit-remaining-requests"] == "3"
        assert (await bench.client.post(MESSAGES, json=messages(stream=True))).status_code == 200
        assert (await bench.used(Dimension.REQUESTS), await bench.used(Dimension.CONCURRENT_REQUESTS)) == (2, 0)
        spent = (await bench.container.admission.use_of(SUBJECT)).spent[Window.MONTH]
        assert spent == sum(call.cost_nanos for call in await bench.ledger()) > 0
        everything = {"database": True, "journal": True, "staying": True, "redis": True}
        assert await _ready(bench) == (200, "ok", everything)

        await server.kill()
        await _away(bench)
        assert await _ready(bench) == (200, "degraded", {**everything, "redis": False})
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        await server.start()
        await _back(bench)
        assert await _ready(bench) == (200, "ok", everything)
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        refused = await bench.client.post(CHAT, json=chat())
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        await bench.assert_settled()
        use = await bench.container.admission.use_of(SUBJECT)
        assert use.spent[Window.MONTH] == sum(call.cost_nanos for call in await bench.ledger())


def _kind_of(answer: httpx.Response) -> str:
    return answer.json()["error"]["type"]


async def test_a_gateway_that_must_count_refuses_without_redis(tmp_path: Path, server: RedisServer) -> None:
    values = {"redis_url": server.url, "redis_fail_closed": True}
    async with running_bench(tmp_path, everything=True, **values) as bench:
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        asked = len(bench.provider.log)
        await server.kill()
        await _away(bench)
        one, other = await bench.client.post(CHAT, json=chat()), await bench.client.post(MESSAGES, json=messages())
        assert [one.status_code, other.status_code] == [503, 503]
        assert one.json()["error"]["code"] == "temporarily_unavailable"
        assert (_kind_of(one), _kind_of(other)) == ("server_error", "api_error")
        assert one.headers["retry-after"] == other.headers["retry-after"] == "5"
        assert len(bench.provider.log) == asked
        assert await _ready(bench) == (
            503,
            "failing",
            {"database": True, "journal": True, "staying": True, "limits": False},
        )
