"""Which prices are in force when, and how the cost of a call comes about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.price_list import NOTHING, PriceClass, PriceList, charges, in_force, next_start, scaled, tier_of
from sluicegate.domain.usage import LongContext, Prices, TokenUsage, cost_of
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import format_factor, parse_factor

START = datetime(2026, 1, 1, tzinfo=UTC)
counts = st.integers(0, 10**9)
price = st.integers(0, 10**15)
usages = st.builds(TokenUsage, counts, counts, counts, counts, counts)
classes = (price, st.none() | price, st.none() | price, st.none() | price, price)
tiers = st.lists(st.builds(LongContext, counts, st.builds(Prices, *classes)), max_size=3, unique_by=lambda t: t.above)
tariffs = st.builds(Prices, *classes, tiers.map(lambda found: tuple(sorted(found, key=lambda tier: tier.above))))


def a_list(hours: int, number: int = 0) -> PriceList:
    return PriceList(f"{hours}-{number}", "pm", START + timedelta(hours=hours), NOTHING, True, START)


@given(usages, tariffs)
def test_charges_come_to_the_cost_rounded_once_to_the_nearest_nano_dollar(usage: TokenUsage, prices: Prices) -> None:
    exact = sum(Fraction(charge.tokens * charge.price, 1_000_000) for charge in charges(usage, prices))
    # Python rounds fractions half to even, too.
    assert cost_of(usage, prices) == round(exact)


@given(usages, tariffs)
def test_every_token_is_charged_once(usage: TokenUsage, prices: Prices) -> None:
    found = charges(usage, prices)
    assert sum(charge.tokens for charge in found) == usage.total_input + usage.output
    assert len({charge.price_class for charge in found}) == len(found)


def test_a_cache_class_without_a_price_is_charged_as_input() -> None:
    found = charges(TokenUsage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4), Prices(7, None, 5, None, 9))
    assert found == [
        (PriceClass.INPUT, 1, 7),
        (PriceClass.CACHE_READ, 2, 7),
        (PriceClass.CACHE_WRITE_5M, 3, 5),
        (PriceClass.CACHE_WRITE_1H, 4, 7),
    ]


@given(st.sets(st.integers(-50, 50), max_size=6), st.integers(-51, 51))
def test_a_list_is_in_force_from_its_start_until_the_next_one(starts: set[int], hour: int) -> None:
    lists = [a_list(start) for start in sorted(starts)]
    at = START + timedelta(hours=hour)
    found, follows = in_force(lists, at), next_start(lists, at)
    begun = [start for start in starts if start <= hour]
    assert found == (a_list(max(begun)) if begun else None)
    coming = starts - set(begun)
    assert follows == (START + timedelta(hours=min(coming)) if coming else None)


def test_of_two_lists_with_one_start_the_later_counts() -> None:
    assert in_force([a_list(0, 1), a_list(0, 2)], START) == a_list(0, 2)


@given(usages, tariffs)
def test_a_long_prompt_prices_the_whole_call(usage: TokenUsage, prices: Prices) -> None:
    begun = [tier for tier in prices.long_context if usage.total_input > tier.above]
    tier = begun[-1] if begun else None
    assert tier_of(usage, prices) == (tier.above if tier else None)
    plain = replace(prices, long_context=())
    assert cost_of(usage, prices) == cost_of(usage, tier.prices if tier else plain)


def test_cached_tokens_make_a_prompt_long_and_the_last_token_of_a_tier_does_not() -> None:
    prices = Prices(1_000_000, 0, 0, 0, 1_000_000, (LongContext(100, Prices(7_000_000, 0, 0, 0, 9_000_000)),))
    assert cost_of(TokenUsage(input=60, cache_read=20, cache_write_5m=15, cache_write_1h=5, output=10), prices) == 70
    assert cost_of(TokenUsage(input=60, cache_read=21, cache_write_5m=15, cache_write_1h=5, output=10), prices) == 510


@given(usages, tariffs, st.integers(1, 10**9))
def test_a_multiplier_scales_every_price_to_the_nearest_nano_dollar(
    usage: TokenUsage, prices: Prices, multiplier: int
) -> None:
    found = scaled(prices, multiplier)
    for before, after in zip(
        [prices, *(tier.prices for tier in prices.long_context)],
        [found, *(tier.prices for tier in found.long_context)],
        strict=True,
    ):
        for name in PriceClass:
            price = getattr(before, name)
            exact = None if price is None else round(Fraction(price * multiplier, 1_000_000))
            assert getattr(after, name) == exact
    assert tier_of(usage, found) == tier_of(usage, prices)


@given(st.integers(1, 10**9))
def test_factors_read_as_they_are_written(millionths: int) -> None:
    assert parse_factor(format_factor(millionths), "f") == millionths


@pytest.mark.parametrize("text", ["0", "-1", "1001", "0.0000001", "15%", "1_0", "", "NaN", "Infinity", "1e9", "٣"])
def test_what_is_no_factor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_factor(text, "priceMultiplier")
    assert caught.value.field == "priceMultiplier"
