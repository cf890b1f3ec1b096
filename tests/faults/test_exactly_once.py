"""The ledger against the provider's own count, while servers die and what they stand on goes away.

Real servers in processes of their own, real databases, and callers who never stop.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

from cli.program import run
from databases import PostgresTemplate
from faults.crowd import Bookkeeper, Crowd, compare, eventually
from faults.site import Site, furnished, link_to, started, stopped
from gateway.bench import running_bench
from sluicegate.kit.clock import SystemClock


@pytest.fixture
async def site(tmp_path: Path, migrated_url: str) -> AsyncIterator[Site]:
    async with furnished(tmp_path, migrated_url) as site:
        yield site


async def test_kill_at_any_instant_loses_no_call_and_doubles_none(site: Site) -> None:
    draw = random.Random(20261129)
    with ExitStack() as stack:
        server = await started(stack, site)
        async with site.crowd.calling(server.url) as crowd:
            for _ in range(5):
                await crowd.until_answered(20)
                await asyncio.sleep(draw.random() * 0.1)
                crowd.urls = ()
                os.kill(server.process.pid or 0, signal.SIGKILL)
                server = await started(stack, site)
                crowd.urls = (server.url,)
            await crowd.until_answered(20)
        await stopped(server)
    assert site.crowd.lost
    assert len(site.crowd.answered) >= 120
    site.settle_accounts()


async def test_a_database_that_is_away_for_a_while_keeps_nobody_from_working(site: Site) -> None:
    with ExitStack() as stack:
        if site.database.startswith("sqlite"):
            server = await started(stack, site)
            away = _locked(make_url(site.database).database or "")
        else:
            link = await link_to(site)
            stack.callback(link.close)
            server = await started(stack, site, link.url(site.database))
            away = link.cut()
        async with site.crowd.calling(server.url) as crowd:
            await crowd.until_answered(20)
            async with away:
                for _ in range(7):
                    await crowd.until_answered(10)
                    await asyncio.sleep(1)
            await crowd.until_answered(20)
        await stopped(server)
    assert not crowd.lost
    assert not crowd.refused
    site.settle_accounts()


@pytest.mark.timeout(300)
async def test_a_database_that_is_away_for_minutes_is_caught_up_with(
    tmp_path: Path, postgres_schema: PostgresTemplate
) -> None:
    """Longer than the longest pause between two tries to write to it, and than any statement may take."""
    async with furnished(tmp_path, postgres_schema.restored()) as site:
        with ExitStack() as stack:
            link = await link_to(site)
            stack.callback(link.close)
            server = await started(stack, site, link.url(site.database))
            async with site.crowd.calling(server.url) as crowd, httpx.AsyncClient(base_url=server.url) as client:
                crowd.pause = 0.25
                await crowd.until_answered(20)
                async with link.cut():
                    began = time.monotonic()
                    while time.monotonic() - began < 90:
                        await crowd.until_answered(10)
                        await asyncio.sleep(1)
                    assert (await client.get("/healthz")).status_code == 200
                    # Degraded, but to be sent calls all the same.
                    ready = await client.get("/readyz", timeout=10)
                    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
                await crowd.until_answered(20)
                known = len(site.provider.log)
                # Soon after the longest pause all is there, while calls go on.
                async with asyncio.timeout(60):
                    while len(await asyncio.to_thread(site.ledger)) < known:  # noqa: ASYNC110 - a flush signals nobody
                        await asyncio.sleep(1)
            await stopped(server)
        assert not crowd.lost
        assert not crowd.refused
        site.settle_accounts()


@asynccontextmanager
async def _locked(path: str) -> AsyncIterator[None]:
    """Nobody else writes to the database, longer than the server waits for its turn."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


async def test_a_disk_that_is_full_lets_nobody_in_and_loses_nothing(site: Site) -> None:
    with ExitStack() as stack:
        server = await started(stack, site)
        pid = server.process.pid or 0
        async with site.crowd.calling(server.url) as crowd:
            await crowd.until_answered(20)
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            # From here on no file of this process takes another byte.
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
            await eventually(lambda: _at_least(len(crowd.refused), 20))
            answered = len(crowd.answered)
            await asyncio.sleep(0.5)
            assert len(crowd.answered) == answered
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
            await crowd.until_answered(20)
        await stopped(server)
    assert set(crowd.refused.values()) == {503}
    assert not crowd.lost
    site.settle_accounts()


def _at_least(found: int, wanted: int) -> None:
    assert found >= wanted


async def test_a_clock_that_jumps_changes_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offset = 0.0
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    provider = Bookkeeper()
    crowd = Crowd()
    async with running_bench(tmp_path, provider=provider) as bench:
        async with crowd.calling(f"http://127.0.0.1:{bench.port}"):
            for jump in (3600.0, -7200.0, 86_400.0 * 32, -86_400.0 * 40, 0.0):
                await crowd.until_answered(15)
                offset = jump
            await crowd.until_answered(15)
        assert not crowd.lost
        assert not crowd.refused
        await bench.container.journal.flush()
        site = Site(tmp_path, f"sqlite:///{tmp_path / 'sluicegate.db'}", provider, crowd)
        ledger = site.ledger()
        compare(provider, crowd, ledger)
        assert site.spent() == sum(record.cost_nanos for record in ledger)
        await bench.assert_settled()


async def test_a_day_that_begins_while_the_database_is_away_keeps_nobody_from_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = 0.0
    monkeypatch.setattr(SystemClock, "time", staticmethod(lambda: time.time() + offset))
    provider, crowd = Bookkeeper(), Crowd()
    async with running_bench(tmp_path, provider=provider) as bench:
        async with crowd.calling(f"http://127.0.0.1:{bench.port}"):
            await crowd.until_answered(15)
            async with _locked(str(tmp_path / "sluicegate.db")):
                offset = 86_400.0
                await crowd.until_answered(15)
                assert bench.container.journal.backlog > 0
            await crowd.until_answered(15)
        assert not crowd.lost
        assert not crowd.refused
        await bench.container.journal.flush()
        site = Site(tmp_path, f"sqlite:///{tmp_path / 'sluicegate.db'}", provider, crowd)
        ledger = site.ledger()
        compare(provider, crowd, ledger)
        assert site.spent() == sum(record.cost_nanos for record in ledger)
        await bench.assert_settled()


async def test_a_second_server_on_the_same_books_is_refused(site: Site) -> None:
    with ExitStack() as stack:
        server = await started(stack, site)
        async with site.crowd.calling(server.url) as crowd:
            await crowd.until_answered(10)
            other = await asyncio.to_thread(
                run, "serve", "--port", "0", DATA_DIR=str(site.folder), DATABASE_URL=site.database
            )
            assert other.status != 0
            assert "another" in other.errors.lower(), other.errors
            await crowd.until_answered(10)
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"{server.url}/readyz")).is_success
        await stopped(server)
    assert not crowd.lost
    site.settle_accounts()
