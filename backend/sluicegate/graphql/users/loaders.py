"""What is loaded for many people at once."""

from __future__ import annotations

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.mail import Delivery
from sluicegate.domain.sso import Identity, LastSignIn
from sluicegate.domain.user import Group, OneTimeLink, Session, User
from sluicegate.graphql.context import Context


async def users_by_id(context: Context, ids: list[str]) -> list[User | None]:
    found = await context.services.users.get_many(context.require_caller(), ids)
    return [found.get(user_id) for user_id in ids]


async def pending_invitations(context: Context, ids: list[str]) -> list[OneTimeLink | None]:
    found = await context.services.users.pending_invitations(context.require_caller(), ids)
    return [found.get(user_id) for user_id in ids]


async def invitation_mail(context: Context, ids: list[str]) -> list[Delivery | None]:
    found = await context.services.mail.invitations_of(context.require_caller(), ids)
    return [found.get(user_id) for user_id in ids]


async def sessions_of_users(context: Context, ids: list[str]) -> list[list[Session]]:
    found = await context.services.sessions.of_users(context.require_caller(), ids)
    return [found[user_id] for user_id in ids]


async def groups_of_users(context: Context, ids: list[str]) -> list[list[Group]]:
    found = await context.services.groups.of_users(context.require_caller(), ids)
    return [found[user_id] for user_id in ids]


async def keys_of_users(context: Context, ids: list[str]) -> list[list[ApiKey]]:
    found = await context.services.keys.of_users(context.require_caller(), ids)
    return [found[user_id] for user_id in ids]


async def identities_of_users(context: Context, ids: list[str]) -> list[list[Identity]]:
    found = await context.services.identities.of_users(context.require_caller(), ids)
    return [found[user_id] for user_id in ids]


async def last_sign_ins(context: Context, ids: list[str]) -> list[LastSignIn | None]:
    found = await context.services.identities.last_sign_ins(context.require_caller(), ids)
    return [found.get(user_id) for user_id in ids]
