"""What calls cost, as the schema shows and takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

import strawberry

from sluicegate.domain import catalog as domain
from sluicegate.domain import price_list, usage
from sluicegate.graphql.scalars import BigInt, Usd
from sluicegate.kit.money import format_factor

OWN = "Prices of the deployment's own, which the provider's multiplier does not concern."


@strawberry.type(description="What a whole call costs whose prompt is long, in US dollars per million tokens.")
class LongContextPrices:
    above: BigInt = strawberry.field(description="For prompts of more tokens than these, cached ones included.")
    input: Usd | None = strawberry.field(description="Fresh input.")
    cache_read: Usd | None = strawberry.field(description="Input that the provider had cached.")
    cache_write_5m: Usd | None = strawberry.field(description="Input that is cached for five minutes.")
    cache_write_1h: Usd | None = strawberry.field(description="Input that is cached for an hour.")
    output: Usd | None = strawberry.field(description="Output, reasoning included.")


@strawberry.type(description="US dollars per million tokens; null = unknown. A null cache class is priced as input.")
class Prices:
    input: Usd | None = strawberry.field(description="Fresh input.")
    cache_read: Usd | None = strawberry.field(description="Input that the provider had cached.")
    cache_write_5m: Usd | None = strawberry.field(description="Input that is cached for five minutes.")
    cache_write_1h: Usd | None = strawberry.field(description="Input that is cached for an hour.")
    output: Usd | None = strawberry.field(description="Output, reasoning included.")
    long_context: list[LongContextPrices] = strawberry.field(
        description="Tiers for long prompts, in rising order; the last one that fits prices all of a call."
    )

    @classmethod
    def of(cls, prices: usage.Prices) -> Prices:
        tiers = [LongContextPrices(above=BigInt(tier.above), **_classes(tier.prices)) for tier in prices.long_context]
        return cls(**_classes(prices), long_context=tiers)


def _classes(prices: usage.Prices) -> dict[str, Usd | None]:
    found = {name.value: getattr(prices, name) for name in price_list.PriceClass}
    return {name: None if nanos is None else Usd(nanos) for name, nanos in found.items()}


@strawberry.input(description="What a whole call costs whose prompt is long; absent cache classes are priced as input.")
class LongContextPricesInput:
    above: BigInt = strawberry.field(description="For prompts of more tokens than these, cached ones included.")
    input: Usd | None = strawberry.field(default=None, description="Fresh input; needed.")
    cache_read: Usd | None = strawberry.field(default=None, description="Input that the provider had cached.")
    cache_write_5m: Usd | None = strawberry.field(default=None, description="Input that is cached for five minutes.")
    cache_write_1h: Usd | None = strawberry.field(default=None, description="Input that is cached for an hour.")
    output: Usd | None = strawberry.field(default=None, description="Output; needed unless there is none.")


@strawberry.input(description="US dollars per million tokens; an absent or null price is unknown.")
class PricesInput:
    input: Usd | None = strawberry.field(default=None, description="Fresh input.")
    cache_read: Usd | None = strawberry.field(default=None, description="Input that the provider had cached.")
    cache_write_5m: Usd | None = strawberry.field(default=None, description="Input that is cached for five minutes.")
    cache_write_1h: Usd | None = strawberry.field(default=None, description="Input that is cached for an hour.")
    output: Usd | None = strawberry.field(default=None, description="Output, reasoning included.")

    long_context: list[LongContextPricesInput] | None = strawberry.field(
        default=None, description="Tiers for long prompts, in rising order."
    )

    def value(self) -> usage.Prices:
        tiers = (usage.LongContext(tier.above, _value(tier)) for tier in self.long_context or ())
        return replace(_value(self), long_context=tuple(tiers))


def _value(given: PricesInput | LongContextPricesInput) -> usage.Prices:
    return usage.Prices(*(getattr(given, name) for name in price_list.PriceClass))


@strawberry.type(description="A multiplier that starts later.")
class PlannedMultiplier:
    starts_at: datetime = strawberry.field(description="Calls that begin from then on go by it.")
    multiplier: str = strawberry.field(description="Factor on all prices but own ones, like 0.85.")

    @classmethod
    def of(cls, plan: price_list.PlannedMultiplier) -> PlannedMultiplier:
        return cls(starts_at=plan.starts_at, multiplier=format_factor(plan.multiplier))


@strawberry.enum(description="Whether calls are charged by a price list.")
class PriceListStatus(StrEnum):
    PAST = "past"
    CURRENT = "current"
    COMING = "coming"


@strawberry.type(description="What calls cost in a span of time. One that has started never changes.")
class PriceList:
    id: strawberry.ID = strawberry.field(description="Its id.")
    starts_at: datetime = strawberry.field(description="Calls that begin from then on are charged by it.")
    ends_at: datetime | None = strawberry.field(description="When the next one starts; null when none is planned.")
    status: PriceListStatus = strawberry.field(description="Whether it is in force.")
    prices: Prices = strawberry.field(description="The prices, before the provider's multiplier.")
    free: bool = strawberry.field(description="Whether calls cost nothing.")
    own: bool = strawberry.field(description=OWN)
    multiplier: str = strawberry.field(description="The provider's multiplier while it is in force, like 0.85.")
    derived: bool = strawberry.field(
        description="Follows from a multiplier that is planned for the provider, and goes with that plan."
    )
    charged: Prices = strawberry.field(description="What calls are charged by.")
    created_at: datetime = strawberry.field(description="When it was written down.")

    @classmethod
    def all_of(cls, model: domain.ProviderModel) -> list[PriceList]:
        """Newest first."""
        lists = model.price_lists
        # Whatever is before the current one is over; where none is in force, all are to come.
        place = lists.index(model.current) if model.current is not None else -1
        return [cls._of(lists, index, place) for index in reversed(range(len(lists)))]

    @classmethod
    def _of(cls, lists: Sequence[price_list.PriceList], index: int, place: int) -> PriceList:
        stored = lists[index]
        status = PriceListStatus.CURRENT if index == place else PriceListStatus.COMING
        return cls(
            id=strawberry.ID(stored.id),
            starts_at=stored.starts_at,
            ends_at=lists[index + 1].starts_at if index + 1 < len(lists) else None,
            status=PriceListStatus.PAST if index < place else status,
            prices=Prices.of(stored.prices),
            free=stored.free,
            own=stored.own,
            multiplier=format_factor(stored.multiplier),
            derived=stored.derived,
            charged=Prices.of(stored.charged),
            created_at=stored.created_at,
        )


strawberry.enum(price_list.PriceClass, name="PriceClass", description="Kinds of tokens that have a price each.")


@strawberry.type(description="Tokens of one class with their price.")
class Charge:
    price_class: price_list.PriceClass = strawberry.field(description="The class.")
    tokens: BigInt = strawberry.field(description="How many.")
    price: Usd = strawberry.field(description="US dollars per million.")


@strawberry.type(description="How the cost of a call was reckoned: what these come to, rounded once to a nano-dollar.")
class Charges:
    since: datetime = strawberry.field(description="When these prices had started.")
    free: bool = strawberry.field(description="Whether calls cost nothing.")
    long_context_above: BigInt | None = strawberry.field(
        description="For prompts of more tokens than these the prices are; null where the usual ones are."
    )
    charges: list[Charge] = strawberry.field(description="One for each class that the call used.")

    @classmethod
    def of(cls, stored: price_list.PriceList, used: usage.TokenUsage) -> Charges:
        found = price_list.charges(used, stored.charged)
        lines = [Charge(price_class=c.price_class, tokens=BigInt(c.tokens), price=Usd(c.price)) for c in found]
        above = price_list.tier_of(used, stored.charged)
        return cls(
            since=stored.starts_at,
            free=stored.free,
            long_context_above=None if above is None else BigInt(above),
            charges=lines,
        )
