"""What users and groups say about their policy."""

from __future__ import annotations

from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.version import Edited
from sluicegate.graphql.catalog import loaders as catalog
from sluicegate.graphql.context import Info
from sluicegate.graphql.policy import loaders
from sluicegate.graphql.policy.overrides import Override, override_of
from sluicegate.graphql.policy.types import Budget, EffectivePolicy, Grant, RateLimit
from sluicegate.kit.errors import NotFound


async def user_grants(user_id: str, info: Info) -> list[Grant]:
    """The user's own."""
    return await _grants(Subject(SubjectKind.USER, user_id), info)


async def user_inherited_grants(user_id: str, info: Info) -> list[Grant]:
    """Those that come through a group."""
    return [Grant.of(grant) for grant in await info.context.loader(loaders.inherited_grants).load(user_id)]


async def user_rate_limit(user_id: str, info: Info) -> RateLimit:
    return await _rate_limit(Subject(SubjectKind.USER, user_id), info)


async def user_budget(user_id: str, info: Info) -> Budget:
    return await _budget(Subject(SubjectKind.USER, user_id), info)


async def user_overrides(user_id: str, past: bool, info: Info) -> list[Override]:
    """Those that run, or all of them, newest first."""
    now = info.context.services.overrides.now()
    found = await info.context.loader(loaders.overrides).load(user_id)
    return [override_of(override, now) for override in found if past or override.running(now)]


async def user_effective_policy(user_id: str, info: Info) -> EffectivePolicy:
    services = info.context.services
    found = await info.context.loader(loaders.effective).load(user_id)
    if found is None:
        raise NotFound("user")
    policy, uses = found
    granted = await info.context.loader(catalog.models).load_many(list(policy.grants))
    models = {model.id: model for model in granted if model is not None}
    return EffectivePolicy.of(policy, uses, models, services.effective.resets(), services.overrides.now())


async def group_grants(group_id: str, info: Info) -> list[Grant]:
    return await _grants(Subject(SubjectKind.GROUP, group_id), info)


async def group_rate_limit(group_id: str, info: Info) -> RateLimit:
    return await _rate_limit(Subject(SubjectKind.GROUP, group_id), info)


async def group_budget(group_id: str, info: Info) -> Budget:
    return await _budget(Subject(SubjectKind.GROUP, group_id), info)


async def _grants(subject: Subject, info: Info) -> list[Grant]:
    return [Grant.of(grant) for grant in await info.context.loader(loaders.grants).load(subject)]


async def _rate_limit(subject: Subject, info: Info) -> RateLimit:
    return RateLimit.of(await info.context.loader(loaders.rate_limits).load(subject), Edited.limits_of(subject))


async def _budget(subject: Subject, info: Info) -> Budget:
    return Budget.of(await info.context.loader(loaders.budgets).load(subject), Edited.budget_of(subject))
