"""Every refused call is counted once, whatever happens to the database meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fakes.identity import Site
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden
from sluicegate.policy.windows import PeriodClock
from sluicegate.services import refusal_tally
from sluicegate.services.refusal_tally import RefusalTally
from sluicegate.services.usage import RefusalCount, UsageQuery, UsageService
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_reader import SqlUsageReader

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 24)


def usage_of(site: Site) -> UsageService:
    return UsageService(SqlUsageReader(site.store.engine, ZONE), ZONE, site.clock)


class Away:
    """A store whose database is away at first."""

    def __init__(self, site: Site) -> None:
        self.site, self.tries, self.away = site, 0, True
        self.tried_often = asyncio.Event()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        self.tries += 1
        if self.tries == 5:
            self.tried_often.set()
        if self.away:
            raise OSError("nobody answers")
        async with self.site.store.write() as tx:
            yield tx


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_tally, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(refusal_tally, "_RETRY_SECONDS", 0.0)


async def test_refusals_are_counted_by_reason_for_everybody_users_and_groups(site: Site) -> None:
    mia, ada = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    tallies, usage = [RefusalTally(site.store, site.clock, PeriodClock(ZONE)) for _ in "12"], usage_of(site)
    for tally in tallies:
        for _ in range(3):
            tally.note("budget_exceeded", mia.user.id, ("team", "other"))
            # As calls come in between, and so that some are written before the rest.
            await asyncio.sleep(0.01)
        tally.note("invalid_api_key", None, ())
        tally.note("rate_limit_exceeded", ada.user.id, ("team",))
        tally.note("route_not_found", mia.user.id, ("team",))
    await asyncio.gather(*(tally.settle() for tally in tallies))
    over, unknown = RefusalCount("budget_exceeded", 6), RefusalCount("invalid_api_key", 2)
    fast = RefusalCount("rate_limit_exceeded", 2)
    assert await usage.refusals(ada, UsageQuery(TODAY, TODAY, everyone=True)) == [over, unknown, fast]
    assert await usage.refusals(ada, UsageQuery(TODAY, TODAY, group_id="team")) == [over, fast]
    assert await usage.refusals(ada, UsageQuery(TODAY, TODAY, group_id="other")) == [over]
    assert await usage.refusals(mia, UsageQuery(TODAY, TODAY)) == [over]
    with pytest.raises(Forbidden):
        await usage.refusals(mia, UsageQuery(TODAY, TODAY, everyone=True))


async def test_days_are_those_of_the_deployments_zone_and_old_ones_are_forgotten_with_the_sums_of_days(
    site: Site,
) -> None:
    ada, usage = await site.person("ada@example.com", Role.ADMIN), usage_of(site)
    tally = RefusalTally(site.store, site.clock, PeriodClock(ZONE))
    # Half an hour after midnight in Berlin, and before it in Greenwich.
    site.clock.advance((datetime(2026, 11, 24, 23, 30, tzinfo=UTC) - site.clock.now()).total_seconds())
    for _ in range(3):
        tally.note("budget_exceeded", None, ())
        site.clock.advance(timedelta(days=1).total_seconds())
    await tally.settle()
    found = [
        await usage.refusals(ada, UsageQuery(day := TODAY + timedelta(days=n), day, everyone=True)) for n in range(5)
    ]
    assert [sum(count.calls for count in of_day) for of_day in found] == [0, 1, 1, 1, 0]
    before = datetime(2026, 11, 26, tzinfo=ZONE)
    await SqlRollups(site.store.engine, ZONE).forget("day", round(before.timestamp() * 1000))
    (left,) = await usage.refusals(ada, UsageQuery(TODAY, TODAY + timedelta(days=9), everyone=True))
    assert left.calls == 2


async def test_while_the_database_is_away_counts_wait_and_none_is_lost_or_doubled(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    store = Away(site)
    tally = RefusalTally(store, site.clock, PeriodClock(ZONE))  # pyright: ignore[reportArgumentType]
    for number in range(200):
        tally.note("budget_exceeded" if number % 2 else "rate_limit_exceeded", f"user-{number % 7}", ())
        await asyncio.sleep(0)
    await store.tried_often.wait()
    store.away = False
    tally.note("budget_exceeded", None, ())
    await tally.settle()
    await tally.settle()
    found = await usage_of(site).refusals(ada, UsageQuery(TODAY, TODAY, everyone=True))
    assert found == [RefusalCount("budget_exceeded", 101), RefusalCount("rate_limit_exceeded", 100)]


async def test_more_callers_than_fit_still_count_for_everybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_tally, "MAX_SPOTS", 10)
    ada = await site.person("ada@example.com", Role.ADMIN)
    tally = RefusalTally(site.store, site.clock, PeriodClock(ZONE))
    for number in range(100):
        tally.note("model_not_granted", f"user-{number}", ("team",))
    await tally.settle()
    usage = usage_of(site)
    (everyone,) = await usage.refusals(ada, UsageQuery(TODAY, TODAY, everyone=True))
    (group,) = await usage.refusals(ada, UsageQuery(TODAY, TODAY, group_id="team"))
    last = await usage.refusals(ada, UsageQuery(TODAY, TODAY, user_id="user-99"))
    assert (everyone.calls, group.calls, last) == (100, 100, [])
