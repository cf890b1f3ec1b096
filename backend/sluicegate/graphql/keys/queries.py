"""Finding one's own keys."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.keys.types import ApiKey, key_of
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import members


@strawberry.type
class KeyQueries:
    @strawberry.field(description="The viewer's own keys, newest first.", extensions=[members()])
    async def api_keys(self, info: Info, first: int = 50, after: str | None = None) -> Connection[ApiKey]:
        caller, service = info.context.require_caller(), info.context.services.keys
        now = service.now()
        page = await service.page(caller, page_request(first, after))
        return connection(page, lambda key: key_of(key, now), lambda: service.count(caller))
