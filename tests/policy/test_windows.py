"""Laws of calendar windows, and the days that break naive arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.policy import Window
from sluicegate.policy.windows import PeriodClock, period_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        UTC,
        BERLIN,
        *map(
            ZoneInfo,
            ["America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"],
        ),
    ]
)
INSTANTS = st.integers(946_684_800, 2_840_140_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
WINDOWS = st.sampled_from(Window)


@given(WINDOWS, INSTANTS, ZONES)
def test_an_instant_lies_in_its_period(window: Window, at: datetime, zone: tzinfo) -> None:
    period = period_of(window, at, zone)
    assert period.start <= at < period.end
    assert period.start.tzinfo is UTC


@given(WINDOWS, INSTANTS, ZONES)
def test_periods_follow_each_other_without_gap_or_overlap(window: Window, at: datetime, zone: tzinfo) -> None:
    period = period_of(window, at, zone)
    following = period_of(window, period.end, zone)
    assert following.start == period.end
    assert following.key > period.key
    assert period_of(window, period.end - timedelta(microseconds=1), zone) == period


@given(WINDOWS, INSTANTS, st.integers(0, 40 * 86_400), ZONES)
def test_one_key_stands_for_one_period(window: Window, at: datetime, seconds: int, zone: tzinfo) -> None:
    one, other = (period_of(window, moment, zone) for moment in (at, at + timedelta(seconds=seconds)))
    assert (one.key == other.key) == (one == other)


@given(INSTANTS, ZONES)
def test_periods_begin_at_local_midnight(at: datetime, zone: tzinfo) -> None:
    for window in Window:
        start = period_of(window, at, zone).start.astimezone(zone)
        # Where clocks are put forward at midnight, the day begins at one.
        assert start.hour in (0, 1)
    assert period_of(Window.WEEK, at, zone).start.astimezone(zone).weekday() == 0
    assert period_of(Window.MONTH, at, zone).start.astimezone(zone).day == 1


@given(INSTANTS, ZONES)
def test_the_week_key_is_the_iso_week(at: datetime, zone: tzinfo) -> None:
    year, week, _ = at.astimezone(zone).isocalendar()
    assert period_of(Window.WEEK, at, zone).key == f"{year}-W{week:02d}"


@given(st.lists(INSTANTS, min_size=1, max_size=20), ZONES)
def test_the_clock_gives_what_arithmetic_gives(instants: list[datetime], zone: tzinfo) -> None:
    clock = PeriodClock(zone)
    for at in instants:
        assert clock.at(at) == {window: period_of(window, at, zone) for window in Window}


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_days_on_which_clocks_change_are_shorter_or_longer(day: str, hours: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=BERLIN)
    period = period_of(Window.DAY, noon, BERLIN)
    assert period.key == day
    assert period.end - period.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "key", "first", "end"),
    [
        ("2026-12-31", "2026-W53", "2026-12-28", "2027-01-04"),
        ("2027-01-03", "2026-W53", "2026-12-28", "2027-01-04"),
        ("2027-01-04", "2027-W01", "2027-01-04", "2027-01-11"),
        ("2024-12-30", "2025-W01", "2024-12-30", "2025-01-06"),
        ("2021-01-01", "2020-W53", "2020-12-28", "2021-01-04"),
    ],
)
def test_weeks_at_the_turn_of_the_year(day: str, key: str, first: str, end: str) -> None:
    period = period_of(Window.WEEK, datetime.fromisoformat(f"{day}T08:00").replace(tzinfo=UTC), UTC)
    assert (period.key, period.start.date().isoformat(), period.end.date().isoformat()) == (key, first, end)


@pytest.mark.parametrize(("day", "end"), [("2028-02-29", "2028-03-01"), ("2026-12-31", "2027-01-01")])
def test_months_end_where_the_next_begins(day: str, end: str) -> None:
    period = period_of(Window.MONTH, datetime.fromisoformat(f"{day}T23:59").replace(tzinfo=UTC), UTC)
    assert period.end.date().isoformat() == end


def test_the_same_instant_may_lie_in_different_days() -> None:
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert [period_of(w, at, UTC).key for w in Window] == ["2026-12-31", "2026-W53", "2026-12"]
    assert [period_of(w, at, BERLIN).key for w in Window] == ["2027-01-01", "2026-W53", "2027-01"]
