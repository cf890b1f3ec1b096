"""What was used, by whom, when and for how much."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import Page, PageRequest
from sluicegate.ports.usage import UsageReader, UsageScope, UsageTotals
from sluicegate.services.caller import Caller

MAX_DAYS = 400
MAX_HOURLY_DAYS = 31
MAX_SLICES = 100
_HOUR = timedelta(hours=1)
_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = date(9000, 1, 1)


class Interval(StrEnum):
    HOUR = "hour"
    DAY = "day"


class UsageDimension(StrEnum):
    USER = "user"
    GROUP = "group"
    MODEL = "model"
    PROVIDER = "provider"
    KEY = "key"
    CLIENT_APP = "client_app"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Days in the deployment's zone, both included. With neither user, group nor `everyone`: the caller's own."""

    first_day: date
    last_day: date
    interval: Interval = Interval.DAY
    user_id: str | None = None
    group_id: str | None = None
    everyone: bool = False

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`series` has one point per interval, empty ones included; it adds up to `totals`."""

    query: UsageQuery
    totals: UsageTotals
    series: tuple[tuple[datetime, UsageTotals], ...]


@dataclass(frozen=True, slots=True)
class UsageSlice:
    key: str
    label: str
    totals: UsageTotals


class UsageService:
    def __init__(self, reader: UsageReader, zone: tzinfo) -> None:
        self._reader = reader
        self._zone = zone

    async def report(self, caller: Caller, query: UsageQuery) -> UsageReport:
        scope = self._scope(caller, query)
        hours = await self._reader.by_hour(scope)
        series = _series(self._starts(query), hours)
        return UsageReport(query, add_up(hours.values()), tuple(series))

    async def previous(self, caller: Caller, query: UsageQuery) -> UsageTotals:
        """As many days just before."""
        last = query.first_day - timedelta(days=1)
        first = query.first_day - timedelta(days=query.days)
        before = UsageQuery(first, last, query.interval, query.user_id, query.group_id, query.everyone)
        return await self._reader.totals(self._scope(caller, before))

    async def breakdown(self, caller: Caller, query: UsageQuery, by: UsageDimension, first: int) -> list[UsageSlice]:
        """The most expensive, at most `first`."""
        if not 1 <= first <= MAX_SLICES:
            raise InvalidInput("first", f"must lie between 1 and {MAX_SLICES}")
        found = await self._reader.breakdown(self._scope(caller, query), by.value, first)
        return [UsageSlice(key, label or "none", totals) for key, label, totals in found]

    async def calls(self, caller: Caller, user_id: str | None, everyone: bool, page: PageRequest) -> Page[CallRecord]:
        """Newest first; by default the caller's own."""
        return await self._reader.calls(_whose(caller, user_id, None, everyone)[0], page)

    def _scope(self, caller: Caller, query: UsageQuery) -> UsageScope:
        user_id, group_id = _whose(caller, query.user_id, query.group_id, query.everyone)
        _check_range(query)
        end = self._midnight(query.last_day + timedelta(days=1))
        return UsageScope(self._midnight(query.first_day), end, user_id, group_id)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def _starts(self, query: UsageQuery) -> list[datetime]:
        """Where every interval begins; a day has as many hours as the clocks say."""
        midnights = [self._midnight(query.first_day + timedelta(days=n)) for n in range(query.days + 1)]
        if query.interval is Interval.DAY:
            return midnights[:-1]
        starts: list[datetime] = []
        for midnight, next_midnight in pairwise(midnights):
            at = midnight
            while at < next_midnight:
                starts.append(at)
                at += _HOUR
        return starts


def _whose(caller: Caller, user_id: str | None, group_id: str | None, everyone: bool) -> tuple[str | None, str | None]:
    """User and group to restrict to, both None for everyone; raises Forbidden when it is not the caller's to see."""
    if sum((user_id is not None, group_id is not None, everyone)) > 1:
        raise InvalidInput("everyone", "goes with neither userId nor groupId, and those two not together")
    if group_id is not None or everyone:
        caller.require_admin(TokenScope.READ)
        return None, group_id
    user_id = user_id or caller.user.id
    caller.require_self_or_admin(user_id, TokenScope.READ)
    return user_id, None


def _check_range(query: UsageQuery) -> None:
    if query.last_day < query.first_day:
        raise InvalidInput("to", "must not lie before `from`")
    if query.first_day < _FIRST_DAY or query.last_day > _LAST_DAY:
        raise InvalidInput("from", f"must lie between {_FIRST_DAY} and {_LAST_DAY}")
    if query.days > MAX_DAYS:
        raise InvalidInput("to", f"must lie within {MAX_DAYS} days of `from`")
    if query.interval is Interval.HOUR and query.days > MAX_HOURLY_DAYS:
        raise InvalidInput("interval", f"can be HOUR for at most {MAX_HOURLY_DAYS} days; ask by DAY")


def _series(starts: list[datetime], hours: Mapping[datetime, UsageTotals]) -> list[tuple[datetime, UsageTotals]]:
    inside: list[list[UsageTotals]] = [[] for _ in starts]
    for hour, totals in hours.items():
        inside[bisect_right(starts, hour) - 1].append(totals)
    return [(start, add_up(totals)) for start, totals in zip(starts, inside, strict=True)]


def add_up(parts: Iterable[UsageTotals]) -> UsageTotals:
    """The sum of every figure."""
    listed = list(parts)
    return UsageTotals(**{f.name: sum(getattr(part, f.name) for part in listed) for f in fields(UsageTotals)})
