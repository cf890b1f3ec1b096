"""One of two workers hangs while callers go on: it is shown and replaced, and one that only stood still is not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from cli.hangs import hang_on_signal
from cli.program import PATIENCE, Server
from databases import PostgresTemplate
from faults.crowd import eventually
from faults.site import Site, furnished, started, stopped
from sluicegate.cli.watch import HUNG
from sluicegate.supervisor import END

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_LIMIT = 4.0


@pytest.fixture
async def site(tmp_path: Path, postgres_schema: PostgresTemplate, redis_url: str) -> AsyncIterator[Site]:
    shared = {
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": f"test-{uuid4().hex}",
        "WORKERS": "2",
        "HANG_SECONDS": str(_LIMIT),
        "LOG_LEVEL": "info",
    }
    async with furnished(tmp_path, postgres_schema.restored(), **shared) as site:
        yield site


@pytest.fixture
async def server(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hang: str) -> AsyncIterator[Server]:
    for name, value in hang_on_signal(tmp_path, hang).items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        server = await started(stack, site)
        await eventually(lambda: _both_serve(tmp_path), within=PATIENCE)
        yield server


def _both_serve(folder: Path) -> None:
    assert "with 2 workers" in (folder / "data.out").read_text()


def _told(server: Server) -> list[str]:
    return [line["event"] for line in server.log() if line["event"].startswith(("loop.", "worker."))]


async def _until_told(server: Server, event: str) -> None:
    def check() -> None:
        assert event in _told(server)

    await eventually(check, within=PATIENCE)


@pytest.mark.parametrize(
    ("hang", "events", "status"),
    [
        ("spin", ["loop.stalled", "loop.hung", "worker.died", "worker.up"], HUNG),
        ("wait", ["loop.stalled", "loop.hung", "worker.died", "worker.up"], HUNG),
        # No thread of its own can run.
        ("grip", ["worker.silent", "worker.hung", "worker.died", "worker.up"], -END),
    ],
)
async def test_a_worker_that_hangs_is_shown_and_replaced(
    site: Site, server: Server, hang: str, events: list[str], status: int
) -> None:
    before = server.workers()
    victim = min(before)
    async with site.crowd.calling(server.url) as crowd:
        await crowd.until_answered(20)
        os.kill(victim, signal.SIGUSR2)
        # Meanwhile the other one serves.
        await crowd.until_answered(20)
        await _until_told(server, "worker.up")
        await crowd.until_answered(40)
    assert _told(server) == events
    assert len(server.workers() & before) == 1
    (shown,) = (line for line in server.log() if line["event"] in ("loop.hung", "worker.hung"))
    assert f" in {hang}\n" in shown["stack"]
    assert shown["seconds"] >= _LIMIT
    (died,) = (line for line in server.log() if line["event"] == "worker.died")
    assert (died["pid"], died["status"]) == (victim, status)
    assert ("stacks" in died) == (hang == "grip")
    await stopped(server)
    assert not crowd.refused
    site.settle_accounts()


@pytest.mark.parametrize("hang", ["wait"])
async def test_who_stood_still_is_no_worker_that_hangs(site: Site, server: Server) -> None:
    before = server.workers()
    one = min(before)
    parent = server.process.pid or 0
    async with site.crowd.calling(server.url) as crowd:
        await crowd.until_answered(20)
        for pids in ([one], [parent, *before], [*before, parent], [parent]):
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for pid in pids:
                    os.kill(pid, number)
                await asyncio.sleep(2 * _LIMIT)
        await crowd.until_answered(40)
    assert server.workers() == before
    assert _told(server) == ["worker.silent"]
    await stopped(server)
    assert not crowd.refused
    site.settle_accounts()
