"""What can be asked about the catalogue."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import KINDS, ModelKind, ModelStatus
from sluicegate.graphql.catalog.types import AvailableModel, Model, Provider, ProviderKindInfo
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins, members
from sluicegate.services.models import ModelFilter

First = Annotated[int, strawberry.argument(description="At most so many, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the row to go on after.")]
Search = Annotated[str | None, strawberry.argument(description="Text anywhere in the name, in any case.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
Kind = Annotated[ModelKind | None, strawberry.argument(description="Only of this kind.")]
Status = Annotated[ModelStatus | None, strawberry.argument(description="Only in this status.")]


@strawberry.type
class CatalogQueries:
    @strawberry.field(description="Every kind of provider with what it needs.", extensions=[members()])
    def provider_kinds(self) -> list[ProviderKindInfo]:
        return [ProviderKindInfo.of(kind) for kind in KINDS]

    @strawberry.field(description="All providers, by name.", extensions=[admins()])
    async def providers(
        self, info: Info, first: First = 50, after: After = None, search: Search = None
    ) -> Connection[Provider]:
        caller, service = info.context.require_caller(), info.context.services.providers
        page = await service.page(caller, search, page_request(first, after))
        return connection(page, Provider.of, lambda: service.count(caller, search))

    @strawberry.field(description="One provider; null when there is none.", extensions=[admins()])
    async def provider(self, info: Info, id: Id) -> Provider | None:
        found = await info.context.services.providers.get(info.context.require_caller(), id)
        return Provider.of(found) if found else None

    @strawberry.field(description="All models, by slug.", extensions=[admins()])
    async def models(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        search: Search = None,
        kind: Kind = None,
        status: Status = None,
    ) -> Connection[Model]:
        caller, service = info.context.require_caller(), info.context.services.models
        where = ModelFilter(search, kind, status)
        page = await service.page(caller, where, page_request(first, after))
        return connection(page, Model.of, lambda: service.count(caller, where))

    @strawberry.field(description="One model; null when there is none.", extensions=[admins()])
    async def model(self, info: Info, id: Id) -> Model | None:
        found = await info.context.services.models.get(info.context.require_caller(), id)
        return Model.of(found) if found else None

    @strawberry.field(
        description="The models that the viewer may call, by slug.", extensions=[members(TokenScope.READ)]
    )
    async def available_models(self, info: Info) -> list[AvailableModel]:
        found = await info.context.services.effective.available(info.context.require_caller())
        return [AvailableModel.of(model) for model in found]
