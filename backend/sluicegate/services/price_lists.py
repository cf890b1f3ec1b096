"""Prices that start later, and what calls were charged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import MAX_TOKENS, ModelKind, Provider, ProviderModel, is_priced
from sluicegate.domain.price_list import PriceClass, PriceList, lists_to_come
from sluicegate.domain.usage import Prices
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD, format_usd
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.changes import CATALOG_CHANGED
from sluicegate.services.versions import hold

MAX_COMING = 20
MAX_TIERS = 5
MAX_AHEAD = timedelta(days=3 * 366)
_FIELDS = {
    PriceClass.INPUT: "input",
    PriceClass.CACHE_READ: "cacheRead",
    PriceClass.CACHE_WRITE_5M: "cacheWrite5m",
    PriceClass.CACHE_WRITE_1H: "cacheWrite1h",
    PriceClass.OUTPUT: "output",
}


@dataclass(frozen=True, slots=True)
class ComingPrices:
    """What a provider's model will cost from `starts_at` on."""

    provider_model_id: str
    starts_at: datetime
    prices: Prices
    free: bool = False
    own: bool = False


class PriceListService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, PriceList]:
        """For those who know the ids from calls of theirs."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.prices.get_many(ids)

    async def schedule(
        self, caller: Caller, coming: ComingPrices, expected_version: int | None = None
    ) -> ProviderModel:
        """Prices that come into force by themselves; those that were to start at the same instant are replaced."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            model = await _held(tx, coming.provider_model_id, expected_version)
            check_prices(coming.prices, model.kind)
            now = self._clock.now()
            if coming.starts_at <= now:
                raise InvalidInput("startsAt", "must lie in the future; edit the model to change what calls cost now")
            if coming.starts_at > now + MAX_AHEAD:
                raise InvalidInput("startsAt", "must lie within three years")
            if not is_priced(model.kind, coming.prices, free=coming.free):
                needed = "for input and output" if model.kind is ModelKind.CHAT else "for input"
                raise InvalidInput("prices", f"must be known {needed}, or free: without, calls would not be served")
            same = [other for other in _planned(model, now) if other.starts_at == coming.starts_at]
            if len(_planned(model, now)) - len(same) >= MAX_COMING:
                raise InvalidInput("startsAt", f"may not be one more: {MAX_COMING} changes are planned already")
            for other in same:
                await tx.prices.delete(other.id)
            made = PriceList(
                new_id(),
                model.id,
                coming.starts_at,
                coming.prices,
                coming.free,
                now,
                coming.own,
            )
            await tx.prices.add(made)
            provider = await held_provider(tx, model.provider_id)
            await replan(tx, await _require(tx, model.id), provider, now)
            before = shown_list(same[0]) if same else {}
            return await _recorded(tx, caller, "provider_model.schedule_prices", model, before, shown_list(made))

    async def withdraw(self, caller: Caller, list_id: str) -> ProviderModel:
        """Takes back prices that have not started."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            found = (await tx.prices.get_many([list_id])).get(list_id)
            if found is None:
                raise NotFound("price list")
            model = await _held(tx, found.provider_model_id, None)
            # Somebody else may have been quicker, or it started while this waited.
            found = next((other for other in model.price_lists if other.id == list_id), None)
            if found is None:
                raise NotFound("price list")
            if found.starts_at <= self._clock.now():
                raise InvalidInput("id", "has started: calls were charged by it, so it stays. Set other prices instead")
            if found.derived:
                raise InvalidInput("id", "follows from a multiplier planned for the provider: withdraw that instead")
            await tx.prices.delete(list_id)
            provider = await held_provider(tx, model.provider_id)
            await replan(tx, await _require(tx, model.id), provider, self._clock.now())
            return await _recorded(tx, caller, "provider_model.withdraw_prices", model, shown_list(found), {})


def _planned(model: ProviderModel, now: datetime) -> list[PriceList]:
    return [found for found in model.price_lists if found.starts_at > now and not found.derived]


async def held_provider(tx: Transaction, provider_id: str) -> Provider:
    """With multipliers that stay what they are until the transaction ends."""
    await hold(tx, Edited(Editable.PROVIDER, provider_id), None)
    provider = await tx.catalog.provider(provider_id)
    if provider is None:
        raise NotFound("provider", field="providerId")
    return provider


async def apply_multipliers(tx: Transaction, provider: Provider, now: datetime, *, changed: bool) -> None:
    """All prices of a provider that are not own ones go by its multipliers: from now on where the one in force has
    `changed`, and by each that is planned from its own start. What calls cost until now stays, and what is planned for
    a model keeps its date."""
    for model in (await tx.catalog.models_of_providers([provider.id])).get(provider.id, []):
        current = model.current
        if changed and current is not None and not current.own and not current.free:
            factor = provider.price_multiplier
            current = replace(current, id=new_id(), starts_at=now, created_at=now, multiplier=factor, derived=False)
            await tx.prices.add(current)
            model = await _require(tx, model.id)
        await replan(tx, model, provider, now)


async def replan(tx: Transaction, model: ProviderModel, provider: Provider, now: datetime) -> None:
    """Makes a model's lists to come those that follow from its plans and its provider's."""
    coming = lists_to_come(model.price_lists, now, provider.price_multiplier, provider.planned_multipliers)
    kept = {found.id for found, known in coming if known}
    for found in model.price_lists:
        if found.starts_at > now and found.id not in kept:
            await tx.prices.delete(found.id)
    for found, known in coming:
        if not known:
            await tx.prices.add(replace(found, id=new_id(), created_at=now) if found.derived else found)


async def _held(tx: Transaction, model_id: str, expected_version: int | None) -> ProviderModel:
    # The provider's version goes first wherever both are held.
    await held_provider(tx, (await _require(tx, model_id)).provider_id)
    await hold(tx, Edited(Editable.PROVIDER_MODEL, model_id), expected_version)
    return await _require(tx, model_id)


async def _require(tx: Transaction, model_id: str) -> ProviderModel:
    model = await tx.catalog.provider_model(model_id)
    if model is None:
        raise NotFound("provider model", field="providerModelId")
    return model


async def _recorded(
    tx: Transaction, caller: Caller, action: str, model: ProviderModel, before: dict[str, Any], after: dict[str, Any]
) -> ProviderModel:
    await tx.versions.step(Edited(Editable.PROVIDER_MODEL, model.id))
    await tx.audit.record(caller.actor, action, "provider_model", model.id, model.name, before, after)
    tx.changed(CATALOG_CHANGED)
    return await _require(tx, model.id)


def check_prices(prices: Prices, kind: ModelKind) -> None:
    """Raises InvalidInput naming the class."""
    _check_classes(prices, "prices")
    if len(prices.long_context) > MAX_TIERS:
        raise InvalidInput("prices.longContext", f"takes at most {MAX_TIERS} tiers")
    last = 0
    for index, tier in enumerate(prices.long_context):
        field = f"prices.longContext.{index}"
        if not last < tier.above <= MAX_TOKENS:
            low = "1" if index == 0 else f"{last + 1}, above the tier before"
            raise InvalidInput(f"{field}.above", f"must lie between {low}, and {MAX_TOKENS} tokens")
        last = tier.above
        _check_classes(tier.prices, field)
        if tier.prices.input is None:
            raise InvalidInput(f"{field}.input", "must be known; calls of this length would cost nothing otherwise")
        if tier.prices.output is None and kind is ModelKind.CHAT:
            raise InvalidInput(f"{field}.output", "must be known; calls of this length would cost nothing otherwise")


def _check_classes(prices: Prices, field: str) -> None:
    for name, named in _FIELDS.items():
        price = getattr(prices, name)
        if price is not None and not 0 <= price <= MAX_USD * NANOS_PER_USD:
            raise InvalidInput(f"{field}.{named}", f"must lie between 0 and {MAX_USD} US dollars per million tokens")


def shown_prices(prices: Prices) -> dict[str, Any]:
    """What the audit log keeps."""
    shown: dict[str, Any] = {
        name.value: None if (price := getattr(prices, name)) is None else format_usd(price) for name in PriceClass
    }
    if prices.long_context:
        shown["long_context"] = [{"above": tier.above} | shown_prices(tier.prices) for tier in prices.long_context]
    return shown


def shown_list(made: PriceList) -> dict[str, Any]:
    return {
        "starts_at": made.starts_at.isoformat(),
        "prices": shown_prices(made.prices),
        "free": made.free,
        "own": made.own,
    }
