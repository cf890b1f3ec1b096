"""Batches behind the fields of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sluicegate.domain.catalog import Model, Provider, ProviderModel
from sluicegate.domain.policy import Grant
from sluicegate.domain.price_list import PriceList
from sluicegate.graphql.context import Context
from sluicegate.kit.errors import NotFound
from sluicegate.ports.pages import Page, PageRequest

V = TypeVar("V")


async def providers(context: Context, ids: list[str]) -> list[Provider]:
    found = await context.services.providers.get_many(context.require_caller(), ids)
    return _each(found, ids, "provider")


async def models_of_providers(context: Context, ids: list[str]) -> list[list[ProviderModel]]:
    found = await context.services.provider_models.of_providers(context.require_caller(), ids)
    return [found.get(provider_id, []) for provider_id in ids]


async def provider_models(context: Context, ids: list[str]) -> list[ProviderModel]:
    found = await context.services.provider_models.get_many(context.require_caller(), ids)
    return _each(found, ids, "provider model")


async def models_behind(context: Context, ids: list[str]) -> list[list[Model]]:
    found = await context.services.models.behind(context.require_caller(), ids)
    return [found[model_id] for model_id in ids]


async def models(context: Context, ids: list[str]) -> list[Model | None]:
    """None for those that are gone meanwhile."""
    found = await context.services.models.named(context.require_caller(), ids)
    return [found.get(model_id) for model_id in ids]


async def price_lists(context: Context, ids: list[str]) -> list[PriceList | None]:
    found = await context.services.price_lists.get_many(context.require_caller(), ids)
    return [found.get(list_id) for list_id in ids]


async def grant_pages(context: Context, models: list[tuple[str, PageRequest]]) -> list[Page[Grant]]:
    return await context.services.grants.pages_for(context.require_caller(), models)


async def grant_totals(context: Context, ids: list[str]) -> list[int]:
    found = await context.services.grants.counts_for(context.require_caller(), ids)
    return [found[model_id] for model_id in ids]


def _each(found: Mapping[str, V], ids: Sequence[str], what: str) -> list[V]:
    """In place of what was deleted since its id was read an error, which is raised for whoever waits for it."""
    each: list[Any] = [found.get(one) or NotFound(what) for one in ids]
    return each
