"""What people change about themselves."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.users.types import UserPayload, user_payload


@strawberry.input
class ChangePasswordInput:
    current_password: str
    new_password: str


@strawberry.type
class ViewerMutations:
    @strawberry.mutation(description="Changes one's own name.", extensions=[members(TokenScope.USERS)])
    async def update_viewer(self, info: Info, name: str) -> UserPayload:
        return user_payload(await info.context.services.users.rename_self(info.context.require_caller(), name))

    @strawberry.mutation(
        description="Changes one's own password and ends all other sessions; not for tokens.",
        extensions=[members(TokenScope.USERS)],
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> UserPayload:
        recovery, caller = info.context.services.recovery, info.context.require_caller()
        return user_payload(await recovery.change(caller, input.current_password, input.new_password))
