"""Looking at all limits and caps."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.policy import SubjectKind
from sluicegate.graphql.context import Info
from sluicegate.graphql.overview.types import (
    BudgetOwner,
    CapUseFilter,
    RateLimitOwner,
    budget_owner_of,
    limit_owner_of,
)
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins
from sluicegate.ports.overview import OwnerFilter

Search = Annotated[str | None, strawberry.argument(description="Anywhere in names and e-mails.")]
Kind = Annotated[SubjectKind | None, strawberry.argument(description="Only USER, GROUP or POOL.")]
Use = Annotated[CapUseFilter | None, strawberry.argument(description="Only with a cap that is used up so far.")]


@strawberry.type
class OverviewQueries:
    @strawberry.field(
        description="All users, groups and pools that have a budget, lasting or for a while, by name.",
        extensions=[admins()],
    )
    async def budget_owners(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        search: Search = None,
        kind: Kind = None,
        use: Use = None,
    ) -> Connection[BudgetOwner]:
        caller, service = info.context.require_caller(), info.context.services.overview
        where = OwnerFilter(search, kind)
        page = await service.budgets(caller, where, use, page_request(first, after))
        return connection(page, budget_owner_of, lambda: service.count_budgets(caller, where, use))

    @strawberry.field(
        description="All users, groups and pools that have rate limits, lasting or for a while, by name.",
        extensions=[admins()],
    )
    async def rate_limit_owners(
        self, info: Info, first: int = 50, after: str | None = None, search: Search = None, kind: Kind = None
    ) -> Connection[RateLimitOwner]:
        caller, service = info.context.require_caller(), info.context.services.overview
        where = OwnerFilter(search, kind)
        page = await service.limits(caller, where, page_request(first, after))
        return connection(page, limit_owner_of, lambda: service.count_limits(caller, where))
