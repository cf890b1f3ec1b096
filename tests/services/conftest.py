"""Services over a real database: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event

from fakes.identity import Site, site_at
from sluicegate.kit import crypto


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """How hard a password is to hash is nothing that these tests ask; how often they hash is a lot."""
    monkeypatch.setattr(crypto, "_PASSWORD_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
async def site(migrated_url: str) -> AsyncIterator[Site]:
    async with site_at(migrated_url) as made:
        yield made


@pytest.fixture
def explain() -> Callable[[Site, Callable[[Any], Awaitable[Any]]], Awaitable[str]]:
    """How the database goes about the last statement of a read, once it has learnt that tables are large."""

    async def plan_of(site: Site, read: Callable[[Any], Awaitable[Any]]) -> str:
        seen: list[tuple[str, Any]] = []

        def remember(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            seen.append((statement, parameters))

        event.listen(site.store.engine.sync_engine, "before_cursor_execute", remember)
        async with site.store.read() as tx:
            await read(tx)
        event.remove(site.store.engine.sync_engine, "before_cursor_execute", remember)
        statement, parameters = seen[-1]
        async with site.store.engine.connect() as connection:
            if site.store.engine.dialect.name == "sqlite":
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                return "\n".join(row.detail for row in rows)
            # On a nearly empty table reading it all is cheapest, so that the planner is told not to.
            for way in ("seqscan", "bitmapscan"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            return "\n".join(row[0] for row in rows)

    return plan_of
