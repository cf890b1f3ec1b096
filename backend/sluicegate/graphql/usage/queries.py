"""What can be asked about usage."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import edges_of, page_info, page_request
from sluicegate.graphql.permissions import members
from sluicegate.graphql.usage.types import Call, CallConnection, UsageReport
from sluicegate.ports.usage import CallFilter
from sluicegate.services.usage import Interval, UsageQuery

From = Annotated[date, strawberry.argument(name="from", description="The first day.")]
To = Annotated[date, strawberry.argument(description="The last day, included.")]
Step = Annotated[Interval, strawberry.argument(description="5 minutes for at most 2 days, hours for 31, days for 400.")]
UserId = Annotated[strawberry.ID | None, strawberry.argument(description="This user's.")]
GroupId = Annotated[
    strawberry.ID | None, strawberry.argument(description="That of a group's members at the time of each call.")
]
Everyone = Annotated[bool, strawberry.argument(description="That of everyone together.")]
First = Annotated[int, strawberry.argument(description="At most so many, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the row to go on after.")]


@strawberry.type
class UsageQueries:
    @strawberry.field(
        description="The viewer's own usage, or anyone's for admins; `to` is the last day included.",
        extensions=[members()],
    )
    async def usage(
        self,
        info: Info,
        from_: From,
        to: To,
        interval: Step = Interval.DAY,
        user_id: UserId = None,
        group_id: GroupId = None,
        everyone: Everyone = False,
    ) -> UsageReport:
        query = UsageQuery(from_, to, interval, user_id, group_id, everyone)
        report = await info.context.services.usage.report(info.context.require_caller(), query)
        return UsageReport.of(report)

    @strawberry.field(
        description="The viewer's own calls, or anyone's for admins; newest first.", extensions=[members()]
    )
    async def calls(
        self, info: Info, first: First = 50, after: After = None, user_id: UserId = None, everyone: Everyone = False
    ) -> CallConnection:
        service, caller = info.context.services.usage, info.context.require_caller()
        page = await service.calls(caller, CallFilter(user_id), everyone, page_request(first, after))
        return CallConnection(edges=edges_of(page, Call.of), page_info=page_info(page))
