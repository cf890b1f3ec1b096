"""Engines, and the unit of work: the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from sluicegate.domain.policy import PolicyChange
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
from sluicegate.storage.repositories.alerts import SqlAlertRepository
from sluicegate.storage.repositories.audit import SqlAuditRepository
from sluicegate.storage.repositories.catalog import SqlCatalogRepository
from sluicegate.storage.repositories.credentials import SqlKeyRepository, SqlTokenRepository
from sluicegate.storage.repositories.groups import SqlGroupRepository
from sluicegate.storage.repositories.jobs import SqlJobRepository
from sluicegate.storage.repositories.links import SqlLinkRepository
from sluicegate.storage.repositories.mail import SqlMailRepository
from sluicegate.storage.repositories.overrides import SqlOverrideRepository
from sluicegate.storage.repositories.overview import SqlOverviewRepository
from sluicegate.storage.repositories.policy import SqlPolicyRepository
from sluicegate.storage.repositories.price_lists import SqlPriceListRepository
from sluicegate.storage.repositories.refusals import SqlRefusalRepository
from sluicegate.storage.repositories.scim import SqlScimRepository
from sluicegate.storage.repositories.sealed import SqlSealedRepository
from sluicegate.storage.repositories.secret_rules import SqlSecretRuleRepository
from sluicegate.storage.repositories.sessions import SqlSessionRepository
from sluicegate.storage.repositories.sso import SqlSsoRepository
from sluicegate.storage.repositories.switches import SqlSwitchRepository
from sluicegate.storage.repositories.users import SqlUserRepository
from sluicegate.storage.repositories.versions import SqlVersionRepository
from sluicegate.storage.repositories.webhooks import SqlWebhookRepository
from sluicegate.storage.silence import NOTICE_THE_END
from sluicegate.storage.tables.policy import CHANGES
from sluicegate.storage.turns import turns_of

# For what other processes hold: longer than any write of ours; past it the caller should hear of it.
_BUSY_MS = 5000
_STATEMENT_MS = 30_000
_CONNECT_SECONDS = 10
# Where other processes are told that there are changes.
CHANGES_CHANNEL = "sluicegate_policy"
# Any number will do, so long as nothing else in the database takes the same advisory lock.
_CHANGES_KEY = 0x51_1C_E6_A7_E2
# The loop is kept from calls for as long as it takes to write down so many.
_ROWS_AT_ONCE = 500


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


def _prepare_postgres(connection: Any, _record: ConnectionPoolEntry) -> None:
    # Not as options of the connection, which poolers in between do not take.
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {_BUSY_MS}")
    cursor.execute(f"SET statement_timeout = {_STATEMENT_MS}")
    cursor.close()
    connection.commit()


class SqlTransaction:
    """The repositories over one connection."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        # In their order, each once: there may be as many as a group has members.
        self.changes: dict[PolicyChange, None] = {}
        self.users = SqlUserRepository(connection)
        self.links = SqlLinkRepository(connection)
        self.sessions = SqlSessionRepository(connection)
        self.groups = SqlGroupRepository(connection)
        self.policy = SqlPolicyRepository(connection)
        self.versions = SqlVersionRepository(connection)
        self.overrides = SqlOverrideRepository(connection)
        self.secret_rules = SqlSecretRuleRepository(connection)
        self.keys = SqlKeyRepository(connection)
        self.tokens = SqlTokenRepository(connection)
        self.scim = SqlScimRepository(connection)
        self.catalog = SqlCatalogRepository(connection, clock)
        self.prices = SqlPriceListRepository(connection)
        self.audit = SqlAuditRepository(connection, clock)
        self.jobs = SqlJobRepository(connection)
        self.mail = SqlMailRepository(connection, clock)
        self.sealed = SqlSealedRepository(connection)
        self.sso = SqlSsoRepository(connection)
        self.switches = SqlSwitchRepository(connection)
        self.overview = SqlOverviewRepository(connection)
        self.alerts = SqlAlertRepository(connection)
        self.refusals = SqlRefusalRepository(connection)
        self.webhooks = SqlWebhookRepository(connection)

    def changed(self, *changes: PolicyChange) -> None:
        self.changes.update(dict.fromkeys(changes))

    async def number_changes(self) -> None:
        """Last of all, since on PostgreSQL nobody else can until this transaction has ended: numbers in the order of
        commits are what lets a process that knows one be sure of those before it."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGES_KEY})
            await self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANGES_CHANNEL})
        now = self._clock.now()
        rows = [{"at": now, "kind": change.kind, "subject_id": change.id} for change in self.changes]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await self._connection.execute(insert(CHANGES), rows[start : start + _ROWS_AT_ONCE])


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
