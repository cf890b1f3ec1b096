"""What is older than the settings want is forgotten: that and nothing else, a little at a time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from fakes.identity import Site
from sluicegate.services.rollups import Retention, RollupService
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import call

BERLIN = ZoneInfo("Europe/Berlin")
FOR_EVER = Retention(calls=None, five_minutes=7, hours=93, days=None, sessions=93)


def service(site: Site, retention: Retention) -> RollupService:
    return RollupService(SqlRollups(site.store.engine, BERLIN), site.clock, BERLIN, retention)


async def used(site: Site, *days_ago: int) -> None:
    """One call at noon of each of these days."""
    noon = site.clock.now().astimezone(BERLIN).replace(hour=12, minute=0)
    writer = make_usage_writer(site.store.engine.url, BERLIN)
    records = [call(noon - timedelta(days=days), session_id=f"s{days}", cost_nanos=1) for days in days_ago]
    await asyncio.to_thread(writer.write, records)
    writer.close()
    await SqlRollups(site.store.engine, BERLIN).fold({})


async def days_of(site: Site, table: str, start: str, where: str = "1 = 1") -> list[int]:
    """How many days ago what is there began."""
    today = site.clock.now().astimezone(BERLIN).date()
    async with site.store.engine.connect() as connection:
        rows = await connection.execute(text(f"SELECT DISTINCT {start} FROM {table} WHERE {where} ORDER BY 1 DESC"))
        starts = [datetime.fromtimestamp(row[0] / 1000, UTC).astimezone(BERLIN).date() for row in rows]
    return [(today - start).days for start in starts]


async def periods_of(site: Site) -> list[str]:
    async with site.store.engine.connect() as connection:
        statement = "SELECT DISTINCT period FROM budget_spend WHERE subject_kind = 'user' ORDER BY period"
        return [row.period for row in await connection.execute(text(statement))]


async def test_each_setting_decides_for_its_own(site: Site) -> None:
    # Today is the 24th of November; the 1st was 23 days ago, the 1st of October 54.
    await used(site, 0, 6, 7, 9, 10, 23, 24, 54, 55)
    await service(site, Retention(calls=20, five_minutes=7, hours=10, days=25, sessions=24)).forget_old()
    assert await days_of(site, "usage_ledger", "started_ms") == [0, 6, 7, 9, 10, 23]
    assert await days_of(site, "usage_people", "start_ms", "grain = '5min'") == [0, 6]
    assert await days_of(site, "usage_people", "start_ms", "grain = 'hour'") == [0, 6, 7, 9]
    assert await days_of(site, "usage_people", "start_ms", "grain = 'day'") == [0, 6, 7, 9, 10, 23, 24, 54]
    assert await days_of(site, "usage_sessions", "start_ms") == [0, 6, 7, 9, 10, 23]
    assert await days_of(site, "usage_people", "start_ms", "grain = 'month'") == [23, 54, 84]


async def test_by_default_calls_and_days_stay_for_ever(site: Site) -> None:
    await used(site, 0, 400, 4_000)
    await service(site, FOR_EVER).forget_old()
    assert await days_of(site, "usage_ledger", "started_ms") == [0, 400, 4_000]
    assert await days_of(site, "usage_people", "start_ms", "grain = 'day'") == [0, 400, 4_000]
    assert await days_of(site, "usage_people", "start_ms", "grain = 'hour'") == [0]


async def test_what_was_spent_is_forgotten_when_no_cap_can_look_at_it_any_more(site: Site) -> None:
    await used(site, 0, 62, 63, 70, 400)
    await service(site, FOR_EVER).forget_old()
    assert await periods_of(site) == ["2026-09", "2026-09-23", "2026-11", "2026-11-24", "2026-W39", "2026-W48"]


@pytest.mark.parametrize("days", [3, 12])
async def test_no_deletion_takes_more_than_a_day(site: Site, days: int) -> None:
    await used(site, *range(40, 40 + days), *range(40, 40 + days))
    taken: list[int] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM usage_ledger"):
            taken.append(cursor.rowcount)

    event.listen(site.store.engine.sync_engine, "after_cursor_execute", note)
    await service(site, Retention(calls=20, five_minutes=7, hours=93, days=None, sessions=93)).forget_old()
    assert taken == [2] * days
