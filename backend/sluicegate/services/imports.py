"""Models that are taken over from a provider's own list, or from the price catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ModelKind, ProviderKind, ProviderModel
from sluicegate.domain.price_catalog import CatalogEntry, PriceCatalog
from sluicegate.domain.usage import Prices
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.prices import CatalogSource
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller
from sluicegate.services.model_lists import TOLD_CAPABILITIES, ListedModel, read_models
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.provider_tests import ProviderTestService

MAX_IMPORTED = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a provider says it has. Prices, sizes and capabilities are the provider's own where it tells them,
    else those of the catalogue; `added` tells whether it is among the provider's models already."""

    name: str
    kind: ModelKind
    prices: Prices | None
    context_window: int | None
    max_output_tokens: int | None
    capabilities: tuple[str, ...]
    entry: CatalogEntry | None
    added: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """What came of asking, in words for people where it failed."""

    ok: bool
    message: str
    offers: Sequence[Offer] = ()


class ImportService:
    def __init__(
        self,
        store: Store,
        source: CatalogSource,
        provider_tests: ProviderTestService,
        provider_models: ProviderModelService,
    ) -> None:
        self._store = store
        self._source = source
        self._provider_tests = provider_tests
        self._provider_models = provider_models

    def catalog(self, caller: Caller, kind: ProviderKind) -> tuple[PriceCatalog, list[CatalogEntry]]:
        """The catalogue, and what it knows of one kind."""
        caller.require_admin(TokenScope.READ)
        found = self._source.load()
        return found, found.of(kind)

    def entry_for(self, caller: Caller, kind: ProviderKind, model: str) -> CatalogEntry | None:
        caller.require_admin(TokenScope.READ)
        return self._source.load().find(kind, model)

    async def offers(self, caller: Caller, provider_id: str) -> Offers:
        """Asks a provider for its models, for at most ten seconds."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.read() as tx:
            provider = await tx.catalog.provider(provider_id)
            known = {model.name for model in (await tx.catalog.models_of_providers([provider_id])).get(provider_id, [])}
        verdict, bodies = await self._provider_tests.model_list(caller, provider_id)
        if provider is None or not verdict.ok:
            return Offers(False, verdict.message)
        listed = read_models(*bodies)
        if listed is None:
            return Offers(False, "The provider answered with something that is no model list.")
        catalog = self._source.load()
        found = [_offer(model, catalog.find(provider.kind, model.name), model.name in known) for model in listed]
        return Offers(True, verdict.message, sorted(found, key=lambda offer: offer.name))

    async def take_over(
        self, caller: Caller, provider_id: str, models: Sequence[NewProviderModel]
    ) -> tuple[list[ProviderModel], list[str]]:
        """Adds models, all or none; gives them, and the names of those that are there already, which stay as they
        are."""
        caller.require_admin(TokenScope.CATALOG)
        if not 1 <= len(models) <= MAX_IMPORTED:
            raise InvalidInput("models", f"takes 1 to {MAX_IMPORTED}")
        return await self._provider_models.create_many(caller, provider_id, models)


def _offer(model: ListedModel, entry: CatalogEntry | None, added: bool) -> Offer:
    return Offer(
        name=model.name,
        kind=entry.serves if entry else model.kind,
        prices=model.prices or (entry.prices if entry else None),
        context_window=model.context_window or (entry.context_window if entry else None),
        max_output_tokens=model.max_output_tokens or (entry.max_output_tokens if entry else None),
        capabilities=_capabilities(model, entry.capabilities if entry else ()),
        entry=entry,
        added=added,
    )


def _capabilities(model: ListedModel, known: Sequence[str]) -> tuple[str, ...]:
    """What the provider's list tells, and what the catalogue knows of the rest."""
    if model.capabilities is None:
        return tuple(known)
    return tuple(sorted({*model.capabilities, *(word for word in known if word not in TOLD_CAPABILITIES)}))
