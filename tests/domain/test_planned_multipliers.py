"""Which price lists follow from what is planned for a model and for its provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.price_list import (
    PlannedMultiplier,
    PriceList,
    in_force,
    lists_to_come,
    multiplier_at,
    scaled,
)
from sluicegate.domain.usage import Prices

NOW = datetime(2026, 11, 29, tzinfo=UTC)
_FACTORS = st.sampled_from([500_000, 850_000, 1_000_000, 1_200_000])


def _at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def _list(hours: int, price: int, *, free: bool = False, own: bool = False, multiplier: int = 1_000_000) -> PriceList:
    prices = Prices(input=price, output=price * 2)
    return PriceList(f"l{hours}", "m", _at(hours), prices, free, NOW, own, multiplier)


def _plans(given: dict[int, int]) -> list[PlannedMultiplier]:
    return [PlannedMultiplier(_at(hours), factor) for hours, factor in sorted(given.items())]


_LISTS = st.dictionaries(
    st.integers(-5, 20), st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), max_size=5
).map(lambda found: [_list(at, price * 100, free=f, own=o) for at, (price, f, o) in sorted(found.items())])
_PLANNED = st.dictionaries(st.integers(1, 20), _FACTORS, max_size=4).map(_plans)


def _replanned(
    lists: list[PriceList], multiplier: int, planned: list[PlannedMultiplier], now: datetime = NOW
) -> list[PriceList]:
    started = [found for found in lists if found.starts_at <= now]
    return [*started, *(found for found, _ in lists_to_come(lists, now, multiplier, planned))]


@given(_LISTS, _FACTORS, _PLANNED, st.integers(1, 25))
def test_at_any_time_to_come_a_call_is_charged_by_the_prices_and_the_multiplier_of_that_time(
    lists: list[PriceList], multiplier: int, planned: list[PlannedMultiplier], hours: int
) -> None:
    lists = [
        found
        if found.starts_at > NOW
        else _list(_hours(found), found.prices.input or 0, free=found.free, own=found.own, multiplier=multiplier)
        for found in lists
    ]
    base, charged = in_force(lists, _at(hours)), in_force(_replanned(lists, multiplier, planned), _at(hours))
    if base is None:
        assert charged is None
        return
    assert charged is not None
    if base.free:
        assert charged.charged == Prices(0, 0, 0, 0, 0)
    elif base.own:
        assert charged.charged == base.prices
    else:
        assert charged.charged == scaled(base.prices, multiplier_at(multiplier, planned, _at(hours)))


def _hours(found: PriceList) -> int:
    return int((found.starts_at - NOW).total_seconds() // 3600)


@given(_LISTS, _FACTORS, _PLANNED, _PLANNED)
def test_what_has_started_is_never_touched_and_a_plan_leaves_nothing_when_it_is_taken_back(
    lists: list[PriceList], multiplier: int, planned: list[PlannedMultiplier], others: list[PlannedMultiplier]
) -> None:
    plain = _replanned(lists, multiplier, [])
    again = _replanned(_replanned(_replanned(lists, multiplier, planned), multiplier, others), multiplier, [])
    assert again == plain
    assert [found for found in plain if found.starts_at <= NOW] == [found for found in lists if found.starts_at <= NOW]


@given(_LISTS, _FACTORS, _PLANNED)
def test_the_same_plan_again_changes_nothing(
    lists: list[PriceList], multiplier: int, planned: list[PlannedMultiplier]
) -> None:
    once = _replanned(lists, multiplier, planned)
    found = lists_to_come(once, NOW, multiplier, planned)
    assert all(known for _, known in found)
    assert [one for one, _ in found] == [one for one in once if one.starts_at > NOW]
