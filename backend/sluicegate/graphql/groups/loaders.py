"""What is loaded for many groups at once."""

from __future__ import annotations

from sluicegate.domain.user import Group, User
from sluicegate.graphql.context import Context
from sluicegate.ports.pages import Page, PageRequest, UserFilter


async def groups_by_id(context: Context, ids: list[str]) -> list[Group | None]:
    found = await context.services.groups.get_many(context.require_caller(), ids)
    return [found.get(group_id) for group_id in ids]


async def member_counts(context: Context, ids: list[str]) -> list[int]:
    found = await context.services.groups.member_counts(context.require_caller(), ids)
    return [found[group_id] for group_id in ids]


async def member_pages(context: Context, lists: list[tuple[UserFilter, PageRequest]]) -> list[Page[User]]:
    """By name."""
    return await context.services.users.pages(context.require_caller(), lists, "name_asc")


async def member_totals(context: Context, filters: list[UserFilter]) -> list[int]:
    return await context.services.users.counts(context.require_caller(), filters)
