"""Provisioning by an identity provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.scim import GroupKey, PersonFacts, PersonKey, ScimToken
from sluicegate.domain.user import Group, User, UserStatus
from sluicegate.ports.scim import GroupMatch, PersonMatch
from sluicegate.storage.repositories.rows import table_of, to_value
from sluicegate.storage.repositories.upsert import upsert
from sluicegate.storage.tables.identity import GroupRow, MembershipRow, UserRow
from sluicegate.storage.tables.scim import ScimGroupRow, ScimTokenRow, ScimUserRow

_TOKENS = table_of(ScimTokenRow)
_FACTS = table_of(ScimUserRow)
_IDS = table_of(ScimGroupRow)
_USERS = table_of(UserRow)
_GROUPS = table_of(GroupRow)
_MEMBERSHIPS = table_of(MembershipRow)


def _is_active(wanted: object) -> ColumnElement[bool]:
    suspended = _USERS.c.status == UserStatus.SUSPENDED
    return ~suspended if wanted else suspended


_PEOPLE: dict[PersonKey, Callable[[Any], ColumnElement[bool]]] = {
    PersonKey.ID: lambda value: _USERS.c.id == value,
    PersonKey.USER_NAME: lambda value: _USERS.c.email == value.lower(),
    PersonKey.EXTERNAL_ID: lambda value: _USERS.c.id.in_(select(_FACTS.c.user_id).where(_FACTS.c.external_id == value)),
    PersonKey.DISPLAY_NAME: lambda value: _USERS.c.sort_name == value.lower(),
    PersonKey.ACTIVE: _is_active,
    PersonKey.GROUP: lambda value: _USERS.c.id.in_(
        select(_MEMBERSHIPS.c.user_id).where(_MEMBERSHIPS.c.group_id == value)
    ),
}
_IN_GROUPS: dict[GroupKey, Callable[[str], ColumnElement[bool]]] = {
    GroupKey.ID: lambda value: _GROUPS.c.id == value,
    # As the unique index has it, see repositories.groups.
    GroupKey.DISPLAY_NAME: lambda value: func.lower(_GROUPS.c.name) == func.lower(value),
    GroupKey.EXTERNAL_ID: lambda value: _GROUPS.c.id.in_(select(_IDS.c.group_id).where(_IDS.c.external_id == value)),
    GroupKey.MEMBER: lambda value: _GROUPS.c.id.in_(
        select(_MEMBERSHIPS.c.group_id).where(_MEMBERSHIPS.c.user_id == value)
    ),
}


class SqlScimRepository:
    """Implements ports.scim.ScimRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def tokens(self) -> list[ScimToken]:
        rows = await self._session.execute(select(_TOKENS).order_by(_TOKENS.c.id.desc()))
        return [to_value(ScimToken, row) for row in rows]

    async def token(self, token_id: str) -> ScimToken | None:
        return await self._one_token(select(_TOKENS).where(_TOKENS.c.id == token_id).with_for_update())

    async def token_by_digest(self, digest: str) -> ScimToken | None:
        either = or_(_TOKENS.c.token_digest == digest, _TOKENS.c.previous_digest == digest)
        return await self._one_token(select(_TOKENS).where(either))

    async def _one_token(self, statement: Select[Any]) -> ScimToken | None:
        row = (await self._session.execute(statement)).first()
        return to_value(ScimToken, row) if row else None

    async def add_token(self, token: ScimToken) -> None:
        await self._session.execute(insert(_TOKENS).values(asdict(token)))

    async def update_token(self, token_id: str, **values: Any) -> None:
        await self._session.execute(update(_TOKENS).where(_TOKENS.c.id == token_id).values(**values))

    async def touch_token(self, token_id: str, at: datetime) -> None:
        await self.update_token(token_id, last_used_at=at)

    async def people(self, where: PersonMatch, offset: int, most: int) -> list[User]:
        chosen = select(_USERS).where(*_people(where)).order_by(_USERS.c.id).offset(offset).limit(most)
        return [to_value(User, row) for row in await self._session.execute(chosen)]

    async def count_people(self, where: PersonMatch) -> int:
        return await self._session.scalar(select(func.count(_USERS.c.id)).where(*_people(where))) or 0

    async def facts_of(self, user_ids: Sequence[str]) -> dict[str, PersonFacts]:
        rows = await self._session.execute(select(_FACTS).where(_FACTS.c.user_id.in_(user_ids)))
        found = {row.user_id: to_value(PersonFacts, row) for row in rows}
        return {user_id: found.get(user_id, PersonFacts()) for user_id in user_ids}

    async def set_facts(self, user_id: str, facts: PersonFacts) -> None:
        await upsert(self._session, _FACTS, {"user_id": user_id, **asdict(facts)})

    async def note_status(self, user_id: str, *, suspended: bool) -> None:
        if suspended:
            await upsert(self._session, _FACTS, {"user_id": user_id, "suspended": True})
        else:
            changed = update(_FACTS).where(_FACTS.c.user_id == user_id, _FACTS.c.suspended)
            await self._session.execute(changed.values(suspended=False))

    async def groups(self, where: GroupMatch, offset: int, most: int) -> list[Group]:
        chosen = select(_GROUPS).where(*_groups(where)).order_by(_GROUPS.c.id).offset(offset).limit(most)
        return [to_value(Group, row) for row in await self._session.execute(chosen)]

    async def count_groups(self, where: GroupMatch) -> int:
        return await self._session.scalar(select(func.count(_GROUPS.c.id)).where(*_groups(where))) or 0

    async def external_ids_of(self, group_ids: Sequence[str]) -> dict[str, str]:
        rows = await self._session.execute(select(_IDS).where(_IDS.c.group_id.in_(group_ids)))
        return {row.group_id: row.external_id for row in rows}

    async def set_external_id(self, group_id: str, external_id: str | None) -> None:
        if external_id is None:
            await self._session.execute(delete(_IDS).where(_IDS.c.group_id == group_id))
        else:
            await upsert(self._session, _IDS, {"group_id": group_id, "external_id": external_id})

    async def members_of(self, group_ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {group_id: [] for group_id in group_ids}
        of_these = select(_MEMBERSHIPS).where(_MEMBERSHIPS.c.group_id.in_(group_ids))
        for row in await self._session.execute(of_these.order_by(_MEMBERSHIPS.c.group_id, _MEMBERSHIPS.c.user_id)):
            found[row.group_id].append(row.user_id)
        return found


def _people(where: PersonMatch) -> list[ColumnElement[bool]]:
    return [_PEOPLE[key](value) for key, value in where]


def _groups(where: GroupMatch) -> list[ColumnElement[bool]]:
    return [_IN_GROUPS[key](cast("str", value)) for key, value in where]
