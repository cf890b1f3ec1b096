"""The models that providers offer, with what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import MAX_TOKENS, UNKNOWN_PRICES, ModelKind, ProviderModel, check_capabilities
from sluicegate.domain.price_list import PriceList
from sluicegate.domain.usage import Prices
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.text import check_visible
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.changes import CATALOG_CHANGED
from sluicegate.services.price_lists import check_prices, held_provider, replan, shown_prices
from sluicegate.services.versions import hold

_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class NewProviderModel:
    provider_id: str
    name: str
    kind: ModelKind = ModelKind.CHAT
    prices: Prices = UNKNOWN_PRICES
    free: bool = False
    own: bool = False
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderModelChange:
    """Prices replace all five classes, from now on: what calls cost until now stays in the model's price lists."""

    prices: Prices | Absent = ABSENT
    free: bool | Absent = ABSENT
    own: bool | Absent = ABSENT
    context_window: int | Absent | None = ABSENT
    max_output_tokens: int | Absent | None = ABSENT
    capabilities: tuple[str, ...] | Absent = ABSENT


class ProviderModelService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, ProviderModel]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.provider_models(ids)

    async def of_providers(self, caller: Caller, provider_ids: Sequence[str]) -> dict[str, list[ProviderModel]]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.models_of_providers(provider_ids)

    async def create(self, caller: Caller, new: NewProviderModel) -> ProviderModel:
        added, _ = await self._add(caller, new.provider_id, [new], skip=False)
        return added[0]

    async def create_many(
        self, caller: Caller, provider_id: str, new: Sequence[NewProviderModel]
    ) -> tuple[list[ProviderModel], list[str]]:
        """All or none; gives those that were added, and the names of those that are there already. A fault names the
        place of the model, like `models.3.name`."""
        return await self._add(caller, provider_id, new, skip=True)

    async def _add(
        self, caller: Caller, provider_id: str, new: Sequence[NewProviderModel], *, skip: bool
    ) -> tuple[list[ProviderModel], list[str]]:
        caller.require_admin(TokenScope.CATALOG)
        models: list[ProviderModel] = []
        for index, one in enumerate(new):
            with _at(f"models.{index}" if skip else None):
                models.append(self._checked(one, provider_id))
        added: list[ProviderModel] = []
        skipped: list[str] = []
        async with self._store.write() as tx:
            provider = await held_provider(tx, provider_id)
            factor = provider.price_multiplier
            names = {known.name for known in (await tx.catalog.models_of_providers([provider_id])).get(provider_id, [])}
            for one, model in zip(new, models, strict=True):
                if model.name in names and skip:
                    skipped.append(model.name)
                    continue
                if model.name in names:
                    raise Conflict(f"{provider.name} has a model called {model.name} already.", field="name")
                names.add(model.name)
                if one.free or one.prices != UNKNOWN_PRICES:
                    model = model.costing(one.prices, free=one.free, own=one.own, multiplier=factor, list_id=new_id())
                await tx.catalog.add_provider_model(model)
                if model.price_lists and provider.planned_multipliers:
                    await replan(tx, model, provider, model.created_at)
                    model = await _require(tx, model.id)
                await _record(tx, caller, "provider_model.create", model, {}, _shown(model))
                added.append(model)
        return added, skipped

    def _checked(self, new: NewProviderModel, provider_id: str) -> ProviderModel:
        model = ProviderModel(
            id=new_id(),
            provider_id=provider_id,
            name=_checked_name(new.name),
            kind=new.kind,
            context_window=new.context_window,
            max_output_tokens=new.max_output_tokens,
            created_at=self._clock.now(),
            capabilities=new.capabilities,
        )
        check_prices(new.prices, new.kind)
        _check(model)
        return model

    async def update(
        self, caller: Caller, model_id: str, change: ProviderModelChange, expected_version: int | None = None
    ) -> ProviderModel:
        caller.require_admin(TokenScope.CATALOG)
        values = {f.name: v for f in fields(change) if (v := getattr(change, f.name)) is not ABSENT}
        costs = {name: values.pop(name) for name in ("prices", "free", "own") if name in values}
        async with self._store.write() as tx:
            provider = await held_provider(tx, (await _require(tx, model_id)).provider_id)
            await hold(tx, thing := Edited(Editable.PROVIDER_MODEL, model_id), expected_version)
            before = await _require(tx, model_id)
            now = self._clock.now()
            after = _recosted(replace(before, **values), costs, provider.price_multiplier, now)
            check_prices(after.prices, after.kind)
            _check(after)
            if after != before:
                await tx.versions.step(thing)
                await tx.catalog.update_provider_model(model_id, **values)
                if after.current is not None and after.current is not before.current:
                    await tx.prices.add(after.current)
                    if provider.planned_multipliers:
                        await replan(tx, after, provider, now)
                        after = await _require(tx, model_id)
                await _record(tx, caller, "provider_model.update", after, _shown(before), _shown(after))
        return after

    async def delete(self, caller: Caller, model_id: str) -> None:
        """Backends that it stands behind go too."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            await _require(tx, model_id)
            await hold(tx, Edited(Editable.PROVIDER_MODEL, model_id), None)
            model = await _require(tx, model_id)
            await tx.catalog.delete_provider_model(model_id)
            await _record(tx, caller, "provider_model.delete", model, _shown(model), {})


@contextmanager
def _at(place: str | None) -> Iterator[None]:
    """Faults within name their field below `place`."""
    try:
        yield
    except InvalidInput as fault:
        if place is None:
            raise
        raise InvalidInput(f"{place}.{fault.field}", fault.message) from None


def _recosted(model: ProviderModel, costs: dict[str, Any], multiplier: int, now: datetime) -> ProviderModel:
    """With other prices from now on, where they are others; those that come later stay as they are planned."""
    terms = {"prices": model.prices, "free": model.free, "own": model.own} | costs
    if terms == {"prices": model.prices, "free": model.free, "own": model.own}:
        return model
    made = PriceList(
        id=new_id(), provider_model_id=model.id, starts_at=now, created_at=now, multiplier=multiplier, **terms
    )
    lists = sorted((*model.price_lists, made), key=lambda found: (found.starts_at, found.id))
    return replace(model, price_lists=tuple(lists), current=made)


async def _require(tx: Transaction, model_id: str) -> ProviderModel:
    model = await tx.catalog.provider_model(model_id)
    if model is None:
        raise NotFound("provider model")
    return model


async def _record(
    tx: Transaction, caller: Caller, action: str, model: ProviderModel, before: dict[str, Any], after: dict[str, Any]
) -> None:
    await tx.audit.record(caller.actor, action, "provider_model", model.id, model.name, before, after)
    tx.changed(CATALOG_CHANGED)


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > _MAX_NAME:
        raise InvalidInput("name", f"must have 1 to {_MAX_NAME} characters")
    check_visible(name, "name")
    return name


def _check(model: ProviderModel) -> None:
    for name, field in (("context_window", "contextWindow"), ("max_output_tokens", "maxOutputTokens")):
        tokens = getattr(model, name)
        if tokens is not None and not 1 <= tokens <= MAX_TOKENS:
            raise InvalidInput(field, f"must lie between 1 and {MAX_TOKENS} tokens")
    check_capabilities(model.capabilities, "capabilities")


def _shown(model: ProviderModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind.value,
        "prices": shown_prices(model.prices),
        "free": model.free,
        "own": model.own,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": list(model.capabilities),
    }
