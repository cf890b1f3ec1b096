"""Inviting people."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.graphql.context import Info
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.users.types import User, user_of
from sluicegate.services.invitations import Invited


@strawberry.input
class InviteUsersInput:
    emails: list[str]
    role: Role = Role.MEMBER
    group_ids: list[strawberry.ID] = strawberry.field(default_factory=list)


@strawberry.type(description="Why an address was not invited.")
class InviteError:
    code: str
    message: str


@strawberry.type(description="What came of one address.")
class InviteResult:
    email: str
    user: User | None
    invite_url: str | None = strawberry.field(
        description="One-time link, shown once; null when it was sent by mail or on error."
    )
    error: InviteError | None


@strawberry.type(description="One result per address, in the order given.")
class InviteUsersPayload:
    results: list[InviteResult]


@strawberry.type(description="The person with a new link; the old one is dead.")
class ResendInvitationPayload:
    user: User
    invite_url: str | None


@strawberry.type
class InvitationMutations:
    @strawberry.mutation(description="Invites up to 100 addresses.", extensions=[admins(TokenScope.USERS)])
    async def invite_users(self, info: Info, input: InviteUsersInput) -> InviteUsersPayload:
        results = await info.context.services.invitations.invite(
            info.context.require_caller(), input.emails, input.role, [str(group_id) for group_id in input.group_ids]
        )
        return InviteUsersPayload(results=[_result(result) for result in results])

    @strawberry.mutation(description="Makes a new link; the old one dies.", extensions=[admins(TokenScope.USERS)])
    async def resend_invitation(self, info: Info, user_id: strawberry.ID) -> ResendInvitationPayload:
        user, url = await info.context.services.invitations.resend(info.context.require_caller(), str(user_id))
        return ResendInvitationPayload(user=user_of(user), invite_url=url)

    @strawberry.mutation(
        description="Withdraws a pending invitation and removes its user.", extensions=[admins(TokenScope.USERS)]
    )
    async def withdraw_invitation(self, info: Info, user_id: strawberry.ID) -> DeletedPayload:
        await info.context.services.invitations.withdraw(info.context.require_caller(), str(user_id))
        return deleted(user_id)


def _result(result: Invited) -> InviteResult:
    return InviteResult(
        email=result.email,
        user=user_of(result.user) if result.user is not None else None,
        invite_url=result.url,
        error=InviteError(code=result.error.code, message=result.error.message) if result.error is not None else None,
    )
