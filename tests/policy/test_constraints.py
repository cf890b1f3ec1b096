"""What holds beside the merged values: the pools of groups, and what a key narrows."""

from __future__ import annotations

import asyncio
from collections import Counter

from policy.bench import ADA, CREDENTIAL, POOL, TEAM, Bench
from sluicegate.domain.policy import (
    Budget,
    ChangeKind,
    Dimension,
    PolicyChange,
    RateLimits,
    Subject,
    SubjectKind,
    Window,
)
from sluicegate.domain.usage import TokenUsage
from sluicegate.kit.money import Nanos
from sluicegate.policy.refusals import Refusal

KEY = Subject(SubjectKind.KEY, "k1")
TEAM_CHANGED = PolicyChange(ChangeKind.GROUP, "team")
KEY_CHANGED = PolicyChange(ChangeKind.KEY, "k1")
# What a call of 100 tokens in and at most 50 out is reserved at.
ESTIMATE = 200_000


async def test_members_draw_from_a_pool_together(bench: Bench) -> None:
    bob = bench.rows.add_colleague("bob")
    bench.rows.set_policy(limits={POOL: RateLimits(requests=2)})
    await bench.call()
    await bench.call(credential=bob)
    for credential in (CREDENTIAL.text, bob):
        refusal = await bench.refusal(credential=credential)
        assert (refusal.code, refusal.status) == ("rate_limit_exceeded", 429)
        assert "2 requests per minute, set by group Team (shared by all members); 2 in use" in refusal.message
        assert refusal.facts is not None
        assert refusal.facts.source.subject == POOL


async def test_two_hundred_callers_of_ten_members_never_pass_a_pooled_cap_together(bench: Bench) -> None:
    credentials = [CREDENTIAL.text, *(bench.rows.add_colleague(f"m{n}") for n in range(9))]
    bench.rows.set_policy(budgets={POOL: Budget(month=Nanos(20 * ESTIMATE))}, limits={})

    async def attempt(number: int) -> str:
        try:
            await bench.policy.admit(credentials[number % 10], f"10.0.0.{number % 10}", "fast", 100, 50)
        except Refusal as refusal:
            return refusal.code
        return "admitted"

    outcomes = Counter(await asyncio.gather(*(attempt(n) for n in range(200))))
    assert outcomes == {"admitted": 20, "rate_limit_exceeded": 180}
    use = await bench.admission.use_of(POOL)
    assert (use.spent[Window.MONTH], use.reserved[Window.MONTH]) == (0, 20 * ESTIMATE)
    assert use.used[Dimension.CONCURRENT_REQUESTS] == 20


async def test_pool_and_own_limit_must_both_pass_and_a_refusal_takes_nothing(bench: Bench) -> None:
    bob = bench.rows.add_colleague("bob")
    bench.rows.set_policy(limits={POOL: RateLimits(requests=3), TEAM: RateLimits(requests=2)})
    for _ in range(2):
        await bench.call()
    assert "set by group Team;" in (await bench.refusal()).message
    assert (await bench.admission.use_of(POOL)).used[Dimension.REQUESTS] == 2
    await bench.call(credential=bob)
    assert "(shared by all members)" in (await bench.refusal(credential=bob)).message
    assert (await bench.admission.use_of(Subject(SubjectKind.USER, "bob"))).used[Dimension.REQUESTS] == 1


async def test_a_call_in_flight_counts_for_a_pool_that_is_set_meanwhile(bench: Bench) -> None:
    bob = bench.rows.add_colleague("bob")
    running = await bench.policy.admit(bob, "10.0.0.2", "fast", 100, 50)
    bench.rows.set_policy(limits={POOL: RateLimits(concurrent_requests=1)}, budgets={POOL: Budget(day=Nanos(10**9))})
    await bench.policy.apply([TEAM_CHANGED])

    assert "1 concurrent requests, set by group Team (shared" in (await bench.refusal()).message
    use = await bench.admission.use_of(POOL)
    assert (use.used[Dimension.REQUESTS], use.used[Dimension.INPUT_TOKENS]) == (1, 100)
    assert use.reserved[Window.DAY] == running.cost_estimate
    bench.policy.settle(running, TokenUsage(input=90, output=10), Nanos(7))
    use = await bench.admission.use_of(POOL)
    assert (use.spent[Window.DAY], use.reserved[Window.DAY]) == (7, 0)
    assert use.used == {
        Dimension.REQUESTS: 1,
        Dimension.INPUT_TOKENS: 90,
        Dimension.OUTPUT_TOKENS: 10,
        Dimension.CONCURRENT_REQUESTS: 0,
    }
    await bench.call()


async def test_a_key_narrows_its_owner_and_says_so(bench: Bench) -> None:
    bench.rows.key_limits = RateLimits(requests=1)
    await bench.call()
    refusal = await bench.refusal()
    assert "1 requests per minute, set on the key laptop" in refusal.message
    assert refusal.facts is not None
    assert refusal.facts.source.subject == KEY
    bench.rows.key_limits, bench.rows.key_budget = RateLimits(), Budget(week=Nanos(0))
    await bench.policy.apply([KEY_CHANGED])
    refusal = await bench.refusal()
    assert (refusal.status, refusal.message) == (
        402,
        "Calls that cost money are blocked: the weekly budget is $0, set on the key laptop.",
    )


async def test_a_key_never_widens_its_owner(bench: Bench) -> None:
    bench.rows.set_policy(limits={ADA: RateLimits(requests=1)})
    bench.rows.key_limits = RateLimits(requests=1000)
    await bench.call()
    assert "set for this user" in (await bench.refusal()).message


async def test_of_two_budgets_the_one_that_lasts_longer_is_named(bench: Bench) -> None:
    bench.rows.set_policy(limits={}, budgets={ADA: Budget(day=Nanos(1)), POOL: Budget(month=Nanos(1))})
    await bench.call()
    refusal = await bench.refusal()
    assert "Monthly budget" in refusal.message
    assert "Resets 2026-12-01 00:00 UTC" in refusal.message


async def test_money_held_by_calls_in_flight_asks_to_come_back_soon(bench: Bench) -> None:
    bench.rows.set_policy(limits={}, budgets={ADA: Budget(day=Nanos(ESTIMATE))})
    running = await bench.policy.admit(CREDENTIAL.text, "10.0.0.1", "fast", 100, 50)
    refusal = await bench.refusal()
    assert (refusal.code, refusal.status) == ("rate_limit_exceeded", 429)
    assert refusal.retry_after is not None
    assert 1 <= refusal.retry_after <= 10
    assert "$0 spent, and calls in flight hold $0.0002 until they end" in refusal.message
    bench.policy.settle(running, TokenUsage(input=100, output=50), Nanos(ESTIMATE - 1))
    # Now nothing is held, and what is left is too little for another one.
    refusal = await bench.refusal()
    assert (refusal.code, refusal.status, refusal.retry_after) == ("budget_exceeded", 402, None)
    assert "more than is left. Resets 2026-11-25 00:00 UTC" in refusal.message


async def test_explain_knows_of_pools(bench: Bench) -> None:
    bench.rows.set_policy(limits={POOL: RateLimits(concurrent_requests=0)})
    explained = await bench.policy.explain("ada", "fast")
    refusal = await bench.refusal()
    assert (explained.allowed, explained.message) == (False, refusal.message)
    assert "set by group Team (shared by all members)" in explained.message
