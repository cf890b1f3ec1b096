"""Policy as the schema shows it: what is set, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.catalog import Model as ModelValue
from sluicegate.domain.policy import Dimension, SubjectKind, Window
from sluicegate.graphql.catalog import loaders as catalog_loaders
from sluicegate.graphql.catalog.types import Model
from sluicegate.graphql.context import Info
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.policy import loaders
from sluicegate.graphql.scalars import BigInt, Usd
from sluicegate.kit.errors import NotFound
from sluicegate.policy import decide, effective, merge
from sluicegate.ports.policy import SubjectUse

if TYPE_CHECKING:
    from sluicegate.graphql.groups.types import Group
    from sluicegate.graphql.users.types import User

UserType = Annotated["User", strawberry.lazy("sluicegate.graphql.users.types")]
GroupType = Annotated["Group", strawberry.lazy("sluicegate.graphql.groups.types")]


@strawberry.type(description="Permission to call a model.")
class Grant:
    id: strawberry.ID = strawberry.field(description="Its id.")
    created_at: datetime = strawberry.field(description="When it was given.")
    subject: strawberry.Private[domain.Subject]
    model_id: strawberry.Private[str]

    @strawberry.field(description="What may be called.")
    async def model(self, info: Info) -> Model:
        found = await info.context.loader(catalog_loaders.models).load(self.model_id)
        if found is None:
            raise NotFound("model")
        return Model.of(found)

    @strawberry.field(description="Exactly one of user and group is set: who holds the grant.")
    async def user(self, info: Info) -> UserType | None:
        from sluicegate.graphql.users.loaders import users_by_id
        from sluicegate.graphql.users.types import user_of

        if self.subject.kind is not SubjectKind.USER:
            return None
        found = await info.context.loader(users_by_id).load(self.subject.id)
        return user_of(found) if found else None

    @strawberry.field(description="The group that holds it.")
    async def group(self, info: Info) -> GroupType | None:
        from sluicegate.graphql.groups.types import group_of

        if self.subject.kind is not SubjectKind.GROUP:
            return None
        found = await info.context.loader(loaders.visible_groups).load(self.subject.id)
        return group_of(found) if found else None

    @classmethod
    def of(cls, grant: domain.Grant) -> Grant:
        return cls(
            id=strawberry.ID(grant.id), created_at=grant.created_at, subject=grant.subject, model_id=grant.model_id
        )


@strawberry.type(description="Null fields set no limit; 0 blocks.")
class RateLimit:
    requests_per_minute: int | None = strawberry.field(description="Calls in any 60 seconds.")
    input_tokens_per_minute: int | None = strawberry.field(description="Input in any 60 seconds; cache reads are free.")
    output_tokens_per_minute: int | None = strawberry.field(description="Output in any 60 seconds.")
    concurrent_requests: int | None = strawberry.field(description="Calls in flight.")

    @classmethod
    def of(cls, limits: domain.RateLimits) -> RateLimit:
        return cls(
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

    @classmethod
    def of(cls, budget: domain.Budget) -> Budget:
        return cls(
            daily=_usd(budget.day),
            weekly=_usd(budget.week),
            monthly=_usd(budget.month),
            alert_thresholds=list(budget.alert_thresholds),
        )


def _usd(nanos: int | None) -> Usd | None:
    return None if nanos is None else Usd(nanos)


@strawberry.type(description="Who set a value.")
class PolicySource:
    kind: SubjectKind = strawberry.field(description="A user, a group or a key.")
    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Its name.")

    @classmethod
    def of(cls, source: merge.Source) -> PolicySource:
        return cls(kind=source.subject.kind, id=strawberry.ID(source.subject.id), name=source.name)


@strawberry.type(description="One of the limits that compete.")
class LimitCandidate:
    source: PolicySource = strawberry.field(description="Who set it.")
    value: int = strawberry.field(description="The limit.")


@strawberry.type(description="One of the caps that compete.")
class BudgetCandidate:
    source: PolicySource = strawberry.field(description="Who set it.")
    cap: Usd = strawberry.field(description="The cap.")


@strawberry.type(description="A model that may be called, and through whom.")
class EffectiveModel:
    model: Model = strawberry.field(description="The model.")
    sources: list[PolicySource] = strawberry.field(description="Everybody who was granted it.")


@strawberry.type(description="A limit after merging.")
class EffectiveLimit:
    dimension: Dimension = strawberry.field(description="What is counted.")
    limit: int | None = strawberry.field(description="The strictest value; null when nobody set one.")
    source: PolicySource | None = strawberry.field(description="Who set it.")
    used: BigInt = strawberry.field(
        description="In use now: of the last 60 seconds, or in flight for CONCURRENT_REQUESTS."
    )
    candidates: list[LimitCandidate] = strawberry.field(description="All values that compete, strictest first.")

    @classmethod
    def of(cls, dimension: Dimension, merged: merge.Merged, used: int) -> EffectiveLimit:
        return cls(
            dimension=dimension,
            limit=merged.value,
            source=PolicySource.of(merged.winner.source) if merged.winner else None,
            used=BigInt(used),
            candidates=[LimitCandidate(source=PolicySource.of(c.source), value=c.value) for c in merged.candidates],
        )


@strawberry.type(description="A cap after merging.")
class EffectiveBudget:
    window: Window = strawberry.field(description="Over which time.")
    cap: Usd | None = strawberry.field(description="The strictest cap; null when nobody set one.")
    source: PolicySource | None = strawberry.field(description="Who set it.")
    spent: Usd = strawberry.field(description="What was spent in the window that runs now.")
    reserved: Usd = strawberry.field(description="Held by calls in flight.")
    resets_at: datetime = strawberry.field(description="When the window that runs now ends.")
    candidates: list[BudgetCandidate] = strawberry.field(description="All caps that compete, strictest first.")

    @classmethod
    def of(cls, window: Window, merged: merge.Merged, use: SubjectUse, resets_at: datetime) -> EffectiveBudget:
        return cls(
            window=window,
            cap=_usd(merged.value),
            source=PolicySource.of(merged.winner.source) if merged.winner else None,
            spent=Usd(use.spent.get(window, 0)),
            reserved=Usd(use.reserved.get(window, 0)),
            resets_at=resets_at,
            candidates=[BudgetCandidate(source=PolicySource.of(c.source), cap=Usd(c.value)) for c in merged.candidates],
        )


@strawberry.type(description="What a user may do after merging, with who set each value.")
class EffectivePolicy:
    models: list[EffectiveModel] = strawberry.field(description="Granted models, by slug.")
    limits: list[EffectiveLimit] = strawberry.field(description="One per dimension.")
    budgets: list[EffectiveBudget] = strawberry.field(description="One per window.")

    @classmethod
    def of(
        cls,
        policy: effective.EffectivePolicy,
        use: SubjectUse,
        models: Mapping[str, ModelValue],
        resets: Mapping[Window, datetime],
    ) -> EffectivePolicy:
        """`models` holds those that are still there."""
        granted = sorted((models[m].slug, m) for m in policy.grants if m in models)
        return cls(
            models=[
                EffectiveModel(
                    model=Model.of(models[model_id]), sources=[PolicySource.of(s) for s in policy.grants[model_id]]
                )
                for _, model_id in granted
            ],
            limits=[EffectiveLimit.of(d, policy.limits[d], use.used.get(d, 0)) for d in Dimension],
            budgets=[EffectiveBudget.of(w, policy.budgets[w], use, resets[w]) for w in Window],
        )


@strawberry.type(description="One step of admission, in the order in which admission takes them.")
class ExplainCheck:
    name: str = strawberry.field(description="The step.")
    passed: bool = strawberry.field(description="Whether it lets the call through.")
    detail: str = strawberry.field(description="Why, for people.")


@strawberry.type(description="What the gateway would answer to a call now.")
class Explanation:
    allowed: bool = strawberry.field(description="Whether it would be let through.")
    status: int = strawberry.field(description="The HTTP status that the gateway would answer with; 200 when allowed.")
    code: str | None = strawberry.field(description="The refusal's stable code.")
    message: str = strawberry.field(description="The refusal's words.")
    retry_at: datetime | None = strawberry.field(
        description="When the same call would be allowed, if time alone cures it."
    )
    checks: list[ExplainCheck] = strawberry.field(description="The steps that were taken.")

    @classmethod
    def of(cls, value: decide.Explanation) -> Explanation:
        return cls(
            allowed=value.allowed,
            status=value.status,
            code=value.code,
            message=value.message,
            retry_at=value.retry_at,
            checks=[ExplainCheck(name=c.name, passed=c.passed, detail=c.detail) for c in value.checks],
        )
