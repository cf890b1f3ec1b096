"""Who runs which recurring job, and how the last run ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import case, or_, select, update

from sluicegate.domain.job import JobState
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.upsert import insert_missing
from sluicegate.storage.tables.jobs import JOBS

_MAX_ERROR = 500


class SqlJobRepository:
    """Implements ports.store.JobRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[JobState]:
        rows = await self._connection.execute(select(JOBS).order_by(JOBS.c.name))
        return [to_value(JobState, row) for row in rows]

    async def add_missing(self, names: Sequence[str], due_at: datetime) -> None:
        await insert_missing(self._connection, JOBS, [asdict(JobState(name, due_at)) for name in names])

    async def claim(self, name: str, owner: str, now: datetime, lease_until: datetime, due_at: datetime) -> bool:
        free = or_(JOBS.c.lease_until.is_(None), JOBS.c.lease_until <= now)
        statement = (
            update(JOBS)
            .where(JOBS.c.name == name, JOBS.c.due_at <= now, free)
            .values(owner=owner, lease_until=lease_until, started_at=now, due_at=due_at)
            .returning(JOBS.c.name)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def renew(self, name: str, owner: str, lease_until: datetime) -> bool:
        statement = (
            update(JOBS)
            .where(JOBS.c.name == name, JOBS.c.owner == owner)
            .values(lease_until=lease_until)
            .returning(JOBS.c.name)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def finish(self, name: str, owner: str, at: datetime) -> None:
        ended = {"owner": None, "lease_until": None, "finished_at": at, "failures": 0, "error": ""}
        await self._connection.execute(update(JOBS).where(JOBS.c.name == name, JOBS.c.owner == owner).values(**ended))

    async def fail(self, name: str, owner: str, at: datetime, retry_at: datetime, error: str) -> None:
        await self._connection.execute(
            update(JOBS)
            .where(JOBS.c.name == name, JOBS.c.owner == owner)
            .values(
                owner=None,
                lease_until=None,
                finished_at=at,
                failures=JOBS.c.failures + 1,
                error=error[:_MAX_ERROR],
                due_at=_earlier(retry_at),
            )
        )

    async def release(self, name: str, owner: str, due_at: datetime) -> None:
        await self._connection.execute(
            update(JOBS)
            .where(JOBS.c.name == name, JOBS.c.owner == owner)
            .values(owner=None, lease_until=None, due_at=due_at)
        )

    async def wake(self, name: str, at: datetime) -> None:
        await self._connection.execute(update(JOBS).where(JOBS.c.name == name).values(due_at=_earlier(at)))


def _earlier(at: datetime) -> object:
    return case((JOBS.c.due_at > at, at), else_=JOBS.c.due_at)
