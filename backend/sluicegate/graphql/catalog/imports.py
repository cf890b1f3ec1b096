"""Taking models over from the price catalogue or from a provider's own list."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from sluicegate.domain import price_catalog as domain
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ModelKind, ProviderKind
from sluicegate.graphql.catalog.prices import Prices, PricesInput
from sluicegate.graphql.catalog.types import CAPABILITIES, CatalogEntry, ProviderModel
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.services import imports as services
from sluicegate.services.provider_models import NewProviderModel

Id = Annotated[strawberry.ID, strawberry.argument(description="The provider's id.")]
Kind = Annotated[ProviderKind, strawberry.argument(description="Of what a provider of this kind may offer.")]


@strawberry.type(description="What models cost by the price pages of their providers.")
class PriceCatalog:
    published_on: date = strawberry.field(description="The day that it is the state of.")
    refreshed: bool = strawberry.field(description="Whether an operator put it in the place of the release's own.")
    entries: list[CatalogEntry] = strawberry.field(description="By name.")

    @classmethod
    def of(cls, catalog: domain.PriceCatalog, entries: list[domain.CatalogEntry]) -> PriceCatalog:
        found = [CatalogEntry.of(entry) for entry in entries]
        return cls(published_on=catalog.published, refreshed=catalog.refreshed, entries=found)


@strawberry.type(description="A model that a provider says it has.")
class ProviderOffer:
    name: str = strawberry.field(description="The name that the provider knows.")
    kind: ModelKind = strawberry.field(description="What it is called for, as far as its name tells.")
    prices: Prices | None = strawberry.field(description="As the provider tells them, else as the catalogue does.")
    context_window: int | None = strawberry.field(description="Most tokens of a call, input and output together.")
    max_output_tokens: int | None = strawberry.field(description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(description=CAPABILITIES)
    catalog_entry: CatalogEntry | None = strawberry.field(description="What the catalogue knows of it.")
    added: bool = strawberry.field(description="Whether it is among the provider's models already.")

    @classmethod
    def of(cls, offer: services.Offer) -> ProviderOffer:
        return cls(
            name=offer.name,
            kind=offer.kind,
            prices=Prices.of(offer.prices) if offer.prices else None,
            context_window=offer.context_window,
            max_output_tokens=offer.max_output_tokens,
            capabilities=list(offer.capabilities),
            catalog_entry=CatalogEntry.of(offer.entry) if offer.entry else None,
            added=offer.added,
        )


@strawberry.type(description="What came of asking a provider for its models.")
class ListProviderOffersPayload:
    ok: bool = strawberry.field(description="Whether it answered with a list.")
    message: str = strawberry.field(description="What happened, for people.")
    offers: list[ProviderOffer] = strawberry.field(description="By name.")


@strawberry.input(description="A model to add.")
class ImportedModelInput:
    name: str = strawberry.field(description="The name that the provider knows.")
    kind: ModelKind = strawberry.field(default=ModelKind.CHAT, description="What it is called for.")
    prices: PricesInput | None = strawberry.field(default=None, description="Absent: unknown, so calls are not served.")
    context_window: int | None = strawberry.field(default=None, description="Most tokens of a call.")
    max_output_tokens: int | None = strawberry.field(default=None, description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(default_factory=list, description=CAPABILITIES)


@strawberry.input(description="Models to add to a provider, all or none.")
class ImportProviderModelsInput:
    provider_id: strawberry.ID = strawberry.field(description="Who offers them.")
    models: list[ImportedModelInput] = strawberry.field(description="At most 500.")


@strawberry.type(description="What was added, and what was there already and stays as it is.")
class ImportProviderModelsPayload:
    provider_models: list[ProviderModel] = strawberry.field(description="Those that were added.")
    skipped: list[str] = strawberry.field(description="Names of those that were there.")


Import = Annotated[ImportProviderModelsInput, strawberry.argument(description="What to add.")]


@strawberry.type
class ImportQueries:
    @strawberry.field(description="What the price catalogue knows.", extensions=[admins()])
    def price_catalog(self, info: Info, kind: Kind) -> PriceCatalog:
        return PriceCatalog.of(*info.context.services.imports.catalog(info.context.require_caller(), kind))


@strawberry.type
class ImportMutations:
    @strawberry.mutation(
        description="Asks a provider for its models, for at most ten seconds.",
        extensions=[admins(TokenScope.CATALOG)],
    )
    async def list_provider_offers(self, info: Info, id: Id) -> ListProviderOffersPayload:
        found = await info.context.services.imports.offers(info.context.require_caller(), id)
        offers = [ProviderOffer.of(offer) for offer in found.offers]
        return ListProviderOffersPayload(ok=found.ok, message=found.message, offers=offers)

    @strawberry.mutation(
        description="Adds models to a provider; those that are there already stay as they are.",
        extensions=[admins(TokenScope.CATALOG)],
    )
    async def import_provider_models(self, info: Info, input: Import) -> ImportProviderModelsPayload:
        models = [
            NewProviderModel(
                provider_id=input.provider_id,
                name=model.name,
                kind=model.kind,
                prices=(model.prices or PricesInput()).value(),
                context_window=model.context_window,
                max_output_tokens=model.max_output_tokens,
                capabilities=tuple(model.capabilities),
            )
            for model in input.models
        ]
        caller = info.context.require_caller()
        added, skipped = await info.context.services.imports.take_over(caller, input.provider_id, models)
        return ImportProviderModelsPayload(
            provider_models=[ProviderModel.of(model) for model in added], skipped=skipped
        )
