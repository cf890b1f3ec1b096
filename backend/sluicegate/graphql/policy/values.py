"""Limits and caps as they are set, who set them, and what is used of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.policy import Dimension, SubjectKind, Window
from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.scalars import BigInt, Usd
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.policy import merge
from sluicegate.ports.policy import SubjectUse


def usd(nanos: int | None) -> Usd | None:
    return None if nanos is None else Usd(nanos)


@strawberry.type(description="Null fields set no limit; 0 blocks.")
class RateLimit:
    requests_per_minute: int | None = strawberry.field(description="Calls in any 60 seconds.")
    input_tokens_per_minute: int | None = strawberry.field(description="Input in any 60 seconds; cache reads are free.")
    output_tokens_per_minute: int | None = strawberry.field(description="Output in any 60 seconds.")
    concurrent_requests: int | None = strawberry.field(description="Calls in flight.")
    edited: strawberry.Private[Edited]

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(self.edited, info)

    @classmethod
    def of(cls, limits: domain.RateLimits, edited: Edited) -> RateLimit:
        return cls(
            edited=edited,
            requests_per_minute=limits.requests,
            input_tokens_per_minute=limits.input_tokens,
            output_tokens_per_minute=limits.output_tokens,
            concurrent_requests=limits.concurrent_requests,
        )


@strawberry.type(description="A null cap means none; 0 blocks.")
class Budget:
    daily: Usd | None = strawberry.field(description="Cap per calendar day.")
    weekly: Usd | None = strawberry.field(description="Cap per ISO week, from Monday.")
    monthly: Usd | None = strawberry.field(description="Cap per calendar month.")
    alert_thresholds: list[int] = strawberry.field(description="Per cent of each cap at which an alert is due.")
    edited: strawberry.Private[Edited]

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(self.edited, info)

    @classmethod
    def of(cls, budget: domain.Budget, edited: Edited) -> Budget:
        return cls(
            edited=edited,
            daily=usd(budget.day),
            weekly=usd(budget.week),
            monthly=usd(budget.month),
            alert_thresholds=list(budget.alert_thresholds),
        )


@strawberry.type(description="Who set a value.")
class PolicySource:
    kind: SubjectKind = strawberry.field(description="A user, a group, the pool of a group, or a key.")
    id: strawberry.ID = strawberry.field(description="Its id; a pool has its group's.")
    name: str = strawberry.field(description="Its name; a pool has its group's.")

    @classmethod
    def of(cls, source: merge.Source) -> PolicySource:
        return cls(kind=source.subject.kind, id=strawberry.ID(source.subject.id), name=source.name)


@strawberry.type(description="A limit that holds by itself, with what is used of it.")
class LimitUse:
    dimension: Dimension = strawberry.field(description="What is counted.")
    limit: int | None = strawberry.field(description="The value; null sets no limit.")
    used: BigInt = strawberry.field(
        description="In use now: of the last 60 seconds, or in flight for CONCURRENT_REQUESTS."
    )

    @classmethod
    def all_of(cls, limits: domain.RateLimits, use: SubjectUse) -> list[LimitUse]:
        """One per dimension."""
        return [cls(dimension=d, limit=limits.get(d), used=BigInt(use.used.get(d, 0))) for d in Dimension]


@strawberry.type(description="A cap that holds by itself, with what is spent of it.")
class BudgetUse:
    window: Window = strawberry.field(description="Over which time.")
    cap: Usd | None = strawberry.field(description="The cap; null sets none.")
    spent: Usd = strawberry.field(description="What was spent in the window that runs now.")
    reserved: Usd = strawberry.field(description="Held by calls in flight.")
    resets_at: datetime = strawberry.field(description="When the window that runs now ends.")
    alert_thresholds: list[int] = strawberry.field(description="Per cent of the cap at which an alert is due.")

    @strawberry.field(
        description="When the cap is reached at the pace of the window so far; null if never, or if none can tell yet."
    )
    def reached_at(self, info: Info) -> datetime | None:
        return info.context.services.effective.reached_at(self.window, self.spent, self.cap)

    @classmethod
    def all_of(cls, budget: domain.Budget, use: SubjectUse, resets: Mapping[Window, datetime]) -> list[BudgetUse]:
        """One per window."""
        return [
            cls(
                window=window,
                cap=usd(budget.get(window)),
                spent=Usd(use.spent.get(window, 0)),
                reserved=Usd(use.reserved.get(window, 0)),
                resets_at=resets[window],
                alert_thresholds=list(budget.alert_thresholds),
            )
            for window in Window
        ]
