"""What is loaded for many groups at once."""

from __future__ import annotations

from sluicegate.domain.user import Group
from sluicegate.graphql.context import Context


async def groups_by_id(context: Context, ids: list[str]) -> list[Group | None]:
    found = await context.services.groups.get_many(context.require_caller(), ids)
    return [found.get(group_id) for group_id in ids]


async def member_counts(context: Context, ids: list[str]) -> list[int]:
    found = await context.services.groups.member_counts(context.require_caller(), ids)
    return [found[group_id] for group_id in ids]
