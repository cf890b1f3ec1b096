"""What calls are reserved at follows what they use, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.usage import LongContext, Prices, TokenUsage, cost_of
from sluicegate.kit.money import Nanos
from sluicegate.policy import compile as compile_module
from sluicegate.policy.habits import MAX_OUTPUT_GUESS, Habits

PRICES = Prices(input=3_000_000_000, cache_read=300_000_000, output=15_000_000_000)
TOKENS = st.integers(0, 10**7)
IDS = ("ada", "fast")


def learned(*calls: tuple[int, TokenUsage]) -> Habits:
    habits = Habits()
    for estimated, usage in calls:
        habits.learn(*IDS, PRICES, estimated, usage, cost_of(usage, PRICES))
    return habits


def test_a_first_call_is_taken_at_full_price() -> None:
    expected = Habits().expected
    assert expected(*IDS, PRICES, 1000, None)[0] == MAX_OUTPUT_GUESS
    assert expected(*IDS, PRICES, 1000, 100)[0] == 100
    assert expected(*IDS, PRICES, 1000, 0)[0] == 0
    assert expected(*IDS, PRICES, 1000, 10) == (10, cost_of(TokenUsage(input=1000, output=10), PRICES))
    half = Prices(input=1, output=1)
    assert [expected(*IDS, half, size, 0)[1] for size in (500_000, 500_001, 1_500_000)] == [0, 1, 2]


def test_prompts_that_providers_have_cached_are_reserved_at_what_they_cost() -> None:
    habits = learned(*[(100_000, TokenUsage(input=2_000, cache_read=98_000, output=300))] * 3)
    assert habits.expected(*IDS, PRICES, 1000, 128_000)[0] == 300
    full = cost_of(TokenUsage(input=100_000), PRICES)
    assert full // 9 < habits.expected(*IDS, PRICES, 100_000, 0)[1] < full // 8
    assert habits.expected("bob", "fast", PRICES, 100_000, 0)[1] == full


def test_one_dear_call_among_few_is_remembered_and_among_many_forgotten() -> None:
    cheap, dear = (1000, TokenUsage(cache_read=1000, output=5)), (1000, TokenUsage(input=1000, output=900))
    assert learned(cheap, dear, *[cheap] * 10).expected(*IDS, PRICES, 1000, None)[0] == 900
    assert learned(cheap, dear, *[cheap] * 31).expected(*IDS, PRICES, 1000, None)[0] == 5


@given(
    estimated=st.integers(0, 10**6),
    usages=st.lists(
        st.builds(
            TokenUsage, input=st.integers(0, 10**7), cache_read=st.integers(0, 10**7), output=st.integers(1, 9**7)
        ),
        max_size=40,
    ),
)
def test_an_estimate_never_exceeds_the_one_for_a_first_call(estimated: int, usages: list[TokenUsage]) -> None:
    habits = learned(*((estimated, usage) for usage in usages))
    output, cost = habits.expected(*IDS, PRICES, estimated, None)
    assert 1 <= output <= MAX_OUTPUT_GUESS
    assert 0 <= cost <= cost_of(TokenUsage(input=estimated, output=output), PRICES)
    assert cost > 0 or estimated == 0


def test_the_guess_for_a_long_prompt_is_charged_as_one() -> None:
    long = LongContext(100, Prices(input=8_000_000, output=16_000_000))
    prices = Prices(input=1_000_000, output=2_000_000, long_context=(long,))
    habits = Habits()
    assert habits.expected("ada", "m", prices, 100, 10)[1] == 120
    assert habits.expected("ada", "m", prices, 101, 10)[1] == 968
    # Nine tenths of a long prompt turn out to be cached at nothing: the next one is still a long one.
    for _ in range(40):
        usage = TokenUsage(input=50, cache_read=450, output=10)
        habits.learn("ada", "m", prices, 500, usage, Nanos(50 * 8 + 10 * 16))
    assert habits.expected("ada", "m", prices, 500, 10)[1] == 50 * 8 + 10 * 16
    # A short one that was learnt from long ones pays its share of the short price.
    assert habits.expected("ada", "m", prices, 100, 10)[1] == 10 + 20


def test_estimates_take_the_dearest_price_of_every_length() -> None:
    flat = Prices(3, None, None, None, 30)
    tiered = Prices(1, None, None, None, 40, (LongContext(10, Prices(9, 5, None, None, 10)),))
    found = compile_module._dearest([flat, tiered])
    assert found == Prices(3, None, None, None, 40, (LongContext(10, Prices(9, 5, None, None, 30)),))
