"""Finding one's own automation tokens."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.tokens.types import AutomationToken, token_of


@strawberry.type
class TokenQueries:
    @strawberry.field(description="The viewer's own tokens, newest first.", extensions=[members()])
    async def automation_tokens(self, info: Info) -> list[AutomationToken]:
        service = info.context.services.tokens
        now = service.now()
        return [token_of(token, now) for token in await service.own(info.context.require_caller())]
