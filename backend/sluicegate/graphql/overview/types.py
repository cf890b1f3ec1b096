"""Who has limits or caps of their own, as the schema shows it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.overview import loaders
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.policy.values import Budget, LimitUse, RateLimit
from sluicegate.graphql.scalars import Usd
from sluicegate.ports import overview as ports
from sluicegate.ports.overview import CapUse as CapUseFilter

strawberry.enum(
    CapUseFilter,
    name="CapUseFilter",
    description="How far one of the caps is used up: NEAR is 80 per cent and more, REACHED all of it.",
)


@strawberry.type(description="A cap with what is spent of it.")
class CapUse:
    window: Window = strawberry.field(description="Over which time.")
    cap: Usd = strawberry.field(description="The cap.")
    spent: Usd = strawberry.field(
        description="Spent in the window that runs now; of a group's cap for each member, by the one who spent most."
    )

    @strawberry.field(description="When the window that runs now ends.")
    def resets_at(self, info: Info) -> datetime:
        return info.context.services.effective.resets()[self.window]

    @strawberry.field(
        description="When the cap is reached at the pace of the window so far; null if never, or if none can tell yet."
    )
    def reached_at(self, info: Info) -> datetime | None:
        return info.context.services.effective.reached_at(self.window, self.spent, self.cap)


@strawberry.type(description="Somebody with a budget: a user, a group for each member, or a group's pool.")
class BudgetOwner:
    id: strawberry.ID = strawberry.field(description="Unique in the list.")
    kind: SubjectKind = strawberry.field(description="USER, GROUP or POOL.")
    subject_id: strawberry.ID = strawberry.field(description="The user's or the group's id.")
    name: str = strawberry.field(description="The user's or the group's name.")
    email: str | None = strawberry.field(description="The user's.")
    budget: Budget = strawberry.field(description="What is set.")
    uses: list[CapUse] = strawberry.field(description="One for each cap that is set.")


def budget_owner_of(value: ports.BudgetOwner) -> BudgetOwner:
    caps = {window: cap for window in Window if (cap := value.budget.get(window)) is not None}
    return BudgetOwner(
        id=_id(value.subject),
        kind=value.subject.kind,
        subject_id=strawberry.ID(value.subject.id),
        name=value.name,
        email=value.email,
        budget=Budget.of(value.budget, Edited.budget_of(value.subject)),
        uses=[CapUse(window=w, cap=Usd(cap), spent=Usd(value.spent[w])) for w, cap in caps.items()],
    )


@strawberry.type(description="Somebody with rate limits: a user, a group for each member, or a group's pool.")
class RateLimitOwner:
    id: strawberry.ID = strawberry.field(description="Unique in the list.")
    kind: SubjectKind = strawberry.field(description="USER, GROUP or POOL.")
    subject_id: strawberry.ID = strawberry.field(description="The user's or the group's id.")
    name: str = strawberry.field(description="The user's or the group's name.")
    email: str | None = strawberry.field(description="The user's.")
    rate_limit: RateLimit = strawberry.field(description="What is set.")
    owner: strawberry.Private[ports.LimitOwner]

    @strawberry.field(description="One for each dimension; null for groups, which count each member's own use.")
    async def uses(self, info: Info) -> list[LimitUse] | None:
        use = await info.context.loader(loaders.uses).load(self.owner.subject)
        return None if use is None else LimitUse.all_of(self.owner.limits, use)


def limit_owner_of(value: ports.LimitOwner) -> RateLimitOwner:
    return RateLimitOwner(
        id=_id(value.subject),
        kind=value.subject.kind,
        subject_id=strawberry.ID(value.subject.id),
        name=value.name,
        email=value.email,
        rate_limit=RateLimit.of(value.limits, Edited.limits_of(value.subject)),
        owner=value,
    )


def _id(subject: Subject) -> strawberry.ID:
    return strawberry.ID(f"{subject.kind.value}:{subject.id}")
