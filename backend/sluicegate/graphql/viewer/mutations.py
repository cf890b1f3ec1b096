"""What people change about themselves."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.users.types import UserPayload, user_payload


@strawberry.type
class ViewerMutations:
    @strawberry.mutation(description="Changes one's own name.", extensions=[members(TokenScope.USERS)])
    async def update_viewer(self, info: Info, name: str) -> UserPayload:
        return user_payload(await info.context.services.users.rename_self(info.context.require_caller(), name))
