"""Finding people."""

from __future__ import annotations

import strawberry

from sluicegate.domain.user import Role, UserStatus
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins, members
from sluicegate.graphql.users.types import User, user_of
from sluicegate.ports.pages import UserFilter, UserSort

strawberry.enum(UserSort, description="Orders of a list of people; without a name the e-mail counts.")


@strawberry.type
class UserQueries:
    @strawberry.field(description="Everybody, or those who match.", extensions=[admins()])
    async def users(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        search: str | None = None,
        role: Role | None = None,
        status: UserStatus | None = None,
        group_id: strawberry.ID | None = None,
        sort: UserSort = UserSort.NAME_ASC,
    ) -> Connection[User]:
        caller, service = info.context.require_caller(), info.context.services.users
        where = UserFilter(search, role, status, str(group_id) if group_id is not None else None)
        page = await service.page(caller, where, sort.value, page_request(first, after))
        return connection(page, user_of, lambda: service.count(caller, where))

    @strawberry.field(description="One person; members may ask for themselves.", extensions=[members()])
    async def user(self, info: Info, id: strawberry.ID) -> User | None:
        found = await info.context.services.users.get(info.context.require_caller(), str(id))
        return user_of(found) if found is not None else None
