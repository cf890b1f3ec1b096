"""Inserts that tolerate a row that is already there, in the words of either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

Rows = list[dict[str, Any]]


def inserting(session: AsyncSession, table: Table) -> sqlite.Insert | postgresql.Insert:
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if on_sqlite else postgresql.insert(table)


async def insert_missing(session: AsyncSession, table: Table, rows: Rows) -> None:
    """Leaves rows alone that somebody else inserted meanwhile."""
    await session.execute(inserting(session, table).on_conflict_do_nothing(), rows)


async def upsert(session: AsyncSession, table: Table, row: dict[str, Any]) -> None:
    """Inserts `row`, or overwrites the one with its primary key."""
    keys = [column.name for column in table.primary_key]
    values = {name: value for name, value in row.items() if name not in keys}
    statement = inserting(session, table).values(row).on_conflict_do_update(index_elements=keys, set_=values)
    await session.execute(statement)
