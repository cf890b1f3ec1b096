"""A site with an administrator and a member, calls on record, and what is asked of them."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from fakes.identity import Site
from sluicegate.domain.usage import CallRecord
from sluicegate.services.caller import Caller
from sluicegate.services.usage import Interval, UsageQuery, UsageService
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.storage.usage_writer import make_usage_writer

BERLIN = ZoneInfo("Europe/Berlin")


DAY = date(2026, 11, 24)


class Stage:
    def __init__(self, site: Site, admin: Caller, member: Caller, zone: ZoneInfo = BERLIN) -> None:
        self.site, self.admin, self.member, self.zone = site, admin, member, zone
        self.usage = UsageService(SqlUsageReader(site.store.engine, zone), zone, site.clock)

    async def write(self, *records: CallRecord) -> None:
        url: URL = self.site.store.engine.url
        writer = make_usage_writer(url, self.zone)
        await asyncio.to_thread(writer.write, records)
        writer.close()

    async def fold(self) -> None:
        await SqlRollups(self.site.store.engine, self.zone).fold({})

    async def series(self, query: UsageQuery) -> list[tuple[datetime, int]]:
        report = await self.usage.report(self.admin, query)
        return [(start.astimezone(self.zone), totals.requests) for start, totals in report.series]


def everyone(first: date = DAY, last: date = DAY, interval: Interval = Interval.DAY) -> UsageQuery:
    return UsageQuery(first, last, interval, everyone=True)
