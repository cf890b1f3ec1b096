"""Finding one's own sessions."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.sessions.types import Session, session_of


@strawberry.type
class SessionQueries:
    @strawberry.field(description="The viewer's own sessions, the one seen last first.", extensions=[members()])
    async def sessions(self, info: Info) -> list[Session]:
        caller = info.context.require_caller()
        found = await info.context.services.sessions.of_users(caller, [caller.user.id])
        return [session_of(session, caller) for session in found[caller.user.id]]
