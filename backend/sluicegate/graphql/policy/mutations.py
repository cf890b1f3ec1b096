"""Changes of policy."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.policy.inputs import BudgetInput, RateLimitInput, SubjectInput
from sluicegate.graphql.policy.types import Budget, Grant, RateLimit
from sluicegate.graphql.versions import ExpectedVersion


@strawberry.input(description="Models to grant; those that are granted already stay so.")
class GrantModelsInput:
    subject: SubjectInput = strawberry.field(description="Who gets them.")
    model_ids: list[strawberry.ID] = strawberry.field(description="What may be called, at most 100.")


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
    async def set_rate_limit(
        self, info: Info, subject: Whose, input: Limits, expected_version: ExpectedVersion = None
    ) -> RateLimitPayload:
        service, caller = info.context.services.limits, info.context.require_caller()
        whose = subject.value()
        limits = await service.set(caller, whose, input.value(), expected_version)
        return RateLimitPayload(rate_limit=RateLimit.of(limits, Edited.limits_of(whose)))

    @strawberry.mutation(
        description="Sets the budget of a user or a group. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def set_budget(
        self, info: Info, subject: Whose, input: Caps, expected_version: ExpectedVersion = None
    ) -> BudgetPayload:
        service, caller = info.context.services.budgets, info.context.require_caller()
        whose = subject.value()
        budget = await service.set(caller, whose, input.value(), expected_version)
        return BudgetPayload(budget=Budget.of(budget, Edited.budget_of(whose)))
