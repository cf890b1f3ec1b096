"""Gateway keys as the schema shows them: never with their secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.apikey import KEY_PREFIX, CredentialStatus
from sluicegate.domain.apikey import ApiKey as ApiKeyValue
from sluicegate.domain.version import Editable, Edited
from sluicegate.graphql.catalog.loaders import models as models_by_id
from sluicegate.graphql.context import Info
from sluicegate.graphql.keys.loaders import narrowings
from sluicegate.graphql.users import loaders
from sluicegate.graphql.users.types import User, user_of
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.kit.errors import NotFound
from sluicegate.ports.policy import SubjectUse

if TYPE_CHECKING:
    from sluicegate.graphql.catalog.types import Model
    from sluicegate.graphql.policy.values import Budget, BudgetUse, LimitUse, RateLimit

ModelType = Annotated["Model", strawberry.lazy("sluicegate.graphql.catalog.types")]
RateLimitType = Annotated["RateLimit", strawberry.lazy("sluicegate.graphql.policy.values")]
BudgetType = Annotated["Budget", strawberry.lazy("sluicegate.graphql.policy.values")]
LimitUseType = Annotated["LimitUse", strawberry.lazy("sluicegate.graphql.policy.values")]
BudgetUseType = Annotated["BudgetUse", strawberry.lazy("sluicegate.graphql.policy.values")]


@strawberry.type(description="A key for gateway calls.")
class ApiKey:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="The first characters, safe to show.")
    status: CredentialStatus
    created_at: datetime
    last_used_at: datetime | None = strawberry.field(
        description="Of the last call that was let through, to the minute."
    )
    last_used_client: str | None = strawberry.field(description="The program that made it, where it said so.")
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_prefix: str | None = strawberry.field(
        description="Of the secret before the last rotation, while it still works."
    )
    previous_expires_at: datetime | None = strawberry.field(description="When that secret ends.")
    value: strawberry.Private[ApiKeyValue]

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.KEY, str(self.id)), info)

    @strawberry.field(description="Whose it is.")
    async def owner(self, info: Info) -> User:
        user = await info.context.loader(loaders.users_by_id).load(self.value.user_id)
        if user is None:
            raise NotFound("user", field=None)
        return user_of(user)

    @strawberry.field(
        description="All that it may call, as far as its owner may; null for everything that its owner may call."
    )
    async def models(self, info: Info) -> list[ModelType] | None:
        from sluicegate.graphql.catalog.types import Model

        if self.value.model_ids is None:
            return None
        found = await info.context.loader(models_by_id).load_many(self.value.model_ids)
        return [Model.of(model) for model in sorted((m for m in found if m), key=lambda m: m.slug)]

    @strawberry.field(description="Counts calls with this key; holds beside what holds for its owner.")
    async def rate_limit(self, info: Info) -> RateLimitType:
        from sluicegate.graphql.policy.values import RateLimit

        limits = (await info.context.loader(narrowings).load(self.value.id)).limits
        return RateLimit.of(limits, Edited(Editable.KEY, self.value.id))

    @strawberry.field(description="Counts spending through this key; holds beside what holds for its owner.")
    async def budget(self, info: Info) -> BudgetType:
        from sluicegate.graphql.policy.values import Budget

        budget = (await info.context.loader(narrowings).load(self.value.id)).budget
        return Budget.of(budget, Edited(Editable.KEY, self.value.id))

    @strawberry.field(description="Its own limits with what is used now, one per dimension, also where none is set.")
    async def limits(self, info: Info) -> list[LimitUseType]:
        from sluicegate.graphql.policy.values import LimitUse

        narrowing = await info.context.loader(narrowings).load(self.value.id)
        return LimitUse.all_of(narrowing.limits, await self._use(info))

    @strawberry.field(description="Its own caps with what is spent now, one per window, also where none is set.")
    async def budgets(self, info: Info) -> list[BudgetUseType]:
        from sluicegate.graphql.policy.values import BudgetUse

        narrowing = await info.context.loader(narrowings).load(self.value.id)
        return BudgetUse.all_of(narrowing.budget, await self._use(info), info.context.services.effective.resets())

    async def _use(self, info: Info) -> SubjectUse:
        caller, service = info.context.require_caller(), info.context.services.effective
        narrowing = await info.context.loader(narrowings).load(self.value.id)
        return await service.key_use(caller, self.value, narrowing.limits, narrowing.budget)


def key_of(value: ApiKeyValue, now: datetime) -> ApiKey:
    overlap = value.overlap(now)
    return ApiKey(
        id=strawberry.ID(value.id),
        name=value.name,
        prefix=value.prefix,
        status=value.status(now),
        created_at=value.created_at,
        last_used_at=value.last_used_at,
        last_used_client=value.last_used_client,
        expires_at=value.expires_at,
        revoked_at=value.revoked_at,
        previous_prefix=f"{KEY_PREFIX}{value.previous_public_id}" if overlap else None,
        previous_expires_at=overlap,
        value=value,
    )
