"""What a provider's model costs, and from when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sluicegate.domain.usage import LongContext, Prices, TokenUsage
from sluicegate.kit.money import ONE, divide_half_even

NOTHING = Prices(0, 0, 0, 0, 0)


class PriceClass(StrEnum):
    """Named like the fields of `Prices` and `TokenUsage`."""

    INPUT = "input"
    CACHE_READ = "cache_read"
    CACHE_WRITE_5M = "cache_write_5m"
    CACHE_WRITE_1H = "cache_write_1h"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class PriceList:
    """In force from `starts_at` until the next list of the same provider model starts. One that has started never
    changes, and outlives its model, because calls in the ledger name the list that they were charged by.

    Calls are charged by `prices` times `multiplier`, which is in millionths and the provider's while the list is in
    force, unless the prices are the deployment's `own`. One to come that is `derived` repeats the prices before it,
    since the provider's multiplier changes then."""

    id: str
    provider_model_id: str
    starts_at: datetime
    prices: Prices
    free: bool
    created_at: datetime
    own: bool = False
    multiplier: int = ONE
    derived: bool = False

    @property
    def charged(self) -> Prices:
        """What calls are charged by."""
        if self.free:
            return NOTHING
        return self.prices if self.own or self.multiplier == ONE else scaled(self.prices, self.multiplier)


@dataclass(frozen=True, slots=True)
class PlannedMultiplier:
    """A provider's multiplier, in millionths, from `starts_at` on."""

    starts_at: datetime
    multiplier: int


def multiplier_at(multiplier: int, planned: Sequence[PlannedMultiplier], at: datetime) -> int:
    """The one in force `at`, where `multiplier` is before all that is `planned`, oldest first."""
    return next((plan.multiplier for plan in reversed(planned) if plan.starts_at <= at), multiplier)


def lists_to_come(
    lists: Sequence[PriceList], now: datetime, multiplier: int, planned: Sequence[PlannedMultiplier]
) -> list[tuple[PriceList, bool]]:
    """What follows from a model's own plans and its provider's: the lists that start after `now`, oldest first, each
    with whether it was among `lists`; one that was not has the id of the list before it. `multiplier` is the
    provider's now."""
    known = {found.starts_at: found for found in lists if found.starts_at > now}
    own = {at: found for at, found in known.items() if not found.derived}
    before = in_force(lists, now)
    coming: list[tuple[PriceList, bool]] = []
    for at in sorted({*own, *(plan.starts_at for plan in planned)}):
        factor = multiplier_at(multiplier, planned, at)
        if at in own:
            before = replace(own[at], multiplier=factor)
        elif before is None or before.own or before.free:
            # Nothing here goes by the multiplier.
            continue
        else:
            before = replace(before, starts_at=at, multiplier=factor, derived=True)
            if at in known and replace(known[at], id=before.id, created_at=before.created_at) == before:
                before = known[at]
        coming.append((before, known.get(at) == before))
    return coming


def scaled(prices: Prices, multiplier: int) -> Prices:
    """Every price times so many millionths, to the nearest nano-dollar per million tokens, half to even."""
    classes = {
        name.value: None if (price := getattr(prices, name)) is None else divide_half_even(price * multiplier, ONE)
        for name in PriceClass
    }
    tiers = (LongContext(tier.above, scaled(tier.prices, multiplier)) for tier in prices.long_context)
    return Prices(**classes, long_context=tuple(tiers))


def in_force(lists: Sequence[PriceList], at: datetime) -> PriceList | None:
    """The list by which a call that begins `at` is charged; `lists` are those of one model, oldest first."""
    for found in reversed(lists):
        if found.starts_at <= at:
            return found
    return None


def next_start(lists: Sequence[PriceList], at: datetime) -> datetime | None:
    """When prices change next, as far as is known `at`."""
    return min((found.starts_at for found in lists if found.starts_at > at), default=None)


def tier_of(usage: TokenUsage, prices: Prices) -> int | None:
    """Above how many tokens of a prompt the prices of a call begin; None where it is charged as usual."""
    charged = prices.at(usage.total_input)
    return next((tier.above for tier in prices.long_context if tier.prices is charged), None)


class Charge(NamedTuple):
    """Tokens of one class, at so many nano-dollars per million."""

    price_class: PriceClass
    tokens: int
    price: int


def charges(usage: TokenUsage, prices: Prices) -> list[Charge]:
    """What makes up the cost of a call, without classes of which it used none. Summed up and rounded once, half to
    even, they give `cost_of`."""
    prices = prices.at(usage.total_input)
    found: list[Charge] = []
    for name in PriceClass:
        if tokens := getattr(usage, name):
            price = getattr(prices, name)
            if price is None and name is not PriceClass.OUTPUT:
                price = prices.input
            found.append(Charge(name, tokens, price or 0))
    return found
