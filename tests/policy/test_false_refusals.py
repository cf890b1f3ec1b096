"""How often a call is refused over money although it would have fitted, of people who work until their cap is spent."""

from __future__ import annotations

import random
from dataclasses import replace

from policy.bench import TEAM, Bench
from sluicegate.domain.policy import Budget, RateLimits
from sluicegate.domain.usage import Prices, TokenUsage, cost_of
from sluicegate.kit.money import Nanos
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.refusals import Refusal

PRICES = Prices(input=3_000_000_000, cache_read=300_000_000, output=15_000_000_000)
PEOPLE, CALLS, AT_ONCE, MAX_TOKENS = 6, 500, 4, 32_000
# The estimate of the input, and what the call will use.
Call = tuple[int, TokenUsage]


def work(dice: random.Random) -> list[Call]:
    """What an assistant asks for: sessions of some twenty prompts that grow, of which the provider has all but the end
    cached, and answers that are short but for a few. A tenth more than the cap lasts for."""
    calls: list[Call] = []
    while len(calls) < CALLS * 1.1:
        prompt = dice.randrange(8_000, 20_000)
        for turn in range(dice.randrange(10, 30)):
            grown = dice.randrange(300, 4_000)
            fresh = prompt + grown if turn == 0 else grown
            prompt += grown
            output = min(8_000, round(dice.lognormvariate(5.3, 1)))
            usage = TokenUsage(input=fresh, cache_read=prompt - fresh, output=output)
            calls.append((round(prompt * dice.uniform(0.85, 1.2)), usage))
    return calls


class Person:
    """Has some calls in flight, which end in any order, and stops where an assistant does: when told that the budget is
    used up. `spent` is what all that were let in will have cost, and `false` how many would have fitted."""

    def __init__(self, bench: Bench, number: int) -> None:
        self.bench, self.dice, self.name = bench, random.Random(number), f"m{number}"
        self.calls = work(self.dice)
        self.cap = Nanos(sum(cost_of(usage, PRICES) for _, usage in self.calls[:CALLS]))
        self.credential = bench.rows.add_colleague(self.name)
        rows = replace(
            bench.rows.others[self.name], limits={TEAM: RateLimits()}, budgets={TEAM: Budget(month=self.cap)}
        )
        bench.rows.others[self.name] = rows
        self.flying: list[tuple[Admitted, TokenUsage]] = []
        self.spent = self.asked = self.false = 0

    async def work(self) -> None:
        for call in self.calls:
            self.bench.clock.advance(self.dice.uniform(0, 5))
            while self.flying and (len(self.flying) == AT_ONCE or self.dice.random() < 0.4):
                self.finish_one()
            self.asked += 1
            wronged = False
            while (refusal := await self.refusal_of(call)) is not None:
                if not wronged and self.spent + cost_of(call[1], PRICES) <= self.cap:
                    wronged = True
                    self.false += 1
                if refusal.code == "budget_exceeded":
                    return
                # Whoever is told to wait until another call is over does so.
                self.bench.clock.advance(refusal.retry_after or 0)
                self.finish_one()

    async def refusal_of(self, call: Call) -> Refusal | None:
        estimate, usage = call
        try:
            admitted = await self.bench.policy.admit(self.credential, self.name, "fast", estimate, MAX_TOKENS)
        except Refusal as refusal:
            return refusal
        self.spent += cost_of(usage, PRICES)
        self.flying.append((admitted, usage))
        return None

    def finish_one(self) -> None:
        admitted, usage = self.flying.pop(self.dice.randrange(len(self.flying)))
        self.bench.policy.settle(admitted, usage, cost_of(usage, PRICES))


async def test_of_a_hundred_calls_less_than_one_is_refused_that_would_have_fitted(bench: Bench) -> None:
    """Also those count that are let in when they come again."""
    rows = bench.rows.catalog_rows
    priced = {name: model.costing(PRICES, list_id="pl1") for name, model in rows.provider_models.items()}
    bench.rows.catalog_rows = replace(rows, provider_models=priced)
    people = [Person(bench, number) for number in range(PEOPLE)]
    for person in people:
        await person.work()
        assert 0.98 * person.cap < person.spent < 1.02 * person.cap
        assert person.asked < len(person.calls)
    assert sum(person.false for person in people) < sum(person.asked for person in people) / 100
