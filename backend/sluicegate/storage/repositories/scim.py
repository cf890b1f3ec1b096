"""Provisioning by an identity provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update

from sluicegate.domain.scim import GroupKey, PersonFacts, PersonKey, ScimToken
from sluicegate.domain.user import Group, User, UserStatus
from sluicegate.ports.scim import GroupMatch, PersonMatch
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import same_name
from sluicegate.storage.repositories.upsert import upsert
from sluicegate.storage.tables.identity import GROUPS, MEMBERSHIPS, USERS
from sluicegate.storage.tables.scim import SCIM_GROUPS, SCIM_TOKENS, SCIM_USERS


def _is_active(wanted: object) -> ColumnElement[bool]:
    suspended = USERS.c.status == UserStatus.SUSPENDED
    return ~suspended if wanted else suspended


_PEOPLE: dict[PersonKey, Callable[[Any], ColumnElement[bool]]] = {
    PersonKey.ID: lambda value: USERS.c.id == value,
    PersonKey.USER_NAME: lambda value: USERS.c.email == value.lower(),
    PersonKey.EXTERNAL_ID: lambda value: USERS.c.id.in_(
        select(SCIM_USERS.c.user_id).where(SCIM_USERS.c.external_id == value)
    ),
    PersonKey.DISPLAY_NAME: lambda value: USERS.c.sort_name == value.lower(),
    PersonKey.ACTIVE: _is_active,
    PersonKey.GROUP: lambda value: USERS.c.id.in_(select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id == value)),
}
_IN_GROUPS: dict[GroupKey, Callable[[AsyncConnection, str], ColumnElement[bool]]] = {
    GroupKey.ID: lambda _, value: GROUPS.c.id == value,
    GroupKey.DISPLAY_NAME: lambda connection, value: same_name(connection, GROUPS.c.name, value),
    GroupKey.EXTERNAL_ID: lambda _, value: GROUPS.c.id.in_(
        select(SCIM_GROUPS.c.group_id).where(SCIM_GROUPS.c.external_id == value)
    ),
    GroupKey.MEMBER: lambda _, value: GROUPS.c.id.in_(
        select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id == value)
    ),
}


class SqlScimRepository:
    """Implements ports.scim.ScimRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def tokens(self) -> list[ScimToken]:
        rows = await self._connection.execute(select(SCIM_TOKENS).order_by(SCIM_TOKENS.c.id.desc()))
        return [to_value(ScimToken, row) for row in rows]

    async def token(self, token_id: str) -> ScimToken | None:
        return await self._one_token(select(SCIM_TOKENS).where(SCIM_TOKENS.c.id == token_id).with_for_update())

    async def token_by_digest(self, digest: str) -> ScimToken | None:
        either = or_(SCIM_TOKENS.c.token_digest == digest, SCIM_TOKENS.c.previous_digest == digest)
        return await self._one_token(select(SCIM_TOKENS).where(either))

    async def _one_token(self, statement: Select[Any]) -> ScimToken | None:
        row = (await self._connection.execute(statement)).first()
        return to_value(ScimToken, row) if row else None

    async def add_token(self, token: ScimToken) -> None:
        await self._connection.execute(insert(SCIM_TOKENS).values(asdict(token)))

    async def update_token(self, token_id: str, **values: Any) -> None:
        await self._connection.execute(update(SCIM_TOKENS).where(SCIM_TOKENS.c.id == token_id).values(**values))

    async def touch_token(self, token_id: str, at: datetime) -> None:
        await self.update_token(token_id, last_used_at=at)

    async def people(self, where: PersonMatch, offset: int, most: int) -> list[User]:
        chosen = select(USERS).where(*_people(where)).order_by(USERS.c.id).offset(offset).limit(most)
        return [to_value(User, row) for row in await self._connection.execute(chosen)]

    async def count_people(self, where: PersonMatch) -> int:
        return await self._connection.scalar(select(func.count(USERS.c.id)).where(*_people(where))) or 0

    async def facts_of(self, user_ids: Sequence[str]) -> dict[str, PersonFacts]:
        rows = await self._connection.execute(select(SCIM_USERS).where(SCIM_USERS.c.user_id.in_(user_ids)))
        found = {row.user_id: to_value(PersonFacts, row) for row in rows}
        return {user_id: found.get(user_id, PersonFacts()) for user_id in user_ids}

    async def set_facts(self, user_id: str, facts: PersonFacts) -> None:
        await upsert(self._connection, SCIM_USERS, {"user_id": user_id, **asdict(facts)})

    async def note_status(self, user_id: str, *, suspended: bool) -> None:
        if suspended:
            await upsert(self._connection, SCIM_USERS, {"user_id": user_id, "suspended": True})
        else:
            changed = update(SCIM_USERS).where(SCIM_USERS.c.user_id == user_id, SCIM_USERS.c.suspended)
            await self._connection.execute(changed.values(suspended=False))

    async def groups(self, where: GroupMatch, offset: int, most: int) -> list[Group]:
        chosen = (
            select(GROUPS).where(*_groups(self._connection, where)).order_by(GROUPS.c.id).offset(offset).limit(most)
        )
        return [to_value(Group, row) for row in await self._connection.execute(chosen)]

    async def count_groups(self, where: GroupMatch) -> int:
        return (
            await self._connection.scalar(select(func.count(GROUPS.c.id)).where(*_groups(self._connection, where))) or 0
        )

    async def external_ids_of(self, group_ids: Sequence[str]) -> dict[str, str]:
        rows = await self._connection.execute(select(SCIM_GROUPS).where(SCIM_GROUPS.c.group_id.in_(group_ids)))
        return {row.group_id: row.external_id for row in rows}

    async def set_external_id(self, group_id: str, external_id: str | None) -> None:
        if external_id is None:
            await self._connection.execute(delete(SCIM_GROUPS).where(SCIM_GROUPS.c.group_id == group_id))
        else:
            await upsert(self._connection, SCIM_GROUPS, {"group_id": group_id, "external_id": external_id})

    async def members_of(self, group_ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {group_id: [] for group_id in group_ids}
        of_these = select(MEMBERSHIPS).where(MEMBERSHIPS.c.group_id.in_(group_ids))
        for row in await self._connection.execute(of_these.order_by(MEMBERSHIPS.c.group_id, MEMBERSHIPS.c.user_id)):
            found[row.group_id].append(row.user_id)
        return found


def _people(where: PersonMatch) -> list[ColumnElement[bool]]:
    return [_PEOPLE[key](value) for key, value in where]


def _groups(connection: AsyncConnection, where: GroupMatch) -> list[ColumnElement[bool]]:
    return [_IN_GROUPS[key](connection, cast("str", value)) for key, value in where]
