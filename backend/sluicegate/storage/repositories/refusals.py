"""How many calls were refused, by day, for whom and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluicegate.domain.usage import RefusalSpot
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.upsert import inserting
from sluicegate.storage.tables.rollups import EVERYONE, REFUSALS

_COLUMNS = ("scope", "start_ms", "reason", "calls")


class SqlRefusalRepository:
    """Implements ports.usage.RefusalRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, counts: Mapping[RefusalSpot, int]) -> None:
        # Sorted, so that of two who add to the same rows neither waits for the other twice.
        cells = sorted((spot.scope or EVERYONE, spot.day_ms, spot.reason, calls) for spot, calls in counts.items())
        rows: list[dict[str, Any]] = [dict(zip(_COLUMNS, line, strict=True)) for line in cells]
        adding = inserting(self._connection, REFUSALS)
        total = {"calls": REFUSALS.c.calls + adding.excluded.calls}
        keys = [column.name for column in REFUSALS.primary_key]
        await self._connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=total), rows)
