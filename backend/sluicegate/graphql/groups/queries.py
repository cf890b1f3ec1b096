"""Finding groups."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.groups.types import Group, group_of
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins


@strawberry.type
class GroupQueries:
    @strawberry.field(description="All groups by name, or those that match.", extensions=[admins()])
    async def groups(
        self, info: Info, first: int = 50, after: str | None = None, search: str | None = None
    ) -> Connection[Group]:
        caller, service = info.context.require_caller(), info.context.services.groups
        page = await service.page(caller, search, page_request(first, after))
        return connection(page, group_of, lambda: service.count(caller, search))

    @strawberry.field(description="One group.", extensions=[admins()])
    async def group(self, info: Info, id: strawberry.ID) -> Group | None:
        found = await info.context.services.groups.get(info.context.require_caller(), str(id))
        return group_of(found) if found is not None else None
