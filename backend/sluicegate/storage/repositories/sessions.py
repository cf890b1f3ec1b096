"""The browsers that people are signed in with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update

from sluicegate.domain.user import Session
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.identity import SESSIONS


class SqlSessionRepository:
    """Implements ports.store.SessionRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        await self._connection.execute(insert(SESSIONS).values(asdict(session)))

    async def get(self, session_id: str) -> Session | None:
        row = (await self._connection.execute(select(SESSIONS).where(SESSIONS.c.id == session_id))).first()
        return to_value(Session, row) if row else None

    async def by_digest(self, digest: str) -> Session | None:
        row = (await self._connection.execute(select(SESSIONS).where(SESSIONS.c.token_digest == digest))).first()
        return to_value(Session, row) if row else None

    async def touch(self, session_id: str, at: datetime) -> None:
        await self._connection.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(last_seen_at=at))

    async def remove(self, session_id: str) -> None:
        await self._connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))

    async def remove_of(self, user_id: str, keep: str | None = None) -> int:
        these = [SESSIONS.c.user_id == user_id]
        if keep is not None:
            these.append(SESSIONS.c.id != keep)
        return len((await self._connection.execute(delete(SESSIONS).where(*these).returning(SESSIONS.c.id))).all())

    async def of_users(self, user_ids: Sequence[str]) -> dict[str, list[Session]]:
        statement = (
            select(SESSIONS)
            .where(SESSIONS.c.user_id.in_(user_ids))
            .order_by(SESSIONS.c.last_seen_at.desc(), SESSIONS.c.id)
        )
        found: dict[str, list[Session]] = {user_id: [] for user_id in user_ids}
        for row in await self._connection.execute(statement):
            found[row.user_id].append(to_value(Session, row))
        return found

    async def remove_ended(self, now: datetime, idle_since: datetime) -> int:
        ended = or_(SESSIONS.c.expires_at <= now, SESSIONS.c.last_seen_at <= idle_since)
        return len((await self._connection.execute(delete(SESSIONS).where(ended).returning(SESSIONS.c.id))).all())
