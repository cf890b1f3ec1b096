"""Types of the catalogue."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain import catalog as domain
from sluicegate.domain import price_catalog, usage
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.version import Editable, Edited
from sluicegate.graphql.catalog import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.catalog import loaders
from sluicegate.graphql.catalog.prices import OWN, PlannedMultiplier, PriceList, Prices
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.kit.money import format_factor
from sluicegate.policy.compile import CompiledModel

if TYPE_CHECKING:
    from sluicegate.graphql.policy.types import Grant

GrantType = Annotated["Grant", strawberry.lazy("sluicegate.graphql.policy.types")]
First = Annotated[int, strawberry.argument(description="At most so many, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the row to go on after.")]


CAPABILITIES = "Words such as tools, vision and reasoning; none where they are not known."


@strawberry.type(description="A model as the price catalogue knows it.")
class CatalogEntry:
    model: str = strawberry.field(description="The name that the provider knows.")
    kind: domain.ModelKind = strawberry.field(description="What it is called for.")
    prices: Prices = strawberry.field(description="By the provider's public price page.")
    context_window: int | None = strawberry.field(description="Most tokens of a call, input and output together.")
    max_output_tokens: int | None = strawberry.field(description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(description="What it can do, such as tools, vision, reasoning.")
    source: str = strawberry.field(description="The address of the price page.")
    as_of: date = strawberry.field(description="The day on which the prices were taken down.")
    details_source: str | None = strawberry.field(description="Where the longest answer and the capabilities stand.")
    details_as_of: date | None = strawberry.field(description="The day that these are the state of.")

    @classmethod
    def of(cls, entry: price_catalog.CatalogEntry) -> CatalogEntry:
        return cls(
            model=entry.model,
            kind=entry.serves,
            prices=Prices.of(entry.prices),
            context_window=entry.context_window,
            max_output_tokens=entry.max_output_tokens,
            capabilities=list(entry.capabilities),
            source=entry.source,
            as_of=entry.as_of,
            details_source=entry.details_source,
            details_as_of=entry.details_as_of,
        )


@strawberry.type(description="A model as one provider offers it.")
class ProviderModel:
    id: strawberry.ID = strawberry.field(description="Its id.")
    stored: strawberry.Private[domain.ProviderModel]
    name: str = strawberry.field(description="The name that the provider knows.")
    kind: domain.ModelKind = strawberry.field(description="What it is called for.")
    prices: Prices = strawberry.field(description="What calls cost now, before the provider's multiplier.")
    charged: Prices = strawberry.field(description="What calls are charged by now.")
    own: bool = strawberry.field(description=OWN)
    free: bool = strawberry.field(description="An admin declared that calls cost nothing.")
    priced: bool = strawberry.field(
        description="Whether calls are served: input and output prices are known, or it is free."
    )
    context_window: int | None = strawberry.field(description="Most tokens of a call, input and output together.")
    max_output_tokens: int | None = strawberry.field(description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(description=CAPABILITIES)
    created_at: datetime = strawberry.field(description="When it was added.")

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.PROVIDER_MODEL, str(self.id)), info)

    @strawberry.field(description="What calls cost in the past, now and later as far as planned; newest first.")
    def price_lists(self) -> list[PriceList]:
        return PriceList.all_of(self.stored)

    @strawberry.field(description="What the price catalogue knows of it; null when nothing.")
    async def catalog_entry(self, info: Info) -> CatalogEntry | None:
        provider = await info.context.loader(loaders.providers).load(self.stored.provider_id)
        caller = info.context.require_caller()
        found = info.context.services.imports.entry_for(caller, provider.kind, self.stored.name)
        return CatalogEntry.of(found) if found else None

    @strawberry.field(description="Who offers it.")
    async def provider(self, info: Info) -> Provider:
        return Provider.of(await info.context.loader(loaders.providers).load(self.stored.provider_id))

    @strawberry.field(description="Why no call goes there, whatever stands in front of it; null when calls may.")
    async def obstacle(self, info: Info) -> str | None:
        provider = await info.context.loader(loaders.providers).load(self.stored.provider_id)
        return domain.obstacle_to(provider, self.stored)

    @strawberry.field(description="The models that it stands behind, by slug.")
    async def used_by(self, info: Info) -> list[Model]:
        found = await info.context.loader(loaders.models_behind).load(str(self.id))
        return [Model.of(model) for model in found]

    @classmethod
    def of(cls, model: domain.ProviderModel) -> ProviderModel:
        return cls(
            id=strawberry.ID(model.id),
            stored=model,
            name=model.name,
            kind=model.kind,
            prices=Prices.of(model.prices),
            charged=Prices.of(model.current.charged if model.current else model.prices),
            own=model.own,
            free=model.free,
            priced=model.priced,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            capabilities=list(model.capabilities),
            created_at=model.created_at,
        )


@strawberry.type(description="Where models come from.")
class Provider:
    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="What people call it.")
    kind: domain.ProviderKind = strawberry.field(description="Whose interface it has.")
    base_url: str | None = strawberry.field(description="Where it is called; null = the usual address of its kind.")
    organization: str | None = strawberry.field(description="Organisation that calls are billed to, where it has such.")
    region: str | None = strawberry.field(description="Region, where it has such.")
    api_version: str | None = strawberry.field(
        description="Version of its interface, where it has such; null = the newest, which needs none."
    )
    header_names: list[str] = strawberry.field(description="Further headers that are sent to it; nobody sees values.")
    price_multiplier: str = strawberry.field(description="Factor now on all prices but own ones, like 0.85.")
    planned_multipliers: list[PlannedMultiplier] = strawberry.field(description="Those to come, oldest first.")
    serves_responses: bool = strawberry.field(
        description="False: calls of Responses are translated to Chat Completions on the way there."
    )
    enabled: bool = strawberry.field(description="Whether calls may go there.")
    credential_prefix: str | None = strawberry.field(
        description="First characters of the credential; null when none is stored."
    )
    credential_updated_at: datetime | None = strawberry.field(description="When the credential last changed.")
    created_at: datetime = strawberry.field(description="When it was added.")

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.PROVIDER, str(self.id)), info)

    @strawberry.field(description="What it offers, by name.")
    async def models(self, info: Info) -> list[ProviderModel]:
        found = await info.context.loader(loaders.models_of_providers).load(str(self.id))
        return [ProviderModel.of(model) for model in found]

    @classmethod
    def of(cls, provider: domain.Provider) -> Provider:
        return cls(
            id=strawberry.ID(provider.id),
            name=provider.name,
            kind=provider.kind,
            base_url=provider.base_url,
            organization=provider.organization,
            region=provider.region,
            api_version=provider.api_version,
            header_names=list(provider.header_names),
            price_multiplier=format_factor(provider.price_multiplier),
            planned_multipliers=[PlannedMultiplier.of(plan) for plan in provider.planned_multipliers],
            serves_responses=provider.serves_responses,
            enabled=provider.enabled,
            credential_prefix=provider.credential_prefix,
            credential_updated_at=provider.credential_updated_at,
            created_at=provider.created_at,
        )


@strawberry.type(description="What a kind of provider needs.")
class ProviderKindInfo:
    kind: domain.ProviderKind = strawberry.field(description="The kind.")
    label: str = strawberry.field(description="Its name for people.")
    default_base_url: str | None = strawberry.field(description="Where it is called unless told otherwise.")
    base_url_required: bool = strawberry.field(description="Whether an address must be given.")
    credential_required: bool = strawberry.field(description="Whether it cannot be called without a credential.")
    takes_organization: bool = strawberry.field(description="Whether calls may name an organisation.")
    takes_region: bool = strawberry.field(description="Whether it has regions.")
    takes_api_version: bool = strawberry.field(description="Whether its interface has versions to choose from.")
    takes_headers: bool = strawberry.field(description="Whether further headers may be sent to it.")
    chooses_responses: bool = strawberry.field(description="Whether a provider says if it serves Responses.")
    takes_access_keys: bool = strawberry.field(description="Whether it may be called with a pair of AWS keys.")

    @classmethod
    def of(cls, kind: domain.ProviderKind) -> ProviderKindInfo:
        facts = domain.KINDS[kind]
        return cls(
            kind=kind,
            label=facts.label,
            default_base_url=facts.default_base_url,
            base_url_required=facts.base_url_required,
            credential_required=facts.credential_required,
            takes_organization=facts.takes_organization,
            takes_region=facts.takes_region,
            takes_api_version=facts.takes_api_version,
            takes_headers=facts.takes_headers,
            chooses_responses=facts.chooses_responses,
            takes_access_keys=facts.takes_access_keys,
        )


@strawberry.type(description="One provider model behind a model.")
class Backend:
    id: strawberry.ID = strawberry.field(description="Its id.")
    provider_model_id: strawberry.Private[str]
    priority: int = strawberry.field(description="Lowest goes first.")
    weight: int = strawberry.field(description="Share among equals.")

    @strawberry.field(description="What is called.")
    async def provider_model(self, info: Info) -> ProviderModel:
        return ProviderModel.of(await info.context.loader(loaders.provider_models).load(self.provider_model_id))

    @classmethod
    def of(cls, backend: domain.Backend) -> Backend:
        return cls(
            id=strawberry.ID(backend.id),
            provider_model_id=backend.provider_model_id,
            priority=backend.priority,
            weight=backend.weight,
        )


@strawberry.type(description="A model as callers name it.")
class Model:
    id: strawberry.ID = strawberry.field(description="Its id.")
    slug: str = strawberry.field(description="What callers send.")
    display_name: str = strawberry.field(description="Its name for people; may be empty.")
    kind: domain.ModelKind = strawberry.field(description="What it is called for.")
    status: domain.ModelStatus = strawberry.field(description="Whether it is served.")
    created_at: datetime = strawberry.field(description="When it was added.")
    stored_backends: strawberry.Private[tuple[domain.Backend, ...]]

    @strawberry.field(
        description="What stands behind it, in the order in which it is tried.", extensions=[admins(TokenScope.READ)]
    )
    def backends(self) -> list[Backend]:
        return [Backend.of(backend) for backend in self.stored_backends]

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.MODEL, str(self.id)), info)

    @strawberry.field(description="Who may call it: groups first, then people.", extensions=[admins(TokenScope.READ)])
    async def grants(self, info: Info, first: First = 50, after: After = None) -> Connection[GrantType]:
        from sluicegate.graphql.policy.types import Grant

        model_id = str(self.id)
        page = await info.context.loader(loaders.grant_pages).load((model_id, page_request(first, after)))
        return connection(page, Grant.of, lambda: info.context.loader(loaders.grant_totals).load(model_id))

    @classmethod
    def of(cls, model: domain.Model) -> Model:
        return cls(
            id=strawberry.ID(model.id),
            slug=model.slug,
            display_name=model.display_name,
            kind=model.kind,
            status=model.status,
            created_at=model.created_at,
            stored_backends=model.backends,
        )


@strawberry.type(description="A model that the viewer may call.")
class AvailableModel:
    slug: str = strawberry.field(description="What to send as the model.")
    display_name: str = strawberry.field(description="Its name for people.")
    kind: domain.ModelKind = strawberry.field(description="What it is called for.")
    provider: str = strawberry.field(description="Who serves it, as a rule.")
    context_window: int | None = strawberry.field(description="Most tokens of a call, input and output together.")
    max_output_tokens: int | None = strawberry.field(description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(description=CAPABILITIES)
    prices: Prices = strawberry.field(description="What calls cost, as a rule.")
    free: bool = strawberry.field(description="Whether calls cost nothing, as a rule.")

    @classmethod
    def of(cls, model: CompiledModel) -> AvailableModel:
        first = model.routes[0]
        return cls(
            slug=model.slug,
            display_name=model.display_name,
            kind=model.kind,
            provider=first.provider_name,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            capabilities=list(model.capabilities),
            prices=Prices.of(first.prices),
            free=first.prices == usage.Prices(0, 0, 0, 0, 0),
        )
