"""The audit log, written in the transaction of the change that it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.audit import Actor
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id
from sluicegate.storage.repositories.rows import table_of
from sluicegate.storage.tables.audit import AuditEventRow

_EVENTS = table_of(AuditEventRow)


class SqlAuditRepository:
    """Implements ports.store.AuditRepository."""

    def __init__(self, session: AsyncSession, clock: Clock) -> None:
        self._session = session
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
        await self._session.execute(insert(_EVENTS).values(event))


def _shown(state: dict[str, Any], unchanged: set[str]) -> dict[str, Any]:
    """Without what stayed the same, in what JSON can hold."""
    shown = {name: value for name, value in state.items() if name not in unchanged}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}
