"""Making and revoking keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import clearable, required
from sluicegate.graphql.keys.types import ApiKey, key_of
from sluicegate.graphql.permissions import members
from sluicegate.graphql.policy.inputs import BudgetInput, RateLimitInput
from sluicegate.graphql.versions import EXPECTED
from sluicegate.services.absent import ABSENT
from sluicegate.services.narrowing import KeyChange, Narrowing


@strawberry.input
class CreateApiKeyInput:
    name: str = ""
    expires_at: datetime | None = None
    model_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="All that it may call, at most 100; absent or null: whatever its owner may call."
    )
    rate_limit: RateLimitInput | None = strawberry.field(default=None, description="Limits of its own.")
    budget: BudgetInput | None = strawberry.field(default=None, description="Caps of its own.")

    def narrowing(self) -> Narrowing:
        return Narrowing(
            None if self.model_ids is None else tuple(self.model_ids),
            (self.rate_limit or RateLimitInput()).value(),
            (self.budget or BudgetInput()).value(),
        )


@strawberry.input(description="An absent field stays as it is.")
class UpdateApiKeyInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="Null: it never expires.")
    model_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="All that it may call, as a whole; null: whatever its owner may call."
    )
    rate_limit: RateLimitInput | None = strawberry.field(
        default=strawberry.UNSET, description="All four limits of its own; null: none."
    )
    budget: BudgetInput | None = strawberry.field(
        default=strawberry.UNSET, description="All caps of its own; null: none."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def change(self) -> KeyChange:
        model_ids = clearable(self.model_ids)
        limits, budget = clearable(self.rate_limit), clearable(self.budget)
        return KeyChange(
            name=required(self.name, "name"),
            expires_at=clearable(self.expires_at),
            model_ids=model_ids if model_ids is ABSENT or model_ids is None else tuple(model_ids),
            limits=limits if limits is ABSENT else (limits or RateLimitInput()).value(),
            budget=budget if budget is ABSENT else (budget or BudgetInput()).value(),
        )


@strawberry.type(description="A key that was just made, or was given a new secret.")
class CreateApiKeyPayload:
    api_key: ApiKey
    secret: str = strawberry.field(description="Shown once.")


Overlap = Annotated[
    int, strawberry.argument(description="For how long the old secret works beside the new one, 0 to 720 hours.")
]


@strawberry.type(description="The key as changed.")
class ApiKeyPayload:
    api_key: ApiKey


@strawberry.type
class KeyMutations:
    @strawberry.mutation(description="Makes a key of the viewer's own.", extensions=[members(TokenScope.KEYS)])
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        service = info.context.services.keys
        caller, narrowing = info.context.require_caller(), input.narrowing()
        key, secret = await service.create(caller, input.name, input.expires_at, narrowing)
        return CreateApiKeyPayload(api_key=key_of(key, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Changes a key, members their own, administrators anyone's. In force when this returns.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> ApiKeyPayload:
        service = info.context.services.keys
        key = await service.update(info.context.require_caller(), str(input.id), input.change(), input.expected_version)
        return ApiKeyPayload(api_key=key_of(key, service.now()))

    @strawberry.mutation(
        description="Gives a key of the viewer's own a new secret; the old one works a while longer.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def rotate_api_key(self, info: Info, id: strawberry.ID, overlap_hours: Overlap = 24) -> CreateApiKeyPayload:
        service = info.context.services.keys
        key, secret = await service.rotate(info.context.require_caller(), str(id), overlap_hours)
        return CreateApiKeyPayload(api_key=key_of(key, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Stops a key for good; members their own, administrators anyone's.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def revoke_api_key(self, info: Info, id: strawberry.ID) -> ApiKeyPayload:
        service = info.context.services.keys
        key = await service.revoke(info.context.require_caller(), str(id))
        return ApiKeyPayload(api_key=key_of(key, service.now()))
