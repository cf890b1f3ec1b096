"""Several workers below one parent: one server to callers, whatever becomes of each worker.

Real processes on PostgreSQL and Redis, and callers who never stop.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from cli.program import PATIENCE, Server
from databases import PostgresTemplate
from fakes.http_server import Connection
from fakes.script import Step
from faults.crowd import Bookkeeper, eventually
from faults.site import Site, furnished, started, stopped
from gateway.bench import CHAT, CREDENTIAL, SUBJECT, chat
from sluicegate.container import Container
from sluicegate.domain.policy import RateLimits
from sluicegate.ports.upstream import RawHeaders
from sluicegate.settings import load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_HEADERS = {"authorization": f"Bearer {CREDENTIAL.text}"}
# Longer than a server that is told to end waits for its calls.
_LONG_SECONDS = 33.0
_LONG = "long"


class _Patient(Bookkeeper):
    """Makes who calls as `long` wait in the middle of the answer."""

    async def _serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        if f'"{_LONG}"'.encode() not in body:
            await super()._serve(connection, method, target, headers, body)
            return
        self.next(Step(stall_after=_LONG_SECONDS))
        await super(Bookkeeper, self)._serve(connection, method, target, headers, body)
        # Its own figures are another matter than those of numbered calls.
        self.log.pop()


@pytest.fixture
async def site(tmp_path: Path, postgres_schema: PostgresTemplate, redis_url: str) -> AsyncIterator[Site]:
    shared = {"REDIS_URL": redis_url, "REDIS_PREFIX": f"test-{uuid4().hex}", "WORKERS": "2"}
    async with furnished(tmp_path, postgres_schema.restored(), _Patient(), **shared) as site:
        yield site


@pytest.fixture
async def server(site: Site, tmp_path: Path) -> AsyncIterator[Server]:
    with ExitStack() as stack:
        server = await started(stack, site, LOG_LEVEL="info")
        # It answers when its first worker does, and says so when all do.
        await eventually(lambda: _said(tmp_path, "with 2 workers"), within=PATIENCE)
        yield server


def _said(folder: Path, words: str) -> None:
    assert words in (folder / "data.out").read_text()


async def _until(server: Server, holds: Callable[[set[int]], bool]) -> None:
    def check() -> None:
        assert holds(server.workers())

    await eventually(check, within=PATIENCE)


async def _until_logged(server: Server, event: str, times: int = 1) -> None:
    def check() -> None:
        assert [line["event"] for line in server.log()].count(event) >= times

    await eventually(check, within=PATIENCE)


def _sockets(pid: int) -> int:
    return sum(os.readlink(link).startswith("socket:") for link in Path(f"/proc/{pid}/fd").iterdir())


async def _opened(stack: AsyncExitStack, url: str, count: int) -> list[httpx.AsyncClient]:
    """Clients with a connection each that stays open."""
    clients = [await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60)) for _ in range(count)]
    assert all(answer.is_success for answer in await asyncio.gather(*(client.get("/healthz") for client in clients)))
    return clients


async def test_workers_share_connections_and_stay_within_a_limit_together(site: Site, server: Server) -> None:
    values = {"data_dir": site.folder, "database_url": site.database}
    container = Container(load({}, **values), "http://127.0.0.1")
    async with container.store.write() as tx:
        await tx.policy.set_rate_limits(SUBJECT, RateLimits(requests=100))
    await container.stop()
    before = {pid: _sockets(pid) for pid in server.workers()}
    async with AsyncExitStack() as stack:
        clients = await _opened(stack, server.url, 40)
        more = [_sockets(pid) - count for pid, count in before.items()]
        assert len(more) == 2
        # By chance alone, one of the two gets less than five in one of ten million such tests.
        assert min(more) >= 5

        async def call(number: int) -> int:
            body = chat(user=str(number))
            headers = _HEADERS | {"x-session-id": str(number)}
            return (await clients[number % 40].post(CHAT, json=body, headers=headers)).status_code

        async with asyncio.timeout(55):
            statuses = Counter(await asyncio.gather(*(call(number) for number in range(160))))
        assert statuses == {200: 100, 429: 60}
    assert len(site.provider.log) == 100
    await stopped(server)
    assert len(site.ledger()) == 100


def _resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().split()
    return int(status[status.index("VmRSS:") + 1])


async def test_the_parent_is_light(server: Server) -> None:
    assert _resident_kb(server.process.pid or 0) < 25_000


async def test_a_worker_that_is_killed_loses_no_call_and_comes_back(site: Site, server: Server) -> None:
    draw = random.Random(20261130)
    async with site.crowd.calling(server.url) as crowd:
        for times in range(1, 4):
            await crowd.until_answered(20)
            await asyncio.sleep(draw.random() * 0.1)
            victim = draw.choice(sorted(server.workers()))
            os.kill(victim, signal.SIGKILL)
            # Meanwhile the other one serves.
            await crowd.until_answered(20)
            await _until_logged(server, "worker.up", times)
        await crowd.until_answered(40)
    await stopped(server)
    assert not crowd.refused
    assert [line["event"] for line in server.log()].count("worker.died") == 3
    site.settle_accounts()


async def test_a_rolling_restart_refuses_no_connection_and_breaks_no_stream(site: Site, server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client, site.crowd.calling(server.url) as crowd:
        before = server.workers()
        long = asyncio.create_task(client.post(CHAT, json=chat(stream=True, user=_LONG), headers=_HEADERS))
        for _ in range(2):
            await crowd.until_answered(20)
            # Twice, of which the second begins after the first.
            os.kill(server.process.pid or 0, signal.SIGHUP)
        await _until(server, lambda now: len(now) == 2 and not now & before)
        await _until_logged(server, "worker.up", 2)
        await crowd.until_answered(100)
        answer = await long
        assert answer.is_success
        assert b"data: [DONE]" in answer.content
    await stopped(server)
    assert not crowd.lost
    assert not crowd.refused
    (row,) = [record for record in site.ledger() if record.session_id is None]
    assert row.outcome == "ok"
    assert not [line for line in server.log() if line["level"] == "error"]


async def test_calls_in_flight_end_before_the_server_does(site: Site, server: Server) -> None:
    workers = server.workers()
    async with AsyncExitStack() as stack:
        clients = await _opened(stack, server.url, 12)
        calls = [
            asyncio.create_task(
                client.post(CHAT, json=chat(stream=True, user=str(number * 5 + 4)), headers=_session(number * 5 + 4))
            )
            for number, client in enumerate(clients)
        ]
        await eventually(lambda: _asked(site, 12))
        assert server.process.pid is not None
        os.kill(server.process.pid, signal.SIGTERM)
        os.kill(server.process.pid, signal.SIGTERM)
        answers = await asyncio.gather(*calls)
        assert all(b"data: [DONE]" in answer.content for answer in answers)
    await stopped(server)
    _gone(workers)
    assert len(site.ledger()) == 12


def _session(number: int) -> dict[str, str]:
    return _HEADERS | {"x-session-id": str(number)}


def _asked(site: Site, times: int) -> None:
    assert len(site.provider.log) >= times


async def test_no_worker_outlives_its_parent(site: Site, server: Server) -> None:
    workers = server.workers()
    async with site.crowd.calling(server.url) as crowd:
        await crowd.until_answered(20)
        os.kill(server.process.pid or 0, signal.SIGKILL)
        await eventually(lambda: _gone(workers), within=PATIENCE)
    site.settle_accounts()


def _gone(pids: set[int]) -> None:
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
