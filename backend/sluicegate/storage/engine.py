"""Engines, and the unit of work: the only place that commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from sluicegate.kit.clock import Clock
from sluicegate.ports.policy import ChangeFeed
from sluicegate.ports.store import Transaction
from sluicegate.storage.away import unavailable_when_away
from sluicegate.storage.conflicts import conflict_of
from sluicegate.storage.connections import (
    AsyncConnection,
    AsyncEngine,
    create_async_engine,
)
from sluicegate.storage.silence import NOTICE_THE_END
from sluicegate.storage.transaction import SqlTransaction
from sluicegate.storage.turns import turns_of

# For what other processes hold: longer than any write of ours; past it the caller should hear of it.
_BUSY_MS = 5000
_STATEMENT_MS = 30_000
_CONNECT_SECONDS = 10


def database_url(text: str) -> URL:
    """The async URL of a configured database: `sqlite:///path` or `postgresql://user@host/name`; raises ValueError.
    Who connects to PostgreSQL by it soon notices a host that is gone, unless the URL itself says how soon."""
    url = make_url(text)
    match url.get_backend_name():
        case "sqlite":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            own = {name: str(value) for name, value in NOTICE_THE_END.items() if name not in url.query}
            return url.set(drivername="postgresql+psycopg").update_query_dict(own)
        case other:
            raise ValueError(f"{other} is not supported; use sqlite:///path or postgresql://user@host/name")


def make_engine(url: URL, *, pool_size: int = 5) -> AsyncEngine:
    """SQLite in WAL mode with foreign keys, or PostgreSQL through a bounded pool."""
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url, connect_args={"timeout": _BUSY_MS / 1000}, pool_size=pool_size, hide_parameters=True
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "invalidate", _take_back)
        return engine
    engine = create_async_engine(
        url,
        connect_args={"connect_timeout": _CONNECT_SECONDS},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        # Errors are logged, and what is written may be a digest or an address.
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_postgres)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver's own transaction handling begins too late; ours are begun explicitly below.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _take_back(connection: Any, _record: ConnectionPoolEntry, _error: BaseException | None) -> None:
    """Before a connection is closed in the midst of a statement, because its task was cancelled. SQLite ends the
    transaction of one that is closed, and gives its locks back, only when no statement of it is left, and some are left
    until the collector finds them: nobody could write meanwhile."""
    # Once it is asked for it is done. Whoever is cancelled again on the way ends as cancelled in any case.
    with suppress(SQLAlchemyError, SqliteError, asyncio.CancelledError):
        connection.rollback()


def _prepare_postgres(connection: Any, _record: ConnectionPoolEntry) -> None:
    # Not as options of the connection, which poolers in between do not take.
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {_BUSY_MS}")
    cursor.execute(f"SET statement_timeout = {_STATEMENT_MS}")
    cursor.close()
    connection.commit()


class SqlStore:
    """Implements ports.store.Store on one engine.

    What is not committed is rolled back when its connection goes back to the pool, which also happens when the task is
    cancelled, and again while it waits for that. A connection whose statement was cut off is closed instead.
    """

    def __init__(self, engine: AsyncEngine, feed: ChangeFeed, clock: Clock) -> None:
        self.engine = engine
        self._feed = feed
        self._clock = clock
        self._turns = turns_of(engine.url)

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        return self._read()

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        return self._read(isolation="REPEATABLE READ")

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        return self._write()

    @asynccontextmanager
    async def _read(self, isolation: str | None = None) -> AsyncIterator[SqlTransaction]:
        with unavailable_when_away():
            async with self.engine.connect() as connection:
                if isolation is not None and self.engine.dialect.name == "postgresql":
                    await connection.execution_options(isolation_level=isolation)
                # SQLite's reads are snapshots anyway.
                await self._start(connection, "BEGIN")
                yield SqlTransaction(connection, self._clock)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[SqlTransaction]:
        with unavailable_when_away():
            async with self._turns.turn_async(), self.engine.connect() as connection:
                await self._start(connection, "BEGIN IMMEDIATE")
                transaction = SqlTransaction(connection, self._clock)
                try:
                    yield transaction
                    if transaction.changes:
                        await transaction.number_changes()
                    await connection.commit()
                except DBAPIError as error:
                    if (conflict := conflict_of(error)) is not None:
                        raise conflict from error
                    raise
        if transaction.changes:
            await self._feed.publish(list(transaction.changes))

    async def _start(self, connection: AsyncConnection, statement: str) -> None:
        # A write takes SQLite's single write lock at its start: a read that turns into a write later would
        # fail at once instead of waiting when another writer was quicker.
        if self.engine.dialect.name == "sqlite":
            await connection.exec_driver_sql(statement)

    async def aclose(self) -> None:
        await self.engine.dispose()
