"""Inserts that tolerate a row that is already there, in the words of either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from sluicegate.storage.connections import AsyncConnection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Rows = list[dict[str, Any]]


def insert_on(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """`dialect` is SQLAlchemy's name of the database."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    # Large, with both of its drivers, and of no use to a server on SQLite.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def inserting(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return insert_on(connection.dialect.name, table)


async def insert_missing(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    """Leaves rows alone that somebody else inserted meanwhile."""
    await connection.execute(inserting(connection, table).on_conflict_do_nothing(), rows)


async def upsert(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> None:
    """Inserts `row`, or overwrites the one with its primary key."""
    keys = [column.name for column in table.primary_key]
    values = {name: value for name, value in row.items() if name not in keys}
    statement = inserting(connection, table).values(row).on_conflict_do_update(index_elements=keys, set_=values)
    await connection.execute(statement)
