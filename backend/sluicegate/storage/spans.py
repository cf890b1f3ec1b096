"""Spans that sums are kept of, one within the other, and how few of them make up a stretch of time.

People are many, and what they used on each of up to thirty days before and after whole months would be most of what has
to be added up. So theirs is also kept by quarters, and by parts of a month that have eight days: from the 1st, the 9th,
the 17th and the 25th, the last of which is shorter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sluicegate.ports.usage import Grain

DAY, MONTH = Grain.DAY.value, Grain.MONTH.value
EIGHT_DAYS, QUARTER = "8days", "quarter"
OF_ALL = (MONTH, DAY)
OF_PEOPLE = (QUARTER, MONTH, EIGHT_DAYS, DAY)
Span = tuple[int, int]


def starts(day_starts: Iterable[int], grain: str, zone: tzinfo) -> dict[int, int]:
    """By the beginning of each day, in milliseconds, that of the span of `grain` that it is in."""
    return {ms: _ms(_first(_day(ms, zone), grain), zone) for ms in day_starts}


def split(span: Span, zone: tzinfo, grains: tuple[str, ...]) -> Iterator[tuple[str, Span]]:
    """The spans of `grains`, greatest first, that a stretch of time is made of; neighbours of one grain as one."""
    at, end = span
    open_grain, since = "", at
    while at < end:
        grain, until = _greatest(at, end, zone, grains)
        if grain != open_grain:
            if since < at:
                yield open_grain, (since, at)
            open_grain, since = grain, at
        at = until
    if since < end:
        yield open_grain, (since, end)


def _greatest(at: int, end: int, zone: tzinfo, grains: tuple[str, ...]) -> tuple[str, int]:
    day = _day(at, zone)
    for grain in grains:
        if _first(day, grain) == day and _ms(day, zone) == at:
            until = _ms(_next(day, grain), zone)
            if until <= end:
                return grain, until
    return DAY, min(end, _ms(day + timedelta(days=1), zone))


def _first(day: date, grain: str) -> date:
    if grain == QUARTER:
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if grain == MONTH:
        return day.replace(day=1)
    if grain == EIGHT_DAYS:
        return day.replace(day=(day.day - 1) // 8 * 8 + 1)
    return day


def _next(first: date, grain: str) -> date:
    """Where the span after the one that begins `first` begins."""
    month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    if grain == QUARTER:
        return (month + timedelta(days=62)).replace(day=1)
    if grain == MONTH:
        return month
    if grain == EIGHT_DAYS:
        return min(first + timedelta(days=8), month)
    return first + timedelta(days=1)


def _day(ms: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date()


def _ms(day: date, zone: tzinfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)
