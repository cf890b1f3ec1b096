"""Jobs in the middle of which a server stops, or its database goes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from databases import PostgresTemplate
from fakes.identity import RecordingFeed, Site
from fakes.mail_server import mail_server
from faults.link import Link
from sluicegate.domain.user import Role
from sluicegate.jobs import scheduler as module
from sluicegate.jobs.scheduler import Job, Scheduler
from sluicegate.jobs.tasks import mail_jobs
from sluicegate.kit.clock import SystemClock
from sluicegate.storage.engine import SqlStore, database_url, make_engine

HOUR = timedelta(hours=1)


async def test_a_mail_server_that_hangs_holds_no_stop_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.05)
    ada = await site.person("ada@example.com", Role.ADMIN)
    asked, answers = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        asked.set()
        await answers.wait()

    async with mail_server() as server:
        server.before_answer = hang
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, ["grace@example.com"])
        scheduler = Scheduler(site.store, site.clock, mail_jobs(site.mail(mailer)))
        await scheduler.start()
        async with asyncio.timeout(30):
            await asked.wait()
        # Who says goodbye to it waits for an answer for twenty seconds.
        async with asyncio.timeout(12):
            await scheduler.stop()
        answers.set()
    async with site.store.read() as tx:
        assert {state.owner for state in await tx.jobs.all()} == {None}


async def test_a_job_that_misses_that_it_is_cut_off_is_told_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.05)
    monkeypatch.setattr(module, "_CUT_SECONDS", 0.01)
    running, missed = asyncio.Event(), list[None]()

    async def hang() -> None:
        running.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                missed.append(None)
                if len(missed) == 3:
                    raise

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, hang)])
    await scheduler.start()
    async with asyncio.timeout(30):
        await running.wait()
        await scheduler.stop()
    assert len(missed) == 3


async def test_a_database_that_goes_away_in_the_middle_of_a_job_is_no_fault_of_it(
    postgres_schema: PostgresTemplate,
) -> None:
    clock = SystemClock()
    async with await Link.to_database(url := postgres_schema.restored()) as link:
        store = SqlStore(make_engine(database_url(link.url(url))), RecordingFeed(), clock)

        async def run() -> None:
            async with store.write() as tx:
                await tx.jobs.all()
                link.close()
                await tx.jobs.wake("tidy", clock.now())

        with capture_logs() as lines:
            await Scheduler(store, clock, [Job("tidy", HOUR, run)]).run_due()
        await store.aclose()
    (failed,) = [line for line in lines if line["event"] == "jobs.failed"]
    assert "exc_info" not in failed
    assert failed["log_level"] == "warning"
    assert failed["error"].startswith("The database does not answer")
