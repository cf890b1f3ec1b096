"""Values by name, for the whole organisation."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.storage.repositories.rows import table_of
from sluicegate.storage.repositories.upsert import insert_missing, upsert
from sluicegate.storage.tables.switches import SwitchRow

_SWITCHES = table_of(SwitchRow)


class SqlSwitchRepository:
    """Implements ports.store.SwitchRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, name: str) -> str | None:
        found: str | None = await self._session.scalar(select(_SWITCHES.c.value).where(_SWITCHES.c.name == name))
        return found

    async def set(self, name: str, value: str) -> None:
        await upsert(self._session, _SWITCHES, {"name": name, "value": value})

    async def first(self, name: str, value: str) -> str:
        await insert_missing(self._session, _SWITCHES, [{"name": name, "value": value}])
        return await self.get(name) or value
