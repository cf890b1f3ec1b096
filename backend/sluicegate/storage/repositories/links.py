"""One-time links: invitations and password resets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, delete, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.user import LinkKind, OneTimeLink, UserStatus
from sluicegate.storage.repositories.rows import table_of, to_value
from sluicegate.storage.tables.identity import LinkRow, UserRow

_LINKS = table_of(LinkRow)
_USERS = table_of(UserRow)
_INVITED = select(_USERS.c.id).where(_USERS.c.status == UserStatus.INVITED)
_UNUSED = and_(_LINKS.c.used_at.is_(None), _LINKS.c.replaced_at.is_(None))
_PENDING = and_(_LINKS.c.kind == LinkKind.INVITE, _UNUSED)


class SqlLinkRepository:
    """Implements ports.store.LinkRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, link: OneTimeLink) -> None:
        await self._session.execute(insert(_LINKS).values(asdict(link)))

    async def by_digest(self, digest: str) -> OneTimeLink | None:
        row = (await self._session.execute(select(_LINKS).where(_LINKS.c.token_digest == digest))).first()
        return to_value(OneTimeLink, row) if row else None

    async def pending_of(self, user_ids: Sequence[str]) -> dict[str, OneTimeLink]:
        statement = select(_LINKS).where(_LINKS.c.user_id.in_(user_ids), _PENDING).order_by(_LINKS.c.created_at)
        return {row.user_id: to_value(OneTimeLink, row) for row in await self._session.execute(statement)}

    async def newest_of(self, user_id: str, kind: LinkKind) -> OneTimeLink | None:
        mine = and_(_LINKS.c.user_id == user_id, _LINKS.c.kind == kind)
        statement = select(_LINKS).where(mine).order_by(_LINKS.c.created_at.desc()).limit(1)
        row = (await self._session.execute(statement)).first()
        return to_value(OneTimeLink, row) if row else None

    async def use(self, link_id: str, at: datetime) -> bool:
        statement = update(_LINKS).where(_LINKS.c.id == link_id, _UNUSED).values(used_at=at).returning(_LINKS.c.id)
        return (await self._session.execute(statement)).first() is not None

    async def replace(self, user_id: str, kind: LinkKind, at: datetime) -> None:
        mine = and_(_LINKS.c.user_id == user_id, _LINKS.c.kind == kind)
        await self._session.execute(update(_LINKS).where(mine, _UNUSED).values(replaced_at=at))

    async def lapsed_invitations(self, now: datetime, most: int) -> list[OneTimeLink]:
        statement = (
            select(_LINKS)
            .where(_PENDING, _LINKS.c.expires_at <= now, _LINKS.c.lapse_noted_at.is_(None))
            .where(_LINKS.c.user_id.in_(_INVITED))
            .order_by(_LINKS.c.expires_at)
            .limit(most)
        )
        return [to_value(OneTimeLink, row) for row in await self._session.execute(statement)]

    async def note_lapse(self, link_id: str, at: datetime) -> bool:
        unnoted = and_(_LINKS.c.id == link_id, _LINKS.c.lapse_noted_at.is_(None))
        statement = update(_LINKS).where(unnoted).values(lapse_noted_at=at).returning(_LINKS.c.id)
        return (await self._session.execute(statement)).first() is not None

    async def remove_dead(self, before: datetime) -> int:
        dead = or_(_LINKS.c.used_at <= before, _LINKS.c.replaced_at <= before, _LINKS.c.expires_at <= before)
        awaited = and_(_PENDING, _LINKS.c.user_id.in_(_INVITED))
        result = await self._session.execute(delete(_LINKS).where(dead, not_(awaited)).returning(_LINKS.c.id))
        return len(result.all())
