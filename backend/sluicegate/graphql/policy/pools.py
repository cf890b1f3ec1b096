"""What the members of a group draw from together, beside what counts each member's own use."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.policy import loaders
from sluicegate.graphql.policy.inputs import BudgetInput, RateLimitInput
from sluicegate.graphql.policy.values import Budget, BudgetUse, LimitUse, RateLimit
from sluicegate.graphql.versions import ExpectedVersion
from sluicegate.ports.policy import SubjectUse


@strawberry.type(description="What all members of a group draw from together.")
class GroupPool:
    group_id: strawberry.Private[str]

    @strawberry.field(description="Counts the use of all members together.")
    async def rate_limit(self, info: Info) -> RateLimit:
        limits = await info.context.loader(loaders.rate_limits).load(self._subject)
        return RateLimit.of(limits, Edited.limits_of(self._subject))

    @strawberry.field(description="Counts the spending of all members together.")
    async def budget(self, info: Info) -> Budget:
        budget = await info.context.loader(loaders.budgets).load(self._subject)
        return Budget.of(budget, Edited.budget_of(self._subject))

    @strawberry.field(description="The limits with what is used now, one per dimension, also where none is set.")
    async def limits(self, info: Info) -> list[LimitUse]:
        limits = await info.context.loader(loaders.rate_limits).load(self._subject)
        return LimitUse.all_of(limits, await self._use(info))

    @strawberry.field(description="The caps with what is spent now, one per window, also where none is set.")
    async def budgets(self, info: Info) -> list[BudgetUse]:
        budget = await info.context.loader(loaders.budgets).load(self._subject)
        return BudgetUse.all_of(budget, await self._use(info), info.context.services.effective.resets())

    async def _use(self, info: Info) -> SubjectUse:
        return await info.context.loader(loaders.pool_uses).load(self.group_id)

    @property
    def _subject(self) -> Subject:
        return Subject(SubjectKind.POOL, self.group_id)


@strawberry.type(description="A group's pool as it is now.")
class GroupPoolPayload:
    pool: GroupPool = strawberry.field(description="The pool.")


GroupId = Annotated[strawberry.ID, strawberry.argument(description="The group whose members share.")]
Limits = Annotated[RateLimitInput, strawberry.argument(description="All four values.")]
Caps = Annotated[BudgetInput, strawberry.argument(description="All caps, and when to alert.")]


@strawberry.type
class PoolMutations:
    @strawberry.mutation(
        description="Sets what all members of a group may use together. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def set_group_pool_rate_limit(
        self, info: Info, group_id: GroupId, input: Limits, expected_version: ExpectedVersion = None
    ) -> GroupPoolPayload:
        caller, subject = info.context.require_caller(), Subject(SubjectKind.POOL, group_id)
        await info.context.services.limits.set(caller, subject, input.value(), expected_version)
        return GroupPoolPayload(pool=GroupPool(group_id=group_id))

    @strawberry.mutation(
        description="Sets what all members of a group may spend together. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def set_group_pool_budget(
        self, info: Info, group_id: GroupId, input: Caps, expected_version: ExpectedVersion = None
    ) -> GroupPoolPayload:
        caller, subject = info.context.require_caller(), Subject(SubjectKind.POOL, group_id)
        await info.context.services.budgets.set(caller, subject, input.value(), expected_version)
        return GroupPoolPayload(pool=GroupPool(group_id=group_id))
