"""What can be asked about policy."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.policy.fields import user_effective_policy
from sluicegate.graphql.policy.types import EffectivePolicy, Explanation

UserId = Annotated[strawberry.ID, strawberry.argument(description="The user; members may ask about themselves.")]
KeyId = Annotated[strawberry.ID | None, strawberry.argument(description="One of the user's keys, to call with.")]
Slug = Annotated[str, strawberry.argument(description="What the caller would send as the model.")]


@strawberry.type
class PolicyQueries:
    @strawberry.field(description="What a user may do after merging.", extensions=[members()])
    async def effective_policy(self, info: Info, user_id: UserId) -> EffectivePolicy:
        return await user_effective_policy(user_id, info)

    @strawberry.field(
        description="Whether a small call would be let through now, and if not, why and when again.",
        extensions=[members()],
    )
    async def explain(self, info: Info, user_id: UserId, model: Slug, key_id: KeyId = None) -> Explanation:
        service, caller = info.context.services.effective, info.context.require_caller()
        return Explanation.of(await service.explain(caller, user_id, model, key_id))
