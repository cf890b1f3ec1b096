"""Ending sessions."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import members


@strawberry.type(description="How many sessions have ended.")
class SessionsEndedPayload:
    count: int


@strawberry.type
class SessionMutations:
    @strawberry.mutation(
        description="Ends a session at once; members their own, administrators anyone's.",
        extensions=[members(TokenScope.USERS)],
    )
    async def revoke_session(self, info: Info, id: strawberry.ID) -> DeletedPayload:
        await info.context.services.sessions.revoke(info.context.require_caller(), str(id))
        return deleted(id)

    @strawberry.mutation(
        description="Ends all of the viewer's own sessions but the one that asks.",
        extensions=[members(TokenScope.USERS)],
    )
    async def end_other_sessions(self, info: Info) -> SessionsEndedPayload:
        return SessionsEndedPayload(
            count=await info.context.services.sessions.end_others(info.context.require_caller())
        )

    @strawberry.mutation(
        description="Signs somebody out everywhere; members themselves, administrators anyone.",
        extensions=[members(TokenScope.USERS)],
    )
    async def end_user_sessions(self, info: Info, user_id: strawberry.ID) -> SessionsEndedPayload:
        ended = await info.context.services.sessions.end_all(info.context.require_caller(), str(user_id))
        return SessionsEndedPayload(count=ended)
