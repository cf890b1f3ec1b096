"""Values by name, for the whole organisation."""

from __future__ import annotations

from sqlalchemy import select

from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.upsert import insert_missing, upsert
from sluicegate.storage.tables.switches import SWITCHES


class SqlSwitchRepository:
    """Implements ports.store.SwitchRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: str) -> str | None:
        found: str | None = await self._connection.scalar(select(SWITCHES.c.value).where(SWITCHES.c.name == name))
        return found

    async def set(self, name: str, value: str) -> None:
        await upsert(self._connection, SWITCHES, {"name": name, "value": value})

    async def first(self, name: str, value: str) -> str:
        await insert_missing(self._connection, SWITCHES, [{"name": name, "value": value}])
        return await self.get(name) or value
