"""Sums equal the ledger, however calls come in, whoever folds them, and whenever they are made anew."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import make_url

from databases import PostgresTemplate, sqlite_database
from faults.link import Link
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import Unavailable
from sluicegate.storage.connections import AsyncEngine
from sluicegate.storage.engine import database_url as async_url
from sluicegate.storage.engine import make_engine
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.tables.rollups import PENDING
from sluicegate.storage.unit_of_work import alone
from sluicegate.storage.usage_writer import make_usage_writer
from storage.databases import sync_engine
from storage.records import NOW, call, milliseconds

BERLIN = ZoneInfo("Europe/Berlin")
TABLES = ("usage_cube", "usage_people", "usage_slices", "usage_sessions")
PEOPLE_GRAINS = ("5min", "hour", "day", "8days", "month", "quarter")
Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(async_url(database_url))
    yield engine
    await engine.dispose()


def write(url: str, *batches: Sequence[CallRecord], zone: ZoneInfo = BERLIN) -> None:
    writer = make_usage_writer(make_url(url), zone)
    for batch in batches:
        writer.write(batch)
    writer.close()


def dump(url: str) -> Dump:
    with sync_engine(url) as engine, engine.connect() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}")))
            for name in (*TABLES, "usage_labels", "usage_pending")
        }


def total(url: str, table: str, column: str, where: str = "1 = 1") -> int:
    with sync_engine(url) as engine, engine.connect() as connection:
        found = connection.execute(text(f"SELECT coalesce(sum({column}), 0) FROM {table} WHERE {where}")).scalar_one()
        return int(found)


CALLS = st.lists(
    st.fixed_dictionaries(
        {
            # Over the end of summer time and the ends of a month and of a quarter.
            "at": st.tuples(st.sampled_from([(9, 24), (10, 22)]), st.integers(0, 12 * 86_400)).map(
                lambda at: datetime(2026, *at[0], tzinfo=UTC) + timedelta(seconds=at[1])
            ),
            "user_id": st.sampled_from(["u1", "u2"]),
            "key_id": st.sampled_from(["k1", "k2"]),
            "group_ids": st.sampled_from([(), ("a",), ("a", "b"), ("b", "a")]),
            "model_slug": st.sampled_from(["m1", "m2"]),
            "client_app": st.sampled_from([None, "aider"]),
            "project": st.sampled_from([None, "", "web"]),
            "session_id": st.sampled_from([None, "s1"]),
            "outcome": st.sampled_from(["ok", "unreachable"]),
            "cost_nanos": st.integers(0, 10**12),
        }
    ),
    max_size=30,
)


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(CALLS, st.randoms(use_true_random=False))
def test_sums_kept_all_along_equal_those_made_anew(calls: Sequence[dict[str, Any]], chance: random.Random) -> None:
    """Late calls, repeated batches and folds in between change nothing."""
    records = [call(**values) for values in calls]
    chance.shuffle(records)

    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            url = sqlite_database(Path(folder) / "test.db")
            engine = make_engine(async_url(url))
            try:
                rollups = SqlRollups(engine, BERLIN)
                rest = list(records)
                while rest:
                    size = chance.randint(1, 12)
                    batch, rest = rest[:size], rest[size:]
                    write(url, batch, *([batch] if chance.random() < 0.3 else []))
                    if chance.random() < 0.6:
                        await rollups.fold({})
                await rollups.fold({})
                kept = dump(url)
                assert await rollups.rebuild({}) == len(records)
                assert dump(url) == kept
            finally:
                # Also where Hypothesis breaks an example off because it has drawn too much.
                await engine.dispose()

    asyncio.run(compare())


async def test_every_table_and_grain_adds_up_to_the_ledger(engine: AsyncEngine, database_url: str) -> None:
    records = [
        call(NOW + timedelta(hours=n), user_id=f"u{n % 5}", group_ids=("a", "b")[: n % 3], cost_nanos=n)
        for n in range(300)
    ]
    write(database_url, records[:150], records[150:])
    await SqlRollups(engine, BERLIN).fold({})
    whole = sum(record.cost_nanos for record in records)
    for grain in ("day", "month"):
        assert total(database_url, "usage_cube", "cost_nanos", f"grain = '{grain}'") == whole
        for dimension in ("provider_id", "model_slug", "client_app", "project"):
            where = f"grain = '{grain}' AND scope = '*' AND dimension = '{dimension}'"
            assert total(database_url, "usage_slices", "cost_nanos", where) == whole
    for grain in PEOPLE_GRAINS:
        assert total(database_url, "usage_people", "cost_nanos", f"grain = '{grain}'") == whole
    for group_id in ("a", "b", ""):
        mine = sum(r.cost_nanos for r in records if group_id in (r.group_ids or ("",)))
        where = f"grain = 'day' AND scope = '{group_id}' AND dimension = 'model_slug'"
        assert total(database_url, "usage_slices", "cost_nanos", where) == mine
    assert total(database_url, "usage_pending", "requests") == 0


async def test_several_that_fold_while_others_write_count_everything_once(
    engine: AsyncEngine, database_url: str
) -> None:
    batches = [[call(user_id=f"u{n % 7}", cost_nanos=10) for n in range(20)] for _ in range(24)]
    writing = [asyncio.create_task(asyncio.to_thread(write, database_url, *batches[n::3])) for n in range(3)]

    async def folding() -> None:
        other = make_engine(async_url(database_url))
        rollups = SqlRollups(other, BERLIN)
        while not all(task.done() for task in writing):
            await rollups.fold({})
            await asyncio.sleep(0.02)
        await other.dispose()

    await asyncio.gather(folding(), folding(), *writing)
    await SqlRollups(engine, BERLIN).fold({})
    for grain in PEOPLE_GRAINS:
        assert total(database_url, "usage_people", "requests", f"grain = '{grain}'") == 480
        assert total(database_url, "usage_people", "cost_nanos", f"grain = '{grain}'") == 4_800


async def test_a_rebuild_beside_writers_loses_and_repeats_nothing(engine: AsyncEngine, database_url: str) -> None:
    rollups = SqlRollups(engine, BERLIN)
    batches = [[call() for _ in range(20)] for _ in range(30)]
    writing = asyncio.create_task(asyncio.to_thread(write, database_url, *batches))
    while not writing.done():
        await rollups.rebuild({})
        await rollups.fold({})
        # SQLite's lock is not fair: whoever takes it again at once keeps all others out.
        await asyncio.sleep(0.05)
    await writing
    await rollups.fold({})
    assert total(database_url, "usage_cube", "requests", "grain = 'day'") == 600
    kept = dump(database_url)
    await rollups.rebuild({})
    assert dump(database_url) == kept


async def test_a_fold_that_is_cut_off_changes_nothing(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database_url, [call(), call()])
    before = dump(database_url)

    def fail() -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patched:
        patched.setattr("sluicegate.storage.rollups._labels", fail)
        with pytest.raises(RuntimeError, match="cut off"):
            await SqlRollups(engine, BERLIN).fold({})
    assert dump(database_url) == before
    assert await SqlRollups(engine, BERLIN).fold({}) == 1
    assert total(database_url, "usage_cube", "requests", "grain = 'month'") == 2


async def test_another_time_zone_is_told_and_mended_by_a_rebuild(engine: AsyncEngine, database_url: str) -> None:
    berlin, tokyo = SqlRollups(engine, BERLIN), SqlRollups(engine, ZoneInfo("Asia/Tokyo"))
    assert not await berlin.current()
    await berlin.rebuild({})
    assert await berlin.current()
    write(database_url, [call()])
    await berlin.fold({})
    assert not await tokyo.current()
    await tokyo.rebuild({})
    assert await tokyo.current()
    midnight = milliseconds(datetime(2026, 11, 23, 15, tzinfo=UTC))
    assert total(database_url, "usage_people", "start_ms", "grain = 'day'") == midnight


async def test_what_is_old_is_forgotten_and_a_rebuild_brings_none_of_it_back(
    engine: AsyncEngine, database_url: str
) -> None:
    rollups = SqlRollups(engine, BERLIN)
    months = [datetime(2026, month, 15, 12, tzinfo=BERLIN) for month in (8, 9, 10, 11)]
    write(database_url, [call(at, session_id="s", cost_nanos=n + 1) for n, at in enumerate(months)])
    await rollups.fold({})
    october = milliseconds(datetime(2026, 10, 1, tzinfo=BERLIN))
    november = milliseconds(datetime(2026, 11, 1, tzinfo=BERLIN))
    assert await rollups.forget("hour", november) == 9
    assert await rollups.forget("5min", november) == 15
    assert await rollups.forget_sessions(november) == 3
    assert await rollups.forget_calls(october) == 2
    assert total(database_url, "usage_ledger", "cost_nanos") == 3 + 4
    assert total(database_url, "usage_people", "requests", "grain = 'hour'") == 1
    kept = dump(database_url)

    assert await rollups.rebuild({"hour": november, "5min": november, "session": november}) == 2
    assert dump(database_url) == kept
    assert total(database_url, "usage_people", "cost_nanos", "grain = 'month'") == 10


async def test_a_quarter_of_which_the_ledger_has_only_the_end_stays_whole(
    engine: AsyncEngine, database_url: str
) -> None:
    rollups = SqlRollups(engine, BERLIN)
    write(
        database_url,
        [call(datetime(2026, month, 15, 12, tzinfo=BERLIN), cost_nanos=10**month) for month in (9, 10, 11)],
    )
    await rollups.fold({})
    november = milliseconds(datetime(2026, 11, 1, tzinfo=BERLIN))
    assert await rollups.forget_calls(november) == 2
    kept = dump(database_url)
    assert await rollups.rebuild({}) == 1
    assert dump(database_url) == kept
    assert total(database_url, "usage_people", "cost_nanos", "grain = 'quarter'") == 10**9 + 10**10 + 10**11


async def test_days_that_are_forgotten_are_so_by_eights_too(engine: AsyncEngine, database_url: str) -> None:
    rollups = SqlRollups(engine, BERLIN)
    write(database_url, [call(datetime(2026, month, 15, 12, tzinfo=BERLIN)) for month in (9, 10, 11)])
    await rollups.fold({})
    november = milliseconds(datetime(2026, 11, 1, tzinfo=BERLIN))
    await rollups.forget("day", november)
    for grain, left in (("day", 1), ("8days", 1), ("month", 3), ("quarter", 3)):
        assert total(database_url, "usage_people", "requests", f"grain = '{grain}'") == left
    # A call that comes late counts where its day is kept no more.
    write(database_url, [call(datetime(2026, 10, 16, 12, tzinfo=BERLIN))])
    await rollups.fold({"day": november})
    for grain, left in (("day", 1), ("8days", 1), ("month", 4), ("quarter", 4)):
        assert total(database_url, "usage_people", "requests", f"grain = '{grain}'") == left


async def test_a_database_of_an_older_release_gets_the_sums_it_lacks(engine: AsyncEngine, database_url: str) -> None:
    rollups = SqlRollups(engine, BERLIN)
    records = [call(NOW - timedelta(days=3 * n), user_id=f"u{n % 3}", cost_nanos=n) for n in range(60)]
    write(database_url, records[:40])
    await rollups.fold({})
    with sync_engine(database_url) as sync, sync.begin() as connection:
        connection.execute(text("DELETE FROM usage_people WHERE grain IN ('8days', 'quarter')"))
    write(database_url, records[40:])
    await asyncio.gather(*(rollups.complete() for _ in range(3)))
    await rollups.fold({})
    completed = dump(database_url)
    for grain in PEOPLE_GRAINS:
        assert total(database_url, "usage_people", "cost_nanos", f"grain = '{grain}'") == sum(range(60))
    await rollups.complete()
    assert dump(database_url) == completed
    await rollups.rebuild({})
    assert dump(database_url) == completed


async def test_a_late_call_from_before_what_is_kept_counts_where_it_still_can(
    engine: AsyncEngine, database_url: str
) -> None:
    rollups = SqlRollups(engine, BERLIN)
    write(database_url, [call(NOW - timedelta(days=100)), call()])
    await rollups.fold({"hour": milliseconds(NOW - timedelta(days=93))})
    assert total(database_url, "usage_people", "requests", "grain = 'hour'") == 1
    assert total(database_url, "usage_people", "requests", "grain = 'day'") == 2


async def test_names_are_the_latest_whatever_comes_first(engine: AsyncEngine, database_url: str) -> None:
    rollups = SqlRollups(engine, BERLIN)
    for at, label in ((NOW, "new"), (NOW - timedelta(days=1), "old")):
        write(database_url, [call(at, user_label=label)])
        await rollups.fold({})
    with sync_engine(database_url) as sync, sync.connect() as connection:
        found = connection.execute(text("SELECT label FROM usage_labels WHERE kind = 'user'")).scalar_one()
    assert found == "new"


async def test_a_database_that_goes_away_while_sums_are_made_is_unavailable(postgres_schema: PostgresTemplate) -> None:
    async with await Link.to_database(url := postgres_schema.restored()) as link:
        engine = make_engine(async_url(link.url(url)))

        async def fold() -> None:
            async with alone(engine, "SHARE UPDATE EXCLUSIVE", PENDING) as connection:
                link.close()
                await connection.execute(text("SELECT 1"))

        with pytest.raises(Unavailable):
            await fold()
        with pytest.raises(Unavailable):
            await SqlRollups(engine, BERLIN).fold({})
        await engine.dispose()
