"""Who has limits or caps of their own, as the schema shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.policy import Dimension, Subject, SubjectKind, Window
from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.overview import loaders
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.policy import loaders as policy_loaders
from sluicegate.graphql.policy.overrides import Override, override_of
from sluicegate.graphql.policy.values import Budget, LimitUse, RateLimit, usd
from sluicegate.graphql.scalars import Usd
from sluicegate.policy.merge import running
from sluicegate.ports import overview as ports
from sluicegate.ports.overview import CapUse as CapUseFilter

OVERRIDES = "What stands in for a user's values for a while, as far as it runs now."

strawberry.enum(
    CapUseFilter,
    name="CapUseFilter",
    description="How far one of the caps is used up: NEAR is 80 per cent and more, REACHED all of it.",
)


@strawberry.type(description="A cap with what is spent of it.")
class CapUse:
    window: Window = strawberry.field(description="Over which time.")
    cap: Usd | None = strawberry.field(
        description="The cap that is set, or what stands in for a user's for a while; null when that lifts it."
    )
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
    owner: strawberry.Private[ports.BudgetOwner]

    @strawberry.field(description="One for each cap that is set, or that stands in for one for a while.")
    async def uses(self, info: Info) -> list[CapUse]:
        raises, set_caps = await _running(self.owner.subject, info), self.owner.budget
        caps = {w: raises[w].value if w in raises else set_caps.get(w) for w in Window}
        spent = self.owner.spent
        return [
            CapUse(window=w, cap=usd(cap), spent=Usd(spent[w]))
            for w, cap in caps.items()
            if cap is not None or w in raises
        ]

    @strawberry.field(description=OVERRIDES)
    async def overrides(self, info: Info) -> list[Override]:
        return await _overrides(self.owner.subject, Window, info)


def budget_owner_of(value: ports.BudgetOwner) -> BudgetOwner:
    return BudgetOwner(
        id=_id(value.subject),
        kind=value.subject.kind,
        subject_id=strawberry.ID(value.subject.id),
        name=value.name,
        email=value.email,
        budget=Budget.of(value.budget, Edited.budget_of(value.subject)),
        owner=value,
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

    @strawberry.field(
        description="One for each dimension, with what stands in for its limit for a while; null for groups, which "
        "count each member's own use."
    )
    async def uses(self, info: Info) -> list[LimitUse] | None:
        use = await info.context.loader(loaders.uses).load(self.owner.subject)
        if use is None:
            return None
        raises = await _running(self.owner.subject, info)
        values = {target.value: raise_.value for target, raise_ in raises.items() if isinstance(target, Dimension)}
        return LimitUse.all_of(replace(self.owner.limits, **values), use)

    @strawberry.field(description=OVERRIDES)
    async def overrides(self, info: Info) -> list[Override]:
        return await _overrides(self.owner.subject, Dimension, info)


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


async def _running(subject: Subject, info: Info) -> dict[Dimension | Window, domain.Override]:
    """What stands in for a user's values now; nothing does for those of groups and pools."""
    if subject.kind is not SubjectKind.USER:
        return {}
    made = await info.context.loader(policy_loaders.overrides).load(subject.id)
    return running(made, info.context.services.overrides.now())


async def _overrides(subject: Subject, targets: type[Dimension] | type[Window], info: Info) -> list[Override]:
    now = info.context.services.overrides.now()
    found = await _running(subject, info)
    return [override_of(found[target], now) for target in targets if target in found]


def _id(subject: Subject) -> strawberry.ID:
    return strawberry.ID(f"{subject.kind.value}:{subject.id}")
