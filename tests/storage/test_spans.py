"""Stretches of time are made of spans without a gap and without an overlap, and of few."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.storage.spans import DAY, EIGHT_DAYS, MONTH, OF_ALL, OF_PEOPLE, QUARTER, split, starts

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo")


def ms(day: date, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


@given(
    st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    st.integers(1, 400),
    st.sampled_from(ZONES),
    st.sampled_from([OF_ALL, OF_PEOPLE]),
)
def test_every_day_is_in_exactly_one_span(first: date, days: int, name: str, grains: tuple[str, ...]) -> None:
    zone = ZoneInfo(name)
    end = first + timedelta(days=days)
    parts = list(split((ms(first, zone), ms(end, zone)), zone, grains))
    assert [since for _, (since, _) in parts] == [ms(first, zone), *(until for _, (_, until) in parts[:-1])]
    assert parts[-1][1][1] == ms(end, zone)
    whole = [ms(first + timedelta(days=n), zone) for n in range(days)]
    for grain, (since, until) in parts:
        inside = [at for at in whole if since <= at < until]
        begins = starts(inside, grain, zone)
        # What is kept by this grain, for any of these days, is of these days alone.
        assert min(begins.values()) >= since
        others = starts([at for at in whole if not since <= at < until], grain, zone)
        assert not set(begins.values()) & set(others.values())
    if grains is OF_PEOPLE:
        assert sum((until - since) // 86_400_000 for grain, (since, until) in parts if grain == DAY) <= 14
        assert len(parts) <= 7


def test_a_year_is_three_quarters_and_little_more() -> None:
    zone = ZoneInfo("UTC")
    span = ms(date(2025, 11, 25), zone), ms(date(2026, 11, 25), zone)
    named = [
        (grain, datetime.fromtimestamp(since / 1000, UTC).date().isoformat())
        for grain, (since, _) in split(span, zone, OF_PEOPLE)
    ]
    assert named == [
        (EIGHT_DAYS, "2025-11-25"),
        (MONTH, "2025-12-01"),
        (QUARTER, "2026-01-01"),
        (MONTH, "2026-10-01"),
        (EIGHT_DAYS, "2026-11-01"),
    ]


@pytest.mark.parametrize(
    ("day", "eight", "quarter"),
    [
        ("2026-01-01", "2026-01-01", "2026-01-01"),
        ("2026-02-28", "2026-02-25", "2026-01-01"),
        ("2026-03-31", "2026-03-25", "2026-01-01"),
        ("2026-10-25", "2026-10-25", "2026-10-01"),
        ("2026-12-24", "2026-12-17", "2026-10-01"),
    ],
)
def test_where_spans_begin(day: str, eight: str, quarter: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = ms(date.fromisoformat(day), zone)
    assert starts([at], EIGHT_DAYS, zone) == {at: ms(date.fromisoformat(eight), zone)}
    assert starts([at], QUARTER, zone) == {at: ms(date.fromisoformat(quarter), zone)}
