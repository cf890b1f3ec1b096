"""What can be asked about usage."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.usage import Outcome
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import edges_of, page_info, page_request
from sluicegate.graphql.permissions import admins, members
from sluicegate.graphql.usage.types import Call, CallConnection, Leaderboard, UsageReport
from sluicegate.ports.usage import CallFilter
from sluicegate.services.leaderboard import LeaderboardOrder, LeaderboardSpan
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
Model = Annotated[str | None, strawberry.argument(description="Those that asked for this model.")]
Key = Annotated[str | None, strawberry.argument(description="Those through this key: its id, or its name at the time.")]
Provider = Annotated[
    str | None, strawberry.argument(description="Those that this provider got: its id, or its name at the time.")
]
CallOutcome = Annotated[Outcome | None, strawberry.argument(description="Those that ended so.")]
Status = Annotated[int | None, strawberry.argument(description="Those that were answered with this HTTP status.")]
Since = Annotated[datetime | None, strawberry.argument(name="from", description="Those since, this included.")]
Until = Annotated[datetime | None, strawberry.argument(description="Those before.")]
Span = Annotated[LeaderboardSpan, strawberry.argument(description="Up to and with today.")]
Order = Annotated[LeaderboardOrder, strawberry.argument(description="By what people are ranked.")]
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
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        user_id: UserId = None,
        everyone: Everyone = False,
        model: Model = None,
        key: Key = None,
        provider: Provider = None,
        outcome: CallOutcome = None,
        status: Status = None,
        from_: Since = None,
        to: Until = None,
    ) -> CallConnection:
        service, caller = info.context.services.usage, info.context.require_caller()
        where = CallFilter(user_id, model, outcome, status, from_, to, key, provider)
        page = await service.calls(caller, where, everyone, page_request(first, after))
        return CallConnection(edges=edges_of(page, Call.of), page_info=page_info(page))

    @strawberry.field(
        description="Who used most. Members see others under a pseudonym that stays the same.", extensions=[members()]
    )
    async def leaderboard(
        self,
        info: Info,
        span: Span = LeaderboardSpan.MONTH,
        order: Order = LeaderboardOrder.TOKENS,
        first: First = 20,
    ) -> Leaderboard:
        service, caller = info.context.services.leaderboard, info.context.require_caller()
        return Leaderboard.of(await service.show(caller, span, order, first))


@strawberry.type(description="Whether there is a leaderboard now.")
class SetLeaderboardPayload:
    enabled: bool


@strawberry.type
class UsageMutations:
    @strawberry.mutation(
        description="Turns the leaderboard on or off for everybody.", extensions=[admins(TokenScope.SETTINGS)]
    )
    async def set_leaderboard(self, info: Info, enabled: bool) -> SetLeaderboardPayload:
        service, caller = info.context.services.leaderboard, info.context.require_caller()
        return SetLeaderboardPayload(enabled=await service.turn(caller, enabled))
