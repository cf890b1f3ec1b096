"""Whose policy to set, and to what."""

from __future__ import annotations

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.policy import DEFAULT_ALERT_THRESHOLDS, Subject, SubjectKind
from sluicegate.graphql.scalars import Usd
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import Nanos


@strawberry.input(description="Exactly one of the two.")
class SubjectInput:
    user_id: strawberry.ID | None = strawberry.field(default=None, description="A user.")
    group_id: strawberry.ID | None = strawberry.field(default=None, description="A group.")

    def value(self) -> Subject:
        """Raises InvalidInput unless exactly one is given."""
        if self.user_id is not None and self.group_id is None:
            return Subject(SubjectKind.USER, self.user_id)
        if self.group_id is not None and self.user_id is None:
            return Subject(SubjectKind.GROUP, self.group_id)
        raise InvalidInput("subject", "must name either a user or a group")


@strawberry.input(description="An absent or null field sets no limit; 0 blocks.")
class RateLimitInput:
    requests_per_minute: int | None = strawberry.field(default=None, description="Calls in any 60 seconds.")
    input_tokens_per_minute: int | None = strawberry.field(default=None, description="Input in any 60 seconds.")
    output_tokens_per_minute: int | None = strawberry.field(default=None, description="Output in any 60 seconds.")
    concurrent_requests: int | None = strawberry.field(default=None, description="Calls in flight.")

    def value(self) -> domain.RateLimits:
        return domain.RateLimits(
            self.requests_per_minute,
            self.input_tokens_per_minute,
            self.output_tokens_per_minute,
            self.concurrent_requests,
        )


@strawberry.input(description="An absent or null cap means none; 0 blocks.")
class BudgetInput:
    daily: Usd | None = strawberry.field(default=None, description="Cap per calendar day.")
    weekly: Usd | None = strawberry.field(default=None, description="Cap per ISO week, from Monday.")
    monthly: Usd | None = strawberry.field(default=None, description="Cap per calendar month.")
    alert_thresholds: list[int] = strawberry.field(
        default_factory=lambda: list(DEFAULT_ALERT_THRESHOLDS),
        description="Per cent of each cap at which an alert is due, at most ten.",
    )

    def value(self) -> domain.Budget:
        caps = (None if cap is None else Nanos(cap) for cap in (self.daily, self.weekly, self.monthly))
        return domain.Budget(*caps, alert_thresholds=tuple(self.alert_thresholds))
