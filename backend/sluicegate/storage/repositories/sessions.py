"""The browsers that people are signed in with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.user import Session
from sluicegate.storage.repositories.rows import table_of, to_value
from sluicegate.storage.tables.identity import SessionRow

_SESSIONS = table_of(SessionRow)


class SqlSessionRepository:
    """Implements ports.store.SessionRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        await self._session.execute(insert(_SESSIONS).values(asdict(session)))

    async def get(self, session_id: str) -> Session | None:
        row = (await self._session.execute(select(_SESSIONS).where(_SESSIONS.c.id == session_id))).first()
        return to_value(Session, row) if row else None

    async def by_digest(self, digest: str) -> Session | None:
        row = (await self._session.execute(select(_SESSIONS).where(_SESSIONS.c.token_digest == digest))).first()
        return to_value(Session, row) if row else None

    async def touch(self, session_id: str, at: datetime) -> None:
        await self._session.execute(update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(last_seen_at=at))

    async def remove(self, session_id: str) -> None:
        await self._session.execute(delete(_SESSIONS).where(_SESSIONS.c.id == session_id))

    async def remove_of(self, user_id: str, keep: str | None = None) -> int:
        these = [_SESSIONS.c.user_id == user_id]
        if keep is not None:
            these.append(_SESSIONS.c.id != keep)
        return len((await self._session.execute(delete(_SESSIONS).where(*these).returning(_SESSIONS.c.id))).all())

    async def of_users(self, user_ids: Sequence[str]) -> dict[str, list[Session]]:
        statement = (
            select(_SESSIONS)
            .where(_SESSIONS.c.user_id.in_(user_ids))
            .order_by(_SESSIONS.c.last_seen_at.desc(), _SESSIONS.c.id)
        )
        found: dict[str, list[Session]] = {user_id: [] for user_id in user_ids}
        for row in await self._session.execute(statement):
            found[row.user_id].append(to_value(Session, row))
        return found

    async def remove_ended(self, now: datetime, idle_since: datetime) -> int:
        ended = or_(_SESSIONS.c.expires_at <= now, _SESSIONS.c.last_seen_at <= idle_since)
        return len((await self._session.execute(delete(_SESSIONS).where(ended).returning(_SESSIONS.c.id))).all())
