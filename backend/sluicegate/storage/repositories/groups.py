"""Groups and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import String, delete, func, insert, select, update

from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.user import Group
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import named_like, same_name
from sluicegate.storage.repositories.subjects import delete_policy_of
from sluicegate.storage.repositories.upsert import insert_missing
from sluicegate.storage.tables.identity import GROUPS, MEMBERSHIPS

# Of a known type, so that cursors are looked at.
_LOWER_NAME = func.lower(GROUPS.c.name, type_=String)
_SEARCHED = (_LOWER_NAME, func.lower(GROUPS.c.description))


class SqlGroupRepository:
    """Implements ports.store.GroupRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, group_id: str) -> Group | None:
        return (await self.get_many([group_id])).get(group_id)

    async def kept(self, group_id: str) -> Group | None:
        here = select(GROUPS.c.id).where(GROUPS.c.id == group_id)
        await self._connection.execute(here.with_for_update(read=True, key_share=True))
        return await self.get(group_id)

    async def get_many(self, ids: Sequence[str]) -> dict[str, Group]:
        rows = await self._connection.execute(select(GROUPS).where(GROUPS.c.id.in_(ids)))
        return {row.id: to_value(Group, row) for row in rows}

    async def by_name(self, name: str) -> Group | None:
        same = same_name(self._connection, GROUPS.c.name, name)
        row = (await self._connection.execute(select(GROUPS).where(same))).first()
        return to_value(Group, row) if row else None

    async def page(self, search: str | None, page: PageRequest) -> Page[Group]:
        chosen = select(GROUPS, _LOWER_NAME.label("lower_name")).where(
            *named_like(self._connection, search, *_SEARCHED)
        )
        rows = (await self._connection.execute(paged(chosen, page, _LOWER_NAME, GROUPS.c.id))).all()
        return to_page(rows, page, lambda row: to_value(Group, row), lambda row: [row.lower_name, row.id])

    async def count(self, search: str | None) -> int:
        return (
            await self._connection.scalar(
                select(func.count(GROUPS.c.id)).where(*named_like(self._connection, search, *_SEARCHED))
            )
            or 0
        )

    async def add(self, group: Group) -> None:
        await self._connection.execute(insert(GROUPS).values(asdict(group)))

    async def update(self, group_id: str, **values: Any) -> None:
        if values:
            await self._connection.execute(update(GROUPS).where(GROUPS.c.id == group_id).values(**values))

    async def delete(self, group_id: str) -> None:
        # After whoever sets something for the group at this moment, so that it goes, too.
        await self._connection.execute(select(GROUPS.c.id).where(GROUPS.c.id == group_id).with_for_update())
        await delete_policy_of(self._connection, SubjectKind.GROUP, [group_id])
        await self._connection.execute(delete(GROUPS).where(GROUPS.c.id == group_id))

    async def member_counts(self, ids: Sequence[str]) -> dict[str, int]:
        statement = (
            select(MEMBERSHIPS.c.group_id, func.count().label("members"))
            .where(MEMBERSHIPS.c.group_id.in_(ids))
            .group_by(MEMBERSHIPS.c.group_id)
        )
        counts = {row.group_id: row.members for row in await self._connection.execute(statement)}
        return {group_id: counts.get(group_id, 0) for group_id in ids}

    async def groups_of(self, user_ids: Sequence[str]) -> dict[str, list[Group]]:
        memberships = select(MEMBERSHIPS.c.user_id, MEMBERSHIPS.c.group_id)
        rows = (await self._connection.execute(memberships.where(MEMBERSHIPS.c.user_id.in_(user_ids)))).all()
        members: dict[str, list[str]] = {}
        for user_id, group_id in rows:
            members.setdefault(group_id, []).append(user_id)
        found: dict[str, list[Group]] = {user_id: [] for user_id in user_ids}
        # Each group is read once, however many of these are in it.
        groups = select(GROUPS).where(GROUPS.c.id.in_(members)).order_by(_LOWER_NAME, GROUPS.c.id)
        for row in await self._connection.execute(groups):
            group = to_value(Group, row)
            for user_id in members[group.id]:
                found[user_id].append(group)
        return found

    async def member_ids(self, group_id: str) -> list[str]:
        return list(
            await self._connection.scalars(select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id == group_id))
        )

    async def add_members(self, group_id: str, user_ids: Sequence[str]) -> list[str]:
        present = await self._present(group_id, user_ids)
        missing = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in present]
        if missing:
            rows = [{"group_id": group_id, "user_id": user_id} for user_id in missing]
            await insert_missing(self._connection, MEMBERSHIPS, rows)
        return missing

    async def remove_members(self, group_id: str, user_ids: Sequence[str]) -> list[str]:
        present = await self._present(group_id, user_ids)
        if present:
            these = MEMBERSHIPS.c.user_id.in_(present)
            await self._connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.group_id == group_id, these))
        return [user_id for user_id in dict.fromkeys(user_ids) if user_id in present]

    async def _present(self, group_id: str, user_ids: Sequence[str]) -> set[str]:
        statement = select(MEMBERSHIPS.c.user_id).where(
            MEMBERSHIPS.c.group_id == group_id, MEMBERSHIPS.c.user_id.in_(user_ids)
        )
        return set(await self._connection.scalars(statement))
