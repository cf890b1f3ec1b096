"""Versions of what is edited; a held one is locked until the transaction ends."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_, update

from sluicegate.domain.version import Editable, Edited
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.upsert import insert_missing
from sluicegate.storage.tables.versions import VERSIONS

# Nothing has a longer id; who gives one is told so by what looks for it, where PostgreSQL would fail.
_LONGEST = 60


class SqlVersionRepository:
    """Implements ports.store.VersionRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, things: Sequence[Edited]) -> dict[Edited, int]:
        if not things:
            return {}
        wanted = tuple_(VERSIONS.c.what, VERSIONS.c.id).in_([(thing.what, thing.id) for thing in things])
        rows = await self._connection.execute(select(VERSIONS).where(wanted))
        found = {Edited(Editable(row.what), row.id): row.version for row in rows}
        return {thing: found.get(thing, 0) for thing in things}

    async def hold(self, thing: Edited) -> int:
        return (await self.hold_all([thing]))[thing]

    async def hold_all(self, things: Sequence[Edited]) -> dict[Edited, int]:
        if not things:
            return {}
        ordered = sorted(set(things), key=lambda thing: (thing.what.value, thing.id))
        # A row that is not there cannot be locked, and of two who insert it one waits for the other.
        rows = [{"what": thing.what, "id": thing.id, "version": 0} for thing in ordered if len(thing.id) <= _LONGEST]
        if rows:
            await insert_missing(self._connection, VERSIONS, rows)
        statement = (
            select(VERSIONS)
            .where(tuple_(VERSIONS.c.what, VERSIONS.c.id).in_([(thing.what, thing.id) for thing in ordered]))
            .order_by(VERSIONS.c.what, VERSIONS.c.id)
            .with_for_update()
        )
        rows_found = await self._connection.execute(statement)
        found = {Edited(Editable(row.what), row.id): row.version for row in rows_found}
        return {thing: found.get(thing, 0) for thing in things}

    async def step(self, thing: Edited) -> None:
        here = (VERSIONS.c.what == thing.what) & (VERSIONS.c.id == thing.id)
        await self._connection.execute(update(VERSIONS).where(here).values(version=VERSIONS.c.version + 1))
