"""Changes of policy."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import DEFAULT_ALERT_THRESHOLDS, Subject, SubjectKind
from sluicegate.graphql.context import Info
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.policy.types import Budget, Grant, RateLimit
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


@strawberry.input(description="Models to grant; those that are granted already stay so.")
class GrantModelsInput:
    subject: SubjectInput = strawberry.field(description="Who gets them.")
    model_ids: list[strawberry.ID] = strawberry.field(description="What may be called, at most 100.")


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


@strawberry.type(description="Grants as they are now.")
class GrantModelsPayload:
    grants: list[Grant] = strawberry.field(description="The holder's grants for the models that were named.")


@strawberry.type(description="Rate limits as they are now.")
class RateLimitPayload:
    rate_limit: RateLimit = strawberry.field(description="The values.")


@strawberry.type(description="A budget as it is now.")
class BudgetPayload:
    budget: Budget = strawberry.field(description="The values.")


Grants = Annotated[GrantModelsInput, strawberry.argument(description="What to grant to whom.")]
Whose = Annotated[SubjectInput, strawberry.argument(description="Whose values to set.")]
Limits = Annotated[RateLimitInput, strawberry.argument(description="All four values.")]
Caps = Annotated[BudgetInput, strawberry.argument(description="All caps, and when to alert.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="The grant's id.")]


@strawberry.type
class PolicyMutations:
    @strawberry.mutation(
        description="Lets a user or a group call models. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def grant_models(self, info: Info, input: Grants) -> GrantModelsPayload:
        service, caller = info.context.services.grants, info.context.require_caller()
        found = await service.add(caller, input.subject.value(), [str(model_id) for model_id in input.model_ids])
        return GrantModelsPayload(grants=[Grant.of(grant) for grant in found])

    @strawberry.mutation(
        description="Takes a grant back. In force when this returns.", extensions=[admins(TokenScope.POLICY)]
    )
    async def revoke_grant(self, info: Info, id: Id) -> DeletedPayload:
        await info.context.services.grants.revoke(info.context.require_caller(), id)
        return deleted(id)

    @strawberry.mutation(
        description="Sets all rate limits of a user or a group. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def set_rate_limit(self, info: Info, subject: Whose, input: Limits) -> RateLimitPayload:
        service, caller = info.context.services.limits, info.context.require_caller()
        return RateLimitPayload(rate_limit=RateLimit.of(await service.set(caller, subject.value(), input.value())))

    @strawberry.mutation(
        description="Sets the budget of a user or a group. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def set_budget(self, info: Info, subject: Whose, input: Caps) -> BudgetPayload:
        service, caller = info.context.services.budgets, info.context.require_caller()
        return BudgetPayload(budget=Budget.of(await service.set(caller, subject.value(), input.value())))
