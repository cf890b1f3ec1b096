"""What a provider's model costs, and from when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    force, unless the prices are the deployment's `own`."""

    id: str
    provider_model_id: str
    starts_at: datetime
    prices: Prices
    free: bool
    created_at: datetime
    own: bool = False
    multiplier: int = ONE

    @property
    def charged(self) -> Prices:
        """What calls are charged by."""
        if self.free:
            return NOTHING
        return self.prices if self.own or self.multiplier == ONE else scaled(self.prices, self.multiplier)


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
