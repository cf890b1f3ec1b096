"""The audit log, written in the transaction of the change that it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select

from sluicegate.domain.audit import Actor, AuditEvent
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id
from sluicegate.ports.pages import AuditFilter, Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.instants import from_micros, to_micros
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import Trigrams, named_like
from sluicegate.storage.tables.audit import EVENTS

_SEARCHED = Trigrams(
    "audit_search",
    EVENTS.c.id,
    (func.lower(EVENTS.c.target_label), func.lower(EVENTS.c.actor_label), func.lower(EVENTS.c.action)),
)


class SqlAuditRepository:
    """Implements ports.store.AuditRepository."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def record(
        self,
        actor: Actor,
        action: str,
        target_kind: str,
        target_id: str,
        target_label: str,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        old, new = before or {}, after or {}
        unchanged = {name for name in old.keys() & new.keys() if old[name] == new[name]}
        event = {
            "id": new_id(),
            "at": self._clock.now(),
            "actor_kind": actor.kind,
            "actor_id": actor.user_id,
            "actor_token_id": actor.token_id,
            "actor_label": actor.label,
            "action": action,
            "target_kind": target_kind,
            "target_id": target_id,
            "target_label": target_label,
            "before": _shown(old, unchanged),
            "after": _shown(new, unchanged),
        }
        await self._connection.execute(insert(EVENTS).values(event))

    async def page(self, where: AuditFilter, page: PageRequest) -> Page[AuditEvent]:
        chosen = select(EVENTS).where(*await self._matches(where))
        keys = (EVENTS.c.at, EVENTS.c.id)
        statement = paged(chosen, page, *keys, descending=True, read=(from_micros, None))
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, _event, lambda row: [to_micros(row.at), row.id])

    async def count(self, where: AuditFilter) -> int:
        return await self._connection.scalar(select(func.count(EVENTS.c.id)).where(*await self._matches(where))) or 0

    async def _matches(self, where: AuditFilter) -> list[ColumnElement[bool]]:
        few = await _SEARCHED.few(self._connection, where.search)
        return [
            *_exactly(where),
            *(named_like(self._connection, where.search, *_SEARCHED.columns) if few is None else few),
        ]

    async def actions(self) -> list[str]:
        return list(await self._connection.scalars(select(EVENTS.c.action).distinct().order_by(EVENTS.c.action)))


def _event(row: Row[Any]) -> AuditEvent:
    actor = Actor(row.actor_kind, row.actor_label, row.actor_id, row.actor_token_id)
    return to_value(AuditEvent, row, actor=actor)


def _exactly(where: AuditFilter) -> list[ColumnElement[bool]]:
    exact = {
        EVENTS.c.actor_id: where.actor,
        EVENTS.c.action: where.action,
        EVENTS.c.target_kind: where.target_kind,
        EVENTS.c.target_id: where.target_id,
    }
    conditions = [column == value for column, value in exact.items() if value is not None]
    if where.since is not None:
        conditions.append(EVENTS.c.at >= where.since)
    if where.until is not None:
        conditions.append(EVENTS.c.at < where.until)
    return conditions


def _shown(state: dict[str, Any], unchanged: set[str]) -> dict[str, Any]:
    """Without what stayed the same, in what JSON can hold."""
    shown = {name: value for name, value in state.items() if name not in unchanged}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}
