"""News between processes: nobody who is heard of by others decides by an older policy than was answered."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy.engine import make_url

from adapters.feeds import Process, serve
from databases import PostgresTemplate
from faults.link import Link
from sluicegate.adapters.postgres import feed as feeds
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.ports.policy import CountedApart


@pytest.fixture
def url(postgres_schema: PostgresTemplate) -> str:
    return postgres_schema.restored()


@pytest.fixture
async def two(url: str) -> AsyncIterator[tuple[Process, Process]]:
    async with Process(url).running() as one, Process(url).running() as other:
        yield one, other


async def test_a_change_is_in_force_everywhere_when_it_is_answered(two: tuple[Process, Process]) -> None:
    one, other = two
    for n in range(10):
        await one.change(f"a{n}")
        assert (one.heard[-1], other.heard[-1]) == (f"a{n}", f"a{n}")
        await other.change(f"b{n}")
        assert (one.heard[-1], other.heard[-1]) == (f"b{n}", f"b{n}")
    assert one.heard == other.heard
    assert len(one.heard) == 20


async def test_many_changes_at_once_reach_everybody_in_one_order(two: tuple[Process, Process]) -> None:
    names = [f"n{n}" for n in range(60)]

    async def change(process: Process, name: str) -> None:
        await process.change(name)
        assert all(name in each.heard for each in two)

    await asyncio.gather(*(change(two[n % 2], name) for n, name in enumerate(names)))
    assert two[0].heard == two[1].heard
    assert sorted(two[0].heard) == sorted(names)


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever had to be waited for would be told from a machine that is slow."""
    monkeypatch.setattr(feeds, "LEASE_SECONDS", 30.0)


@pytest.mark.usefixtures("long")
async def test_who_starts_hears_of_what_comes_after(url: str) -> None:
    async with Process(url).running() as one:
        await one.change("before")
        async with Process(url).running() as other:
            assert other.feed.current()
            await one.change("after")
            assert other.heard == ["after"]
        # Nobody waits for whoever took leave.
        async with asyncio.timeout(15):
            await one.change("alone")


async def test_without_a_notification_the_next_renewal_tells(url: str, two: tuple[Process, Process]) -> None:
    """As behind a pooler, or after the listening connection broke."""
    listening = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
    with psycopg.connect(url, autocommit=True) as admin:
        await until(lambda: admin.execute(f"SELECT count(*) {listening}").fetchone() == (2,))
        admin.execute(f"SELECT pg_terminate_backend(pid) {listening}")
    await two[0].change("quietly")
    assert two[1].heard == ["quietly"]


async def test_too_many_to_look_at_are_taken_as_everything(url: str, two: tuple[Process, Process]) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "INSERT INTO policy_changes (at, kind, subject_id) SELECT now(), 'user', n FROM generate_series(1, 2500) n"
        )
    await two[0].change("last")
    for process in two:
        assert ChangeKind.EVERYTHING in process.kinds
        assert len(process.heard) < 10
        assert process.feed.current()


async def test_who_fell_behind_what_is_kept_takes_it_as_everything(url: str) -> None:
    """As a process that stood still for days, while others forgot what it has not heard of."""
    target = make_url(url)
    link = await Link.to(target.host or "", target.port or 5432)
    async with Process(url).running() as one, Process(url, link.url(url)).running() as other:
        await one.change("heard")
        async with link.cut():
            for name in ("missed", "kept"):
                await one.change(name)
            async with one.store.write() as tx:
                # As if all of it were old, and the other's lease, too.
                assert await tx.policy.remove_changes(datetime.now(UTC) + timedelta(days=1), 500) > 0
        await until(lambda: ChangeKind.EVERYTHING in other.kinds)
        await one.change("after")
        assert other.heard[-1] == "after"
        assert "missed" not in other.heard
        assert ChangeKind.EVERYTHING not in one.kinds
    link.close()


