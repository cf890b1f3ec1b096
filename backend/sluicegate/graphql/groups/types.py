"""Groups as the schema shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.user import Group as GroupValue
from sluicegate.domain.version import Editable, Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.groups import loaders
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.users.types import User, user_of
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.ports.pages import UserFilter

if TYPE_CHECKING:
    from sluicegate.graphql.policy.pools import GroupPool
    from sluicegate.graphql.policy.types import Budget, Grant, RateLimit

GrantType = Annotated["Grant", strawberry.lazy("sluicegate.graphql.policy.types")]
RateLimitType = Annotated["RateLimit", strawberry.lazy("sluicegate.graphql.policy.types")]
PoolType = Annotated["GroupPool", strawberry.lazy("sluicegate.graphql.policy.pools")]
BudgetType = Annotated["Budget", strawberry.lazy("sluicegate.graphql.policy.types")]


@strawberry.type(description="People who share grants and limits.")
class Group:
    id: strawberry.ID
    name: str
    description: str
    created_at: datetime

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.GROUP, str(self.id)), info)

    @strawberry.field(description="How many people are in it.")
    async def member_count(self, info: Info) -> int:
        return await info.context.loader(loaders.member_counts).load(str(self.id))

    @strawberry.field(description="Who is in it, by name.")
    async def members(
        self, info: Info, first: int = 50, after: str | None = None, search: str | None = None
    ) -> Connection[User]:
        where = UserFilter(search, group_id=str(self.id))
        page = await info.context.loader(loaders.member_pages).load((where, page_request(first, after)))
        return connection(page, user_of, lambda: info.context.loader(loaders.member_totals).load(where))

    @strawberry.field(description="What its members may call.")
    async def grants(self, info: Info) -> list[GrantType]:
        from sluicegate.graphql.policy import fields

        return await fields.group_grants(str(self.id), info)

    @strawberry.field(description="Counts each member's own use.")
    async def rate_limit(self, info: Info) -> RateLimitType:
        from sluicegate.graphql.policy import fields

        return await fields.group_rate_limit(str(self.id), info)

    @strawberry.field(description="Counts each member's own spending.")
    async def budget(self, info: Info) -> BudgetType:
        from sluicegate.graphql.policy import fields

        return await fields.group_budget(str(self.id), info)

    @strawberry.field(description="What all members draw from together, beside what each has for their own.")
    def pool(self) -> PoolType:
        from sluicegate.graphql.policy.pools import GroupPool

        return GroupPool(group_id=str(self.id))


def group_of(value: GroupValue) -> Group:
    return Group(
        id=strawberry.ID(value.id), name=value.name, description=value.description, created_at=value.created_at
    )


@strawberry.type(description="The group as changed.")
class GroupPayload:
    group: Group


def group_payload(value: GroupValue) -> GroupPayload:
    return GroupPayload(group=group_of(value))
