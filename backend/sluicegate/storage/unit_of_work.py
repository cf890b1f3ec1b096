"""Transactions over whole tables, for what is no repository's business."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Table, text

from sluicegate.storage.away import unavailable_when_away
from sluicegate.storage.connections import AsyncConnection, AsyncEngine
from sluicegate.storage.turns import turns_of


@asynccontextmanager
async def alone(engine: AsyncEngine, mode: str, *tables: Table) -> AsyncIterator[AsyncConnection]:
    """One transaction that sees one state throughout, and holds the tables in PostgreSQL's lock `mode`. Raises
    Unavailable when the database does not answer, or no more."""
    with unavailable_when_away():
        async with turns_of(engine.url).turn_async(), engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                # What this statement waits for is visible afterwards: the state is that of the first one that reads.
                names = ", ".join(table.name for table in tables)
                await connection.execute(text(f"LOCK TABLE {names} IN {mode} MODE"))
            yield connection
            await connection.commit()