async def test_what_cannot_be_put_into_force_costs_the_lease(two: tuple[Process, Process]) -> None:
    one, other = two

    async def refuse(_changes: Sequence[PolicyChange]) -> None:
        raise RuntimeError

    other.feed.subscribe(refuse)
    await one.change("too much for it")
    assert not other.feed.current()


async def test_without_the_database_all_goes_on_and_is_caught_up_with(url: str) -> None:
    target = make_url(url)
    link = await Link.to(target.host or "", target.port or 5432)
    async with Process(url).running() as one, Process(url, link.url(url)).running() as other:
        async with link.cut():
            await one.change("unheard")
            # That took until the lease had run out; whoever is cut off tries, and goes on by what it knows.
            assert other.heard == []
            await other.feed.refresh()
            assert other.feed.current()
        await until(lambda: other.heard == ["unheard"])
        await one.change("heard")
        assert other.heard == ["unheard", "heard"]
    link.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nobody signals it
            await asyncio.sleep(0.02)


async def test_a_process_that_stood_still_catches_up_before_it_decides(url: str) -> None:
    here, there = multiprocessing.Pipe()
    frozen = multiprocessing.get_context("spawn").Process(target=serve, args=(url, there))
    frozen.start()
    # So that its end is heard of.
    there.close()
    try:
        assert await asyncio.to_thread(here.recv) == "ready"
        async with Process(url).running() as one:
            assert frozen.pid is not None
            os.kill(frozen.pid, signal.SIGSTOP)
            async with asyncio.timeout(5):
                await one.change("meanwhile")
            here.send("tell")
            os.kill(frozen.pid, signal.SIGCONT)
            before, after = await asyncio.to_thread(here.recv)
            assert before == (False, []) or before == (True, ["meanwhile"])
            assert after == (True, ["meanwhile"])
            here.send("end")
    finally:
        await asyncio.to_thread(frozen.join, 20)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for who will not agree."""
    monkeypatch.setattr(feeds, "_AGREE_SECONDS", 1.0)


@pytest.mark.usefixtures("soon", "long")
async def test_who_would_count_elsewhere_does_not_join(url: str) -> None:
    async with Process(url, counts_in="one").running() as first, Process(url, counts_in="one").running():
        stranger = Process(url, counts_in="another")
        with pytest.raises(CountedApart, match="SLUICEGATE_REDIS_PREFIX"):
            await stranger.feed.start()
        await stranger.feed.stop()
        await stranger.store.aclose()
        # It never held a lease, so nobody has to wait for it, nor for one whose release does not tell.
        async with asyncio.timeout(15):
            await first.change("unheard")
        async with Process(url).running() as silent:
            await first.change("heard")
            assert silent.heard == ["heard"]


async def test_who_finds_where_all_count_now_is_waited_for(url: str) -> None:
    """As when Redis was emptied: the one that starts is the first to know."""
    async with Process(url, counts_in="before").running() as first:
        second = Process(url, counts_in="after")
        starting = asyncio.create_task(second.feed.start())
        done, _ = await asyncio.wait([starting], timeout=0.6)
        assert not done
        first.counts_in = "after"
        await starting
        await first.change("together")
        assert second.heard == ["together"]
        await second.feed.stop()
        await second.store.aclose()


async def test_nobody_is_kept_out_by_those_who_are_dead(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("INSERT INTO processes VALUES ('killed', 0, clock_timestamp() + interval '1 second', 'lost')")
    async with Process(url, counts_in="new").running() as process:
        assert process.feed.current()


@pytest.mark.usefixtures("soon")
async def test_of_many_that_start_at_once_all_that_join_count_together(url: str) -> None:
    processes = [Process(url, counts_in=f"redis-{n % 2}") for n in range(8)]
    outcomes = await asyncio.gather(*(process.feed.start() for process in processes), return_exceptions=True)
    joined = {process.counts_in for process, outcome in zip(processes, outcomes, strict=True) if outcome is None}
    assert len(joined) == 1
    assert [isinstance(outcome, CountedApart) for outcome in outcomes].count(True) == 4
    for process in processes:
        await process.feed.stop()
        await process.store.aclose()
