"""Reads that must agree with each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sluicegate.storage.away import unavailable_when_away
from sluicegate.storage.connections import AsyncConnection, AsyncEngine


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One read transaction whose statements all see the same state."""
    with unavailable_when_away():
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN")
            else:
                # PostgreSQL's default lets every statement see a newer state.
                await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
