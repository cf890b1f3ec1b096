"""Finding keys."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.keys.types import ApiKey, key_of
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins, members
from sluicegate.ports.pages import KeyState
from sluicegate.services.keys import STALE_DAYS

strawberry.enum(
    KeyState,
    description=f"What to look for among keys. STALE ones work, but made no call for {STALE_DAYS} days.",
)


@strawberry.type
class KeyQueries:
    @strawberry.field(description="The viewer's own keys, newest first.", extensions=[members()])
    async def api_keys(self, info: Info, first: int = 50, after: str | None = None) -> Connection[ApiKey]:
        caller, service = info.context.require_caller(), info.context.services.keys
        now = service.now()
        page = await service.page(caller, page_request(first, after))
        return connection(page, lambda key: key_of(key, now), lambda: service.count(caller))

    @strawberry.field(
        description="Everybody's keys, newest first; `search` looks at their names, beginnings and owners.",
        extensions=[admins()],
    )
    async def all_api_keys(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        search: str | None = None,
        state: KeyState | None = None,
    ) -> Connection[ApiKey]:
        caller, service = info.context.require_caller(), info.context.services.keys
        now = service.now()
        page = await service.page_of_all(caller, search, state, page_request(first, after))
        return connection(page, lambda key: key_of(key, now), lambda: service.count_of_all(caller, search, state))
