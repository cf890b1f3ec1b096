"""Calendar windows of budgets, in the deployment's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sluicegate.domain.policy import Window


@dataclass(frozen=True, slots=True)
class Period:
    """One span of a window: `key` names it for ever (`2026-11-24`, `2026-W48`, `2026-11`); `end` is where the next
    one begins."""

    window: Window
    key: str
    start: datetime
    end: datetime


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def period_of(window: Window, at: datetime, zone: tzinfo) -> Period:
    """The period that holds the instant `at` (aware). Bounds are in UTC; a day may last 23 or 25 hours."""
    today = at.astimezone(zone).date()
    match window:
        case Window.DAY:
            first, last, key = today, today + timedelta(days=1), today.isoformat()
        case Window.WEEK:
            first = today - timedelta(days=today.weekday())
            last = first + timedelta(days=7)
            year, week, _ = today.isocalendar()
            key = f"{year}-W{week:02d}"
        case Window.MONTH:
            first = today.replace(day=1)
            last = (first + timedelta(days=32)).replace(day=1)
            key = f"{today:%Y-%m}"
    return Period(window, key, _midnight(first, zone), _midnight(last, zone))


class PeriodClock:
    """The three current periods, recomputed only when the first of them ends."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._from = self._until = 0.0
        self._periods: dict[Window, Period] = {}

    def at(self, now: datetime) -> dict[Window, Period]:
        return self.at_time(now.timestamp())

    def at_time(self, seconds: float) -> dict[Window, Period]:
        """As `at`, for seconds since the epoch; gives the same object as long as the periods are the same."""
        if not self._from <= seconds < self._until:
            now = datetime.fromtimestamp(seconds, UTC)
            self._periods = {window: period_of(window, now, self.zone) for window in Window}
            self._from = max(p.start for p in self._periods.values()).timestamp()
            self._until = min(p.end for p in self._periods.values()).timestamp()
        return self._periods
