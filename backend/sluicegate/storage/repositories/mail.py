"""The outbox: letters, written in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.kit.clock import Clock
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.mail import OUTBOX

_QUEUED = OUTBOX.c.status == MailStatus.QUEUED
_MAX_ERROR = 500


class SqlMailRepository:
    """Implements ports.store.MailRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def add(self, delivery: Delivery, sealed: str) -> None:
        await self._connection.execute(insert(OUTBOX).values(asdict(delivery) | {"sealed": sealed}))

    async def due(self, now: datetime, most: int) -> list[str]:
        statement = select(OUTBOX.c.id).where(_QUEUED, OUTBOX.c.due_at <= now).order_by(OUTBOX.c.due_at).limit(most)
        return list(await self._connection.scalars(statement))

    async def take(self, delivery_id: str, now: datetime, until: datetime) -> tuple[Delivery, str] | None:
        statement = (
            update(OUTBOX)
            .where(OUTBOX.c.id == delivery_id, _QUEUED, OUTBOX.c.due_at <= now)
            .values(due_at=until, attempts=OUTBOX.c.attempts + 1)
            .returning(OUTBOX)
        )
        row = (await self._connection.execute(statement)).first()
        return (to_value(Delivery, row), row.sealed) if row is not None else None

    async def finish(self, delivery: Delivery, status: MailStatus, at: datetime, error: str) -> None:
        ended = {"status": status, "finished_at": at, "error": error[:_MAX_ERROR], "sealed": None}
        await self._connection.execute(update(OUTBOX).where(_taken_as(delivery)).values(**ended))

    async def postpone(self, delivery: Delivery, due_at: datetime, error: str) -> None:
        later = {"due_at": due_at, "error": error[:_MAX_ERROR]}
        await self._connection.execute(update(OUTBOX).where(_taken_as(delivery)).values(**later))

    async def get(self, delivery_id: str) -> Delivery | None:
        row = (await self._connection.execute(select(OUTBOX).where(OUTBOX.c.id == delivery_id))).first()
        return to_value(Delivery, row) if row is not None else None

    async def hasten(self, delivery_id: str, at: datetime) -> bool:
        statement = update(OUTBOX).where(OUTBOX.c.id == delivery_id, _QUEUED).values(due_at=at).returning(OUTBOX.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def cancel(self, user_id: str, kind: LetterKind | None = None) -> None:
        mine = [OUTBOX.c.user_id == user_id, _QUEUED]
        if kind is not None:
            mine.append(OUTBOX.c.kind == kind)
        cancelled = {"status": MailStatus.CANCELLED, "finished_at": self._clock.now(), "sealed": None}
        await self._connection.execute(update(OUTBOX).where(*mine).values(**cancelled))

    async def page(self, status: MailStatus | None, page: PageRequest) -> Page[Delivery]:
        chosen = select(OUTBOX).where(*_with_status(status))
        rows = (await self._connection.execute(paged(chosen, page, OUTBOX.c.id, descending=True))).all()
        return to_page(rows, page, lambda row: to_value(Delivery, row), lambda row: [row.id])

    async def count(self, status: MailStatus | None) -> int:
        return await self._connection.scalar(select(func.count(OUTBOX.c.id)).where(*_with_status(status))) or 0

    async def latest_of(self, user_ids: Sequence[str], kind: LetterKind) -> dict[str, Delivery]:
        statement = select(OUTBOX).where(OUTBOX.c.user_id.in_(user_ids), OUTBOX.c.kind == kind).order_by(OUTBOX.c.id)
        return {row.user_id: to_value(Delivery, row) for row in await self._connection.execute(statement)}

    async def expire(self, now: datetime) -> None:
        ended = {"status": MailStatus.FAILED, "finished_at": now, "sealed": None}
        await self._connection.execute(update(OUTBOX).where(_QUEUED, OUTBOX.c.expires_at <= now).values(**ended))

    async def remove_finished(self, before: datetime) -> None:
        await self._connection.execute(delete(OUTBOX).where(OUTBOX.c.finished_at <= before))


def _taken_as(delivery: Delivery) -> ColumnElement[bool]:
    """Still as when it was taken: whoever was so slow that somebody else took it has no say any more."""
    return and_(OUTBOX.c.id == delivery.id, _QUEUED, OUTBOX.c.attempts == delivery.attempts)


def _with_status(status: MailStatus | None) -> list[ColumnElement[bool]]:
    return [] if status is None else [OUTBOX.c.status == status]
