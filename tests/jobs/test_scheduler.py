"""Jobs run when they are due, in one process at a time, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from fakes.identity import Site
from sluicegate.domain.job import JobState
from sluicegate.jobs import scheduler as module
from sluicegate.jobs.scheduler import Job, Scheduler
from sluicegate.kit.errors import Conflict
from sluicegate.storage.engine import SqlStore

HOUR = timedelta(hours=1)
AnotherStore = Callable[[], SqlStore]


async def state_of(site: Site, name: str = "tidy") -> JobState:
    async with site.store.read() as tx:
        (state,) = [state for state in await tx.jobs.all() if state.name == name]
    return state


async def nothing() -> None:
    return


async def test_of_many_processes_one_runs_a_job(site: Site, another_store: AnotherStore) -> None:
    runs: list[int] = []

    async def run() -> None:
        runs.append(len(runs))
        await asyncio.sleep(0.01)

    schedulers = [Scheduler(another_store(), site.clock, [Job("tidy", HOUR, run)]) for _ in range(4)]
    for round_ in range(1, 6):
        await asyncio.gather(*(scheduler.run_due() for scheduler in schedulers))
        assert len(runs) == round_
        site.clock.advance(1.2 * 3600)


async def test_a_job_waits_for_its_time(site: Site) -> None:
    runs: list[None] = []

    async def run() -> None:
        runs.append(None)

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run)])
    await scheduler.run_due()
    site.clock.advance(3599)
    await scheduler.run_due()
    assert len(runs) == 1
    site.clock.advance(0.1 * 3600 + 1)
    await scheduler.run_due()
    assert len(runs) == 2


async def test_a_failure_is_seen_and_tried_again_sooner(site: Site) -> None:
    outcomes: list[Exception | None] = [ValueError("password hunter2"), Conflict("The mail server is away."), None]

    async def run() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run)])
    await scheduler.run_due()
    state = await state_of(site)
    assert (state.failures, state.error, state.owner) == (1, "ValueError", None)
    site.clock.advance(9)
    await scheduler.run_due()
    assert len(outcomes) == 2
    site.clock.advance(1)
    await scheduler.run_due()
    state = await state_of(site)
    assert (state.failures, state.error) == (2, "The mail server is away.")
    site.clock.advance(20)
    await scheduler.run_due()
    state = await state_of(site)
    assert (state.failures, state.error, state.finished_at) == (0, "", site.clock.now())
    assert state.due_at >= site.clock.now() + HOUR


async def test_retries_never_come_later_than_the_next_run(site: Site) -> None:
    async def run() -> None:
        raise OSError

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run)])
    for _ in range(30):
        await scheduler.run_due()
        assert (await state_of(site)).due_at <= site.clock.now() + 1.1 * HOUR
        site.clock.advance(2 * 3600)


async def test_a_job_of_a_process_that_died_is_taken_over(site: Site, another_store: AnotherStore) -> None:
    started, runs = asyncio.Event(), list[str]()

    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    async def run() -> None:
        runs.append("taken over")

    dying = Scheduler(another_store(), site.clock, [Job("tidy", HOUR, hang)])
    dead = asyncio.create_task(dying.run_due())
    await started.wait()
    survivor = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run)])
    survivor.wake("tidy")
    await survivor.run_due()
    assert runs == []
    site.clock.advance(61)
    await survivor.run_due()
    assert runs == ["taken over"]
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    await dying.stop()


async def test_a_long_run_keeps_its_lease(
    site: Site, another_store: AnotherStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEASE", timedelta(seconds=0.5))
    ended, runs = asyncio.Event(), list[str]()

    async def long() -> None:
        runs.append("long")
        await ended.wait()

    async def other() -> None:
        runs.append("other")

    holder = Scheduler(site.store, site.clock, [Job("tidy", HOUR, long)])
    held = asyncio.create_task(holder.run_due())
    rival = Scheduler(another_store(), site.clock, [Job("tidy", HOUR, other)])
    for _ in range(10):
        await asyncio.sleep(0.1)
        site.clock.advance(0.1)
        rival.wake("tidy")
        await rival.run_due()
    ended.set()
    await held
    assert runs == ["long"]
    await rival.run_due()
    assert runs == ["long", "other"]


async def test_whoever_lost_a_lease_stops(
    site: Site, another_store: AnotherStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEASE", timedelta(seconds=0.3))
    running, cut_off = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off.set()
            raise

    paused = Scheduler(site.store, site.clock, [Job("tidy", HOUR, long)])
    held = asyncio.create_task(paused.run_due())
    await running.wait()
    rival = Scheduler(another_store(), site.clock, [Job("tidy", HOUR, nothing)])
    async with asyncio.timeout(30):
        while not cut_off.is_set():
            # As if the whole process had been stopped for an hour: its lease ran out before it could renew it.
            site.clock.advance(2 * 3600)
            await rival.run_due()
            await asyncio.sleep(0.05)
    await asyncio.gather(held, return_exceptions=True)
    assert (await state_of(site)).failures == 0


async def test_what_is_woken_while_it_runs_runs_once_more(site: Site) -> None:
    running, go_on, runs = asyncio.Event(), asyncio.Event(), list[None]()

    async def run() -> None:
        runs.append(None)
        running.set()
        await go_on.wait()

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run)])
    await scheduler.start()
    async with asyncio.timeout(5):
        await running.wait()
        scheduler.wake("tidy")
        await asyncio.sleep(0.05)
        assert len(runs) == 1
        running.clear()
        go_on.set()
        await running.wait()
    await scheduler.stop()
    assert len(runs) == 2


async def test_a_server_that_stops_gives_its_jobs_back(
    site: Site, another_store: AnotherStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.05)
    running = asyncio.Event()

    async def hang() -> None:
        running.set()
        await asyncio.Event().wait()

    scheduler = Scheduler(another_store(), site.clock, [Job("tidy", HOUR, hang)])
    await scheduler.start()
    async with asyncio.timeout(5):
        await running.wait()
        await scheduler.stop()
    state = await state_of(site)
    assert (state.owner, state.failures, state.due_at) == (None, 0, site.clock.now())


async def test_an_unreachable_database_stops_nothing_for_good(
    site: Site, another_store: AnotherStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.05)
    store, ran = another_store(), asyncio.Event()

    async def run() -> None:
        ran.set()

    read = store.read

    def refuse() -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(store, "read", refuse)
    scheduler = Scheduler(store, site.clock, [Job("tidy", HOUR, run)])
    await scheduler.start()
    await asyncio.sleep(0.15)
    assert not ran.is_set()
    monkeypatch.setattr(store, "read", read)
    async with asyncio.timeout(5):
        await ran.wait()
    await scheduler.stop()


async def test_jobs_that_a_database_lets_nobody_take_are_tried_now_and_then(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers, but takes no changes: its disk is full, or it is a copy that only reads."""
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.0)
    runs: list[None] = []

    async def run() -> None:
        runs.append(None)

    scheduler = Scheduler(site.store, site.clock, [Job("tidy", HOUR, run), Job("sweep", HOUR, run)])
    await scheduler.run_due()
    site.clock.advance(1.2 * 3600)
    closed, opened = _CLOSED[site.store.engine.dialect.name]
    await _execute(site, *closed)
    with capture_logs() as lines:
        await scheduler.start()
        await asyncio.sleep(0.5)
        scheduler.wake("tidy")
        await asyncio.sleep(0.5)
        await scheduler.stop()
    said = [line.get("job") for line in lines if line["event"] == "jobs.unreachable"]
    assert said.count("tidy") == said.count("sweep") == 1
    assert len(said) <= 3
    await _execute(site, *opened)
    site.clock.advance(60)
    await scheduler.run_due()
    assert len(runs) == 4


# Of each database: how its jobs are closed to changes of those that are there, and opened again.
_CLOSED = {
    "sqlite": (
        ["CREATE TRIGGER closed BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'no changes'); END"],
        ["DROP TRIGGER closed"],
    ),
    "postgresql": (
        [
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no changes'; END$$",
            "CREATE TRIGGER closed BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION closed()",
        ],
        ["DROP TRIGGER closed ON jobs", "DROP FUNCTION closed"],
    ),
}


async def _execute(site: Site, *statements: str) -> None:
    async with site.store.engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
