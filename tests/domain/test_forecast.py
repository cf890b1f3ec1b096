"""When a cap is reached if spending goes on as it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.forecast import cap_reached_at

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spent", "cap", "now", "reached"),
    [
        # $10 in 10 days are $1 a day: $23 are spent on the 24th.
        (10, 23, at(11), at(24)),
        (10, 29, at(11), at(30)),
        (10, 30, at(11), None),
        (10, 31, at(11), None),
        (5, 10, at(2, 12), at(4)),
        (5, 10, at(2, 11), None),
        (0, 10, at(15), None),
        (10, None, at(15), None),
        (10, 10, at(15), at(15)),
        (11, 10, at(1), at(1)),
        (0, 0, at(1), at(1)),
    ],
)
def test_the_pace_so_far_says_when(spent: int, cap: int | None, now: datetime, reached: datetime | None) -> None:
    assert cap_reached_at(spent, cap, START, now, END) == reached


MONEY = st.integers(min_value=0, max_value=10**18)


@given(spent=MONEY, cap=MONEY, seconds=st.integers(min_value=1, max_value=30 * 86_400 - 1))
def test_it_lies_between_now_and_the_end_and_more_spending_never_delays_it(spent: int, cap: int, seconds: int) -> None:
    now = START + timedelta(seconds=seconds)
    reached = cap_reached_at(spent, cap, START, now, END)
    sooner = cap_reached_at(spent + max(1, spent // 7), cap, START, now, END)
    if reached is not None:
        assert now <= reached + timedelta(microseconds=1)
        assert reached < END
        assert sooner is not None
        assert sooner <= reached
