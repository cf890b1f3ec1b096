"""What would happen if, as the schema shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.policy import Dimension, Window
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.policy.inputs import BudgetInput, RateLimitInput
from sluicegate.graphql.policy.values import usd
from sluicegate.graphql.scalars import Usd
from sluicegate.kit.errors import NotFound
from sluicegate.policy import preview

if TYPE_CHECKING:
    from sluicegate.graphql.users.types import User

UserType = Annotated["User", strawberry.lazy("sluicegate.graphql.users.types")]


@strawberry.type(description="A limit that would change for somebody.")
class PreviewedLimit:
    dimension: Dimension = strawberry.field(description="What is counted.")
    before: int | None = strawberry.field(description="What is in force now; null: nothing.")
    after: int | None = strawberry.field(description="What would be in force; null: nothing.")


@strawberry.type(description="A cap that would change for somebody.")
class PreviewedBudget:
    window: Window = strawberry.field(description="Over which time.")
    before: Usd | None = strawberry.field(description="What is in force now; null: nothing.")
    after: Usd | None = strawberry.field(description="What would be in force; null: nothing.")
    spent: Usd = strawberry.field(description="What this person spent in the window that runs now.")


@strawberry.type(description="What would change for one person.")
class PreviewedPerson:
    user_id: strawberry.ID = strawberry.field(description="Whose values would change.")
    stricter: bool = strawberry.field(description="Whether one would be stricter.")
    looser: bool = strawberry.field(description="Whether one would be looser.")
    blocked: bool = strawberry.field(description="Whether calls that go through now would be refused at once.")
    unblocked: bool = strawberry.field(description="Whether calls that are refused now would go through again.")
    limits: list[PreviewedLimit] = strawberry.field(description="The limits that would change.")
    budgets: list[PreviewedBudget] = strawberry.field(description="The caps that would change.")

    @strawberry.field(description="The person.")
    async def user(self, info: Info) -> UserType:
        from sluicegate.graphql.users.loaders import users_by_id
        from sluicegate.graphql.users.types import user_of

        found = await info.context.loader(users_by_id).load(str(self.user_id))
        if found is None:
            raise NotFound("user", field=None)
        return user_of(found)

    @classmethod
    def of(cls, effect: preview.Effect) -> PreviewedPerson:
        spent = effect.person.spent
        return cls(
            user_id=strawberry.ID(effect.person.id),
            stricter=effect.stricter,
            looser=effect.looser,
            blocked=effect.blocked,
            unblocked=effect.unblocked,
            limits=[
                PreviewedLimit(dimension=target, before=before, after=after)
                for target, (before, after) in effect.changes.items()
                if isinstance(target, Dimension)
            ],
            budgets=[
                PreviewedBudget(window=target, before=usd(before), after=usd(after), spent=Usd(spent.get(target, 0)))
                for target, (before, after) in effect.changes.items()
                if isinstance(target, Window)
            ],
        )


@strawberry.type(description="What a change would do. One person may meet both stricter and looser values.")
class PolicyPreview:
    people: int = strawberry.field(description="How many people it is about.")
    stricter: int = strawberry.field(description="For how many a value would be stricter.")
    looser: int = strawberry.field(description="For how many a value would be looser.")
    blocked: int = strawberry.field(description="How many would be refused at once who are not now.")
    unblocked: int = strawberry.field(description="How many would go on who are refused now.")
    unchanged: int = strawberry.field(description="For how many nothing would change.")
    affected: list[PreviewedPerson] = strawberry.field(
        description="Some of those for whom something would change, those who would be blocked first."
    )

    @classmethod
    def of(cls, found: preview.Preview) -> PolicyPreview:
        return cls(
            people=found.people,
            stricter=found.stricter,
            looser=found.looser,
            blocked=found.blocked,
            unblocked=found.unblocked,
            unchanged=found.unchanged,
            affected=[PreviewedPerson.of(effect) for effect in found.affected],
        )


GroupId = Annotated[strawberry.ID, strawberry.argument(description="The group whose values would be set.")]
UserId = Annotated[strawberry.ID, strawberry.argument(description="The user whose own values would be set.")]
Limits = Annotated[RateLimitInput | None, strawberry.argument(description="All four limits; absent: as they are.")]
Caps = Annotated[BudgetInput | None, strawberry.argument(description="All caps; absent: as they are.")]
First = Annotated[int, strawberry.argument(description="How many people to list, 0 to 100.")]


@strawberry.type
class PreviewQueries:
    @strawberry.field(
        description="What it would do to each member to set a group's limits or caps. Changes nothing.",
        extensions=[admins()],
    )
    async def preview_group_policy(
        self, info: Info, group_id: GroupId, rate_limit: Limits = None, budget: Caps = None, first: First = 20
    ) -> PolicyPreview:
        service, caller = info.context.services.previews, info.context.require_caller()
        limits, caps = rate_limit.value() if rate_limit else None, budget.value() if budget else None
        return PolicyPreview.of(await service.of_group(caller, group_id, limits, caps, first))

    @strawberry.field(
        description="What it would do to set a user's own limits or caps. Changes nothing.", extensions=[admins()]
    )
    async def preview_user_policy(
        self, info: Info, user_id: UserId, rate_limit: Limits = None, budget: Caps = None
    ) -> PolicyPreview:
        service, caller = info.context.services.previews, info.context.require_caller()
        limits, caps = rate_limit.value() if rate_limit else None, budget.value() if budget else None
        return PolicyPreview.of(await service.of_user(caller, user_id, limits, caps))
