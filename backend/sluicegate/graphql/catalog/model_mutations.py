"""Changes of the models that callers name."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ModelKind, ModelStatus
from sluicegate.graphql.catalog.types import Model
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.versions import EXPECTED
from sluicegate.services.absent import ABSENT
from sluicegate.services.models import ModelChange, NewBackend, NewModel


@strawberry.input(description="A provider model to put behind a model.")
class BackendInput:
    provider_model_id: strawberry.ID = strawberry.field(description="What is called.")
    priority: int = strawberry.field(default=0, description="Lowest goes first.")
    weight: int = strawberry.field(default=1, description="Share among equals.")

    def value(self) -> NewBackend:
        return NewBackend(self.provider_model_id, self.priority, self.weight)


@strawberry.input(description="A model to add.")
class CreateModelInput:
    slug: str = strawberry.field(description="What callers send; unique.")
    display_name: str = strawberry.field(default="", description="Its name for people.")
    kind: ModelKind = strawberry.field(default=ModelKind.CHAT, description="What it is called for.")
    status: ModelStatus = strawberry.field(default=ModelStatus.DRAFT, description="ACTIVE needs at least one backend.")
    backends: list[BackendInput] = strawberry.field(default_factory=list, description="What stands behind it.")


@strawberry.input(description="An absent field stays as it is; backends replace all.")
class UpdateModelInput:
    id: strawberry.ID = strawberry.field(description="The model's id.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="What callers send; unique.")
    display_name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name for people.")
    status: ModelStatus | None = strawberry.field(
        default=strawberry.UNSET, description="ACTIVE needs at least one backend."
    )
    backends: list[BackendInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What stands behind it, as a whole."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.type(description="A model as it is now.")
class ModelPayload:
    model: Model = strawberry.field(description="The model.")


Create = Annotated[CreateModelInput, strawberry.argument(description="What to add.")]
Update = Annotated[UpdateModelInput, strawberry.argument(description="What to change.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]


@strawberry.type
class ModelMutations:
    @strawberry.mutation(description="Adds a model.", extensions=[admins(TokenScope.CATALOG)])
    async def create_model(self, info: Info, input: Create) -> ModelPayload:
        backends = tuple(backend.value() for backend in input.backends)
        new = NewModel(input.slug, input.display_name, input.kind, input.status, backends)
        model = await info.context.services.models.create(info.context.require_caller(), new)
        return ModelPayload(model=Model.of(model))

    @strawberry.mutation(description="Changes a model.", extensions=[admins(TokenScope.CATALOG)])
    async def update_model(self, info: Info, input: Update) -> ModelPayload:
        backends = required(input.backends, "backends")
        change = ModelChange(
            slug=required(input.slug, "slug"),
            display_name=required(input.display_name, "displayName"),
            status=required(input.status, "status"),
            backends=backends if backends is ABSENT else tuple(backend.value() for backend in backends),
        )
        model = await info.context.services.models.update(
            info.context.require_caller(), input.id, change, input.expected_version
        )
        return ModelPayload(model=Model.of(model))

    @strawberry.mutation(description="Removes a model and all grants for it.", extensions=[admins(TokenScope.CATALOG)])
    async def delete_model(self, info: Info, id: Id) -> DeletedPayload:
        await info.context.services.models.delete(info.context.require_caller(), id)
        return deleted(id)
