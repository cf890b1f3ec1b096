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
from sluicegate.graphql.policy import loaders
from sluicegate.graphql.policy.overrides import Override, override_of
from sluicegate.graphql.policy.values import Budget as Budget
from sluicegate.graphql.policy.values import BudgetUse, LimitUse, PolicySource, usd
from sluicegate.graphql.policy.values import RateLimit as RateLimit
from sluicegate.graphql.scalars import BigInt, Usd
from sluicegate.kit.errors import NotFound
from sluicegate.policy import effective, explain
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
    limit: int | None = strawberry.field(
        description="What is in force: the strictest, or an override's; null sets none."
    )
    source: PolicySource | None = strawberry.field(description="Who set it; the user while an override runs.")
    override: Override | None = strawberry.field(description="What stands in for the merged value, and until when.")
    used: BigInt = strawberry.field(
        description="In use now: of the last 60 seconds, or in flight for CONCURRENT_REQUESTS."
    )
    candidates: list[LimitCandidate] = strawberry.field(description="All values that compete, strictest first.")

    @classmethod
    def of(cls, policy: effective.EffectivePolicy, dimension: Dimension, used: int, now: datetime) -> EffectiveLimit:
        merged = policy.limits[dimension]
        source = policy.source_of(merged)
        return cls(
            dimension=dimension,
            limit=merged.value,
            source=PolicySource.of(source) if source else None,
            override=override_of(merged.override, now) if merged.override else None,
            used=BigInt(used),
            candidates=[LimitCandidate(source=PolicySource.of(c.source), value=c.value) for c in merged.candidates],
        )


@strawberry.type(description="A cap after merging.")
class EffectiveBudget:
    window: Window = strawberry.field(description="Over which time.")
    cap: Usd | None = strawberry.field(description="The cap in force: the strictest, or an override's; null sets none.")
    source: PolicySource | None = strawberry.field(description="Who set it; the user while an override runs.")
    override: Override | None = strawberry.field(description="What stands in for the merged cap, and until when.")
    spent: Usd = strawberry.field(description="What was spent in the window that runs now.")
    reserved: Usd = strawberry.field(description="Held by calls in flight.")
    resets_at: datetime = strawberry.field(description="When the window that runs now ends.")
    alert_thresholds: list[int] = strawberry.field(description="Per cent of the cap at which an alert is due.")
    candidates: list[BudgetCandidate] = strawberry.field(description="All caps that compete, strictest first.")

    @strawberry.field(
        description="When the cap is reached at the pace of the window so far; null if never, or if none can tell yet."
    )
    def reached_at(self, info: Info) -> datetime | None:
        return info.context.services.effective.reached_at(self.window, self.spent, self.cap)

    @classmethod
    def of(
        cls, policy: effective.EffectivePolicy, window: Window, use: SubjectUse, resets_at: datetime, now: datetime
    ) -> EffectiveBudget:
        merged = policy.budgets[window]
        source = policy.source_of(merged)
        return cls(
            window=window,
            cap=usd(merged.value),
            source=PolicySource.of(source) if source else None,
            override=override_of(merged.override, now) if merged.override else None,
            spent=Usd(use.spent.get(window, 0)),
            reserved=Usd(use.reserved.get(window, 0)),
            resets_at=resets_at,
            alert_thresholds=list(policy.alert_thresholds[window]),
            candidates=[BudgetCandidate(source=PolicySource.of(c.source), cap=Usd(c.value)) for c in merged.candidates],
        )


@strawberry.type(description="What all members of a group draw from together; a call must fit into it, too.")
class EffectivePool:
    source: PolicySource = strawberry.field(description="The group.")
    limits: list[LimitUse] = strawberry.field(description="One per dimension, with what all members use.")
    budgets: list[BudgetUse] = strawberry.field(description="One per window, with what all members spent.")

    @classmethod
    def of(cls, pool: effective.Constraint, use: SubjectUse, resets: Mapping[Window, datetime]) -> EffectivePool:
        return cls(
            source=PolicySource.of(pool.source),
            limits=LimitUse.all_of(pool.limits, use),
            budgets=BudgetUse.all_of(pool.budget, use, resets),
        )


@strawberry.type(description="What a user may do after merging, with who set each value.")
class EffectivePolicy:
    models: list[EffectiveModel] = strawberry.field(description="Granted models, by slug.")
    limits: list[EffectiveLimit] = strawberry.field(description="One per dimension.")
    budgets: list[EffectiveBudget] = strawberry.field(description="One per window.")
    pools: list[EffectivePool] = strawberry.field(
        description="Pools of the user's groups that set something; they hold beside the above."
    )

    @classmethod
    def of(
        cls,
        policy: effective.EffectivePolicy,
        uses: Mapping[domain.Subject, SubjectUse],
        models: Mapping[str, ModelValue],
        resets: Mapping[Window, datetime],
        now: datetime,
    ) -> EffectivePolicy:
        """`models` holds those that are still there; `uses` are the user's own and those of the pools."""
        use = uses[domain.Subject(SubjectKind.USER, policy.user.id)]
        granted = sorted((models[m].slug, m) for m in policy.grants if m in models)
        return cls(
            models=[
                EffectiveModel(
                    model=Model.of(models[model_id]), sources=[PolicySource.of(s) for s in policy.grants[model_id]]
                )
                for _, model_id in granted
            ],
            limits=[EffectiveLimit.of(policy, d, use.used.get(d, 0), now) for d in Dimension],
            budgets=[EffectiveBudget.of(policy, w, use, resets[w], now) for w in Window],
            pools=[EffectivePool.of(pool, uses[pool.source.subject], resets) for pool in policy.pools],
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
    def of(cls, value: explain.Explanation) -> Explanation:
        return cls(
            allowed=value.allowed,
            status=value.status,
            code=value.code,
            message=value.message,
            retry_at=value.retry_at,
            checks=[ExplainCheck(name=c.name, passed=c.passed, detail=c.detail) for c in value.checks],
        )
