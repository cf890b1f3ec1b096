"""What was used, by whom, when and for how much."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.usage import CallFilter, Grain, UsageReader, UsageScope, UsageTotals
from sluicegate.services.caller import Caller

MAX_DAYS = 400
MAX_SLICES = 100
# Of everybody together there are too many sessions for more.
MAX_SESSION_DAYS = 3
_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = date(9000, 1, 1)


class Interval(StrEnum):
    FIVE_MINUTES = "five_minutes"
    HOUR = "hour"
    DAY = "day"


_GRAINS = {Interval.FIVE_MINUTES: Grain.FIVE_MINUTES, Interval.HOUR: Grain.HOUR, Interval.DAY: Grain.DAY}
_STEPS = {Interval.FIVE_MINUTES: timedelta(minutes=5), Interval.HOUR: timedelta(hours=1)}
_MOST_DAYS = {Interval.FIVE_MINUTES: 2, Interval.HOUR: 31, Interval.DAY: MAX_DAYS}


class UsageDimension(StrEnum):
    USER = "user"
    GROUP = "group"
    MODEL = "model"
    PROVIDER = "provider"
    KEY = "key"
    CLIENT_APP = "client_app"
    PROJECT = "project"
    SESSION = "session"


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

    @property
    def before(self) -> UsageQuery:
        """The same of as many days just before."""
        span = timedelta(days=self.days)
        return replace(self, first_day=self.first_day - span, last_day=self.last_day - span)


Series = tuple[tuple[datetime, UsageTotals], ...]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`series` has one point per interval, empty ones included; it adds up to `totals`."""

    query: UsageQuery
    totals: UsageTotals
    series: Series


@dataclass(frozen=True, slots=True)
class UsageSlice:
    key: str
    label: str
    totals: UsageTotals


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """`reason` is the code that callers got."""

    reason: str
    calls: int


class UsageService:
    """`kept_days` tells per grain for how many days its sums are kept."""

    def __init__(
        self, reader: UsageReader, zone: tzinfo, clock: Clock, kept_days: Mapping[Grain, int] | None = None
    ) -> None:
        self._reader = reader
        self._zone = zone
        self._clock = clock
        self._kept_days = kept_days or {}

    async def report(self, caller: Caller, query: UsageQuery) -> UsageReport:
        scope = self._scope(caller, query)
        if not self._is_kept(query):
            days = self._kept_days[_GRAINS[query.interval]]
            raise InvalidInput(
                "interval", f"can be {query.interval.name} for the last {days} days, as far as is kept; ask by DAY"
            )
        series = await self._series(scope, query)
        return UsageReport(query, add_up(totals for _, totals in series), series)

    def local(self, at: datetime) -> datetime:
        """The same instant as clocks of the deployment show it."""
        return at.astimezone(self._zone)

    def _is_kept(self, query: UsageQuery) -> bool:
        days = self._kept_days.get(_GRAINS[query.interval])
        if days is None or query.interval is Interval.DAY:
            return True
        today = self._clock.now().astimezone(self._zone).date()
        return query.first_day >= today - timedelta(days=days - 1)

    async def _series(self, scope: UsageScope, query: UsageQuery) -> Series:
        found = await self._reader.by_interval(scope, _GRAINS[query.interval])
        return _points(self._starts(query), found)

    async def totals(self, caller: Caller, query: UsageQuery) -> UsageTotals:
        return await self._reader.totals(self._scope(caller, query))

    async def previous(self, caller: Caller, query: UsageQuery) -> UsageTotals:
        """As many days just before."""
        return await self._reader.totals(self._scope(caller, query.before))

    async def previous_series(self, caller: Caller, query: UsageQuery) -> Series | None:
        """As many days just before, point by point; None where they are not kept by this interval any more.

        By hours or less the two spans may differ in length, by what the clocks were put forward or back."""
        scope = self._scope(caller, query.before)
        return await self._series(scope, query.before) if self._is_kept(query.before) else None

    async def breakdown(self, caller: Caller, query: UsageQuery, by: UsageDimension, first: int) -> list[UsageSlice]:
        """The most expensive, at most `first`."""
        if not 1 <= first <= MAX_SLICES:
            raise InvalidInput("first", f"must lie between 1 and {MAX_SLICES}")
        return await self._slices(caller, query, by, first)

    async def whole_breakdown(self, caller: Caller, query: UsageQuery, by: UsageDimension) -> list[UsageSlice]:
        """All of it, for a file."""
        return await self._slices(caller, query, by, None)

    async def _slices(
        self, caller: Caller, query: UsageQuery, by: UsageDimension, first: int | None
    ) -> list[UsageSlice]:
        scope = self._scope(caller, query)
        if by is UsageDimension.SESSION and scope.user_id is None and query.days > MAX_SESSION_DAYS:
            raise InvalidInput("by", f"can be SESSION for one user, or for at most {MAX_SESSION_DAYS} days")
        found = await self._reader.breakdown(scope, by.value, first)
        return [UsageSlice(key, label or "none", totals) for key, label, totals in found]

    async def refusals(self, caller: Caller, query: UsageQuery) -> list[RefusalCount]:
        """Calls that were refused, by reason, the most frequent first. A user's or a group's are those that came with a
        key that was known."""
        found = await self._reader.refusals(self._scope(caller, query))
        return [RefusalCount(*pair) for pair in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))]

    async def calls(self, caller: Caller, where: CallFilter, everyone: bool, page: PageRequest) -> Page[CallRecord]:
        """Newest first; by default the caller's own."""
        user_id = _whose(caller, where.user_id, None, everyone)[0]
        return await self._reader.calls(replace(where, user_id=user_id), page)

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
        step = _STEPS[query.interval]
        for midnight, next_midnight in pairwise(midnights):
            at = midnight
            while at < next_midnight:
                starts.append(at)
                at += step
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
    most = _MOST_DAYS[query.interval]
    if query.days > most:
        raise InvalidInput("interval", f"can be {query.interval.name} for at most {most} days; ask by DAY")


def _points(starts: list[datetime], found: Mapping[datetime, UsageTotals]) -> Series:
    inside: list[list[UsageTotals]] = [[] for _ in starts]
    for at, totals in found.items():
        inside[bisect_right(starts, at) - 1].append(totals)
    return tuple((start, add_up(totals)) for start, totals in zip(starts, inside, strict=True))


def add_up(parts: Iterable[UsageTotals]) -> UsageTotals:
    """The sum of every figure."""
    listed = list(parts)
    return UsageTotals(**{f.name: sum(getattr(part, f.name) for part in listed) for f in fields(UsageTotals)})
