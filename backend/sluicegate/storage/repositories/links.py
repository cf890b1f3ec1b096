"""One-time links: invitations and password resets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, delete, insert, not_, or_, select, update

from sluicegate.domain.user import LinkKind, OneTimeLink, UserStatus
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.identity import LINKS, USERS

_INVITED = select(USERS.c.id).where(USERS.c.status == UserStatus.INVITED)
_UNUSED = and_(LINKS.c.used_at.is_(None), LINKS.c.replaced_at.is_(None))
_PENDING = and_(LINKS.c.kind == LinkKind.INVITE, _UNUSED)


class SqlLinkRepository:
    """Implements ports.store.LinkRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, link: OneTimeLink) -> None:
        await self._connection.execute(insert(LINKS).values(asdict(link)))

    async def by_digest(self, digest: str) -> OneTimeLink | None:
        row = (await self._connection.execute(select(LINKS).where(LINKS.c.token_digest == digest))).first()
        return to_value(OneTimeLink, row) if row else None

    async def pending_of(self, user_ids: Sequence[str]) -> dict[str, OneTimeLink]:
        statement = select(LINKS).where(LINKS.c.user_id.in_(user_ids), _PENDING).order_by(LINKS.c.created_at)
        return {row.user_id: to_value(OneTimeLink, row) for row in await self._connection.execute(statement)}

    async def newest_of(self, user_id: str, kind: LinkKind) -> OneTimeLink | None:
        mine = and_(LINKS.c.user_id == user_id, LINKS.c.kind == kind)
        statement = select(LINKS).where(mine).order_by(LINKS.c.created_at.desc()).limit(1)
        row = (await self._connection.execute(statement)).first()
        return to_value(OneTimeLink, row) if row else None

    async def use(self, link_id: str, at: datetime) -> bool:
        statement = update(LINKS).where(LINKS.c.id == link_id, _UNUSED).values(used_at=at).returning(LINKS.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def replace(self, user_id: str, kind: LinkKind, at: datetime) -> None:
        mine = and_(LINKS.c.user_id == user_id, LINKS.c.kind == kind)
        await self._connection.execute(update(LINKS).where(mine, _UNUSED).values(replaced_at=at))

    async def lapsed_invitations(self, now: datetime, most: int) -> list[OneTimeLink]:
        statement = (
            select(LINKS)
            .where(_PENDING, LINKS.c.expires_at <= now, LINKS.c.lapse_noted_at.is_(None))
            .where(LINKS.c.user_id.in_(_INVITED))
            .order_by(LINKS.c.expires_at)
            .limit(most)
        )
        return [to_value(OneTimeLink, row) for row in await self._connection.execute(statement)]

    async def note_lapse(self, link_id: str, at: datetime) -> bool:
        unnoted = and_(LINKS.c.id == link_id, LINKS.c.lapse_noted_at.is_(None))
        statement = update(LINKS).where(unnoted).values(lapse_noted_at=at).returning(LINKS.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def remove_dead(self, before: datetime) -> int:
        dead = or_(LINKS.c.used_at <= before, LINKS.c.replaced_at <= before, LINKS.c.expires_at <= before)
        awaited = and_(_PENDING, LINKS.c.user_id.in_(_INVITED))
        result = await self._connection.execute(delete(LINKS).where(dead, not_(awaited)).returning(LINKS.c.id))
        return len(result.all())
