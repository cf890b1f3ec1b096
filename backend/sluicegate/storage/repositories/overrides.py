"""Values that stand in for merged ones until an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from sluicegate.domain.policy import Dimension, Override, Window
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.tables.policy import OVERRIDES

_TARGETS: dict[str, Dimension | Window] = {target.value: target for target in (*Dimension, *Window)}


def override_value(row: Row[Any], prefix: str = "") -> Override:
    values: dict[str, Any] = {f.name: getattr(row, prefix + f.name) for f in fields(Override)}
    values["target"] = _TARGETS[values["target"]]
    return Override(**values)


class SqlOverrideRepository:
    """Implements ports.store.OverrideRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, override_id: str) -> Override | None:
        row = (await self._connection.execute(select(OVERRIDES).where(OVERRIDES.c.id == override_id))).first()
        return override_value(row) if row else None

    async def of_users(self, user_ids: Sequence[str]) -> dict[str, list[Override]]:
        statement = select(OVERRIDES).where(OVERRIDES.c.user_id.in_(user_ids)).order_by(OVERRIDES.c.id.desc())
        found: dict[str, list[Override]] = {user_id: [] for user_id in user_ids}
        for row in await self._connection.execute(statement):
            found[row.user_id].append(override_value(row))
        return found

    async def users_with_ended(self, since: datetime, until: datetime) -> list[str]:
        ended = (OVERRIDES.c.ends_at > since, OVERRIDES.c.ends_at <= until)
        return list(await self._connection.scalars(select(OVERRIDES.c.user_id).where(*ended).distinct()))

    async def add(self, override: Override) -> None:
        values = asdict(override) | {"target": override.target.value}
        await self._connection.execute(insert(OVERRIDES).values(values))

    async def end(self, override_id: str, at: datetime, by: str) -> None:
        unended = update(OVERRIDES).where(OVERRIDES.c.id == override_id, OVERRIDES.c.ended_at.is_(None))
        await self._connection.execute(unended.values(ended_at=at, ended_by=by))
