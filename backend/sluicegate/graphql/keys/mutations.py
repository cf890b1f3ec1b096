"""Making and revoking keys."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.keys.types import ApiKey, key_of
from sluicegate.graphql.permissions import members


@strawberry.input
class CreateApiKeyInput:
    name: str = ""
    expires_at: datetime | None = None


@strawberry.type(description="A key that was just made.")
class CreateApiKeyPayload:
    api_key: ApiKey
    secret: str = strawberry.field(description="Shown once.")


@strawberry.type(description="The key as changed.")
class ApiKeyPayload:
    api_key: ApiKey


@strawberry.type
class KeyMutations:
    @strawberry.mutation(description="Makes a key of the viewer's own.", extensions=[members(TokenScope.KEYS)])
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        service = info.context.services.keys
        key, secret = await service.create(info.context.require_caller(), input.name, input.expires_at)
        return CreateApiKeyPayload(api_key=key_of(key, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Stops a key for good; members their own, administrators anyone's.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def revoke_api_key(self, info: Info, id: strawberry.ID) -> ApiKeyPayload:
        service = info.context.services.keys
        key = await service.revoke(info.context.require_caller(), str(id))
        return ApiKeyPayload(api_key=key_of(key, service.now()))
