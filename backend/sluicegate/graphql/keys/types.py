"""Gateway keys as the schema shows them: never with their secret."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.apikey import ApiKey as ApiKeyValue
from sluicegate.domain.apikey import CredentialStatus
from sluicegate.graphql.context import Info
from sluicegate.graphql.users import loaders
from sluicegate.graphql.users.types import User, user_of
from sluicegate.kit.errors import NotFound


@strawberry.type(description="A key for gateway calls.")
class ApiKey:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="The first characters, safe to show.")
    status: CredentialStatus
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    owner_id: strawberry.Private[str]

    @strawberry.field(description="Whose it is.")
    async def owner(self, info: Info) -> User:
        user = await info.context.loader(loaders.users_by_id).load(self.owner_id)
        if user is None:
            raise NotFound("user", field=None)
        return user_of(user)


def key_of(value: ApiKeyValue, now: datetime) -> ApiKey:
    return ApiKey(
        id=strawberry.ID(value.id),
        name=value.name,
        prefix=value.prefix,
        status=value.status(now),
        created_at=value.created_at,
        last_used_at=value.last_used_at,
        expires_at=value.expires_at,
        revoked_at=value.revoked_at,
        owner_id=value.user_id,
    )
