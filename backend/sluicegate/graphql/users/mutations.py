"""Changing people."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.users.types import User, UserPayload, user_of, user_payload
from sluicegate.graphql.versions import EXPECTED, ExpectedVersion


@strawberry.input(description="An absent field stays as it is.")
class UpdateUserInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    role: Role | None = strawberry.UNSET
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.type(description="A link by which a person can set a new password; older ones are dead.")
class PasswordResetLinkPayload:
    user: User
    reset_url: str | None = strawberry.field(description="Shown once; null when it was sent by mail.")


@strawberry.type
class UserMutations:
    @strawberry.mutation(description="Changes name or role.", extensions=[admins(TokenScope.USERS)])
    async def update_user(self, info: Info, input: UpdateUserInput) -> UserPayload:
        name, role = required(input.name, "name"), required(input.role, "role")
        service, caller = info.context.services.users, info.context.require_caller()
        return user_payload(await service.update(caller, str(input.id), name, role, input.expected_version))

    @strawberry.mutation(
        description="Keys and sessions stop working at once; everything is kept.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def suspend_user(
        self, info: Info, id: strawberry.ID, expected_version: ExpectedVersion = None
    ) -> UserPayload:
        return user_payload(
            await info.context.services.users.suspend(info.context.require_caller(), str(id), expected_version)
        )

    @strawberry.mutation(description="Undoes a suspension.", extensions=[admins(TokenScope.USERS)])
    async def reactivate_user(
        self, info: Info, id: strawberry.ID, expected_version: ExpectedVersion = None
    ) -> UserPayload:
        return user_payload(
            await info.context.services.users.reactivate(info.context.require_caller(), str(id), expected_version)
        )

    @strawberry.mutation(
        description="Removes the account with its keys, sessions, grants and memberships; usage history stays.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def delete_user(self, info: Info, id: strawberry.ID) -> DeletedPayload:
        await info.context.services.users.delete(info.context.require_caller(), str(id))
        return deleted(id)

    @strawberry.mutation(
        description="Makes a link, good for one hour, for somebody who forgot the password.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def create_password_reset_link(self, info: Info, user_id: strawberry.ID) -> PasswordResetLinkPayload:
        recovery = info.context.services.recovery
        user, url = await recovery.create_link(info.context.require_caller(), str(user_id))
        return PasswordResetLinkPayload(user=user_of(user), reset_url=url)
