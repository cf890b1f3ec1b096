"""Batches behind the fields of policy."""

from __future__ import annotations

import asyncio

from sluicegate.domain.policy import Budget, Grant, Override, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Group
from sluicegate.graphql.context import Context
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.ports.policy import SubjectUse


async def grants(context: Context, subjects: list[Subject]) -> list[list[Grant]]:
    found = await context.services.grants.of(context.require_caller(), subjects)
    return [found[subject] for subject in subjects]


async def inherited_grants(context: Context, user_ids: list[str]) -> list[list[Grant]]:
    found = await context.services.grants.inherited(context.require_caller(), user_ids)
    return [found[user_id] for user_id in user_ids]


async def rate_limits(context: Context, subjects: list[Subject]) -> list[RateLimits]:
    found = await context.services.limits.of(context.require_caller(), subjects)
    return [found[subject] for subject in subjects]


async def budgets(context: Context, subjects: list[Subject]) -> list[Budget]:
    found = await context.services.budgets.of(context.require_caller(), subjects)
    return [found[subject] for subject in subjects]


async def overrides(context: Context, user_ids: list[str]) -> list[list[Override]]:
    found = await context.services.overrides.of_users(context.require_caller(), user_ids)
    return [found[user_id] for user_id in user_ids]


async def effective(
    context: Context, user_ids: list[str]
) -> list[tuple[EffectivePolicy, dict[Subject, SubjectUse]] | None]:
    """None for those who are gone meanwhile."""
    found = await context.services.effective.effective(context.require_caller(), user_ids)
    return [found.get(user_id) for user_id in user_ids]


async def pool_uses(context: Context, group_ids: list[str]) -> list[SubjectUse]:
    caller, services = context.require_caller(), context.services
    pools = [Subject(SubjectKind.POOL, group_id) for group_id in group_ids]
    limits, budgets = await services.limits.of(caller, pools), await services.budgets.of(caller, pools)
    uses = (services.effective.pool_use(caller, pool.id, limits[pool], budgets[pool]) for pool in pools)
    # Of several servers each may have to be asked for what it has not written down: for all pools at once.
    return await asyncio.gather(*uses)


async def visible_groups(context: Context, group_ids: list[str]) -> list[Group | None]:
    """Any for administrators, their own for members."""
    caller, service = context.require_caller(), context.services.groups
    if caller.is_admin:
        found = await service.get_many(caller, group_ids)
    else:
        own = (await service.of_users(caller, [caller.user.id]))[caller.user.id]
        found = {group.id: group for group in own}
    return [found.get(group_id) for group_id in group_ids]
