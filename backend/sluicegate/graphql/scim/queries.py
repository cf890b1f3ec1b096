"""How provisioning is set up."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.scim.types import Provisioning, scim_token_of


@strawberry.type
class ScimQueries:
    @strawberry.field(description="How an identity provider provisions people and groups.", extensions=[admins()])
    async def provisioning(self, info: Info) -> Provisioning:
        service = info.context.services.scim_tokens
        now = service.now()
        tokens = await service.all(info.context.require_caller())
        return Provisioning(base_url=service.base_url, tokens=[scim_token_of(token, now) for token in tokens])
