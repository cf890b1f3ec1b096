"""News of policy changes between processes that share a PostgreSQL database.

Each process holds a lease of a second in the table `processes`, with the last change that it has put into force.
Whoever makes a change waits until no live lease is behind it. A process whose lease has run out, because it stood still
or did not reach the database, asks what has changed before it decides anything. So nobody decides by a policy that is
older than the answer to the change, whatever gets lost on the way: notifications only make it quick.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import psycopg
import structlog
from psycopg.sql import SQL, Identifier

from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.kit.ids import new_id
from sluicegate.ports.policy import ChangeListener, CountedApart

log = structlog.get_logger(__name__)

LEASE_SECONDS = 1.0
# A lease counts for less here than in the database, so that it never ends there first.
_MARGIN_SECONDS = 0.2
_RENEW_SECONDS = 0.25
# A database that is slow is waited for: calls that go on by what is known do so only where it answers nobody.
_REACH_SECONDS = 5.0
_LEAVE_SECONDS = 1.0
# Longer than it takes to find that it still is.
_AWAY_SECONDS = 2 * _REACH_SECONDS + 2.0
_RECONNECT_SECONDS = 1.0
# Those who count in a Redis that was emptied find that out within about two seconds.
_AGREE_SECONDS = 8.0
_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.05
# More than that is not worth looking at one by one.
_MANY = 1000
_FORGOTTEN = timedelta(days=1)

_RENEW = """
    INSERT INTO processes (id, seq, lease_until, counts_in) VALUES (%s, %s, clock_timestamp() + %s, %s)
    ON CONFLICT (id) DO UPDATE
    SET seq = excluded.seq, lease_until = excluded.lease_until, counts_in = excluded.counts_in
"""
# Of two that start at the same time one sees the other. The number is taken by nothing else in the database.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(348377229283)"
_APART = "SELECT 1 FROM processes WHERE counts_in <> %s AND lease_until > clock_timestamp() LIMIT 1"
_NEWEST = "SELECT coalesce(max(seq), 0) FROM policy_changes"
_SINCE = "SELECT seq, kind, subject_id FROM policy_changes WHERE seq > %s ORDER BY seq LIMIT %s"
_OLDEST = "SELECT coalesce(min(seq), 0) FROM policy_changes"
_BEHIND = "SELECT 1 FROM processes WHERE id <> %s AND seq < %s AND lease_until > clock_timestamp() LIMIT 1"
_LEAVE = "DELETE FROM processes WHERE id = %s"
_AWAY = (psycopg.Error, OSError, TimeoutError)


class PostgresFeed:
    """Implements ports.policy.ChangeFeed and Freshness. `channel` is where the store notifies; `counts_in` tells where
    this process counts, which is the same for all that count together. `start` before the policy is read, `stop` at the
    end."""

    def __init__(self, url: str, channel: str, counts_in: Callable[[], str | None] = lambda: None) -> None:
        self.id = new_id()
        self._counts_in = counts_in
        self._url = url
        self._channel = channel
        self._listeners: list[ChangeListener] = []
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._nudge = asyncio.Event()
        self._known = 0
        self._begun = self._done = 0
        self._until = float("-inf")
        self._away_until = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []

    def subscribe(self, listener: ChangeListener) -> None:
        self._listeners.append(listener)

    async def start(self) -> None:
        """Follows from now on; raises CountedApart where others count elsewhere, psycopg.Error when the database cannot
        be asked."""
        async with self._turn, self._asking() as connection:
            await connection.execute("DELETE FROM processes WHERE lease_until < clock_timestamp() - %s", [_FORGOTTEN])
            self._known = await _number(connection, _NEWEST)
            until = time.monotonic() + _AGREE_SECONDS
            while not await self._joined(connection):
                if time.monotonic() > until:
                    raise CountedApart
                await asyncio.sleep(_RENEW_SECONDS)
        await self._follow()
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._listen())]

    async def _joined(self, connection: psycopg.AsyncConnection) -> bool:
        """Takes the first lease, unless somebody who lives counts elsewhere."""
        async with connection.transaction():
            await connection.execute(_ONE_BY_ONE)
            if await (await connection.execute(_APART, [self._counts_in()])).fetchone() is not None:
                return False
            await self._renew(connection)
            return True

    async def _renew(self, connection: psycopg.AsyncConnection) -> None:
        lease = timedelta(seconds=LEASE_SECONDS)
        await connection.execute(_RENEW, [self.id, self._known, lease, self._counts_in()])

    async def stop(self) -> None:
        """Takes leave, so that nobody waits for this process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._until = float("-inf")
        with suppress(*_AWAY):
            async with asyncio.timeout(_LEAVE_SECONDS), self._turn, self._asking() as connection:
                await connection.execute(_LEAVE, [self.id])
        if self._connection is not None:
            await self._connection.close()

    def current(self) -> bool:
        """Whether every change that anybody was answered is in force here, as far as can be known: while nobody
        reaches the database, nobody changes anything."""
        return time.monotonic() < max(self._until, self._away_until)

    async def refresh(self) -> None:
        """Catches up, so that `current` holds."""
        await self._reach(if_behind=True)

    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                await self._follow()
            wait = _FIRST_WAIT
            # A process that does not follow cannot renew its lease, so that this ends within the second.
            while await self._somebody_is_behind():
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
        except _AWAY:
            # The change is stored. Who reaches the database follows at its next renewal, and no other lease lasts.
            await self._tell(changes)
            await asyncio.sleep(LEASE_SECONDS)

    async def _somebody_is_behind(self) -> bool:
        async with asyncio.timeout(_REACH_SECONDS), self._turn, self._asking() as connection:
            found = await connection.execute(_BEHIND, [self.id, self._known])
            return await found.fetchone() is not None

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_RENEW_SECONDS):
                    await self._nudge.wait()
            self._nudge.clear()
            try:
                await self._reach()
            except Exception as error:
                # What a listener meets is no reason to stop; without a lease nobody waits for this process.
                log.warning("feed.not_applied", error=type(error).__name__)

    async def _listen(self) -> None:
        while True:
            with suppress(*_AWAY):
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(SQL("LISTEN {}").format(Identifier(self._channel)))
                    async for _ in connection.notifies():
                        self._nudge.set()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _reach(self, *, if_behind: bool = False) -> None:
        """Follows, or finds that the database is away. That takes two tries, since after a standstill the first may
        fail because it lasted."""
        for last in (False, True):
            try:
                async with asyncio.timeout(_REACH_SECONDS):
                    await self._follow(if_behind=if_behind)
                return
            except _AWAY as error:
                if last:
                    if not self._is_away():
                        log.warning("feed.database_unreachable", error=type(error).__name__)
                    self._away_until = time.monotonic() + _AWAY_SECONDS

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    async def _follow(self, *, if_behind: bool = False) -> None:
        """Puts into force what is new and takes the lease."""
        asked = self._begun
        async with self._turn, self._asking() as connection:
            # Of many who ask at the same time one is enough, if it began no sooner than they asked.
            if self._done > asked or (if_behind and self.current()):
                return
            self._begun += 1
            while True:
                began = time.monotonic()
                await self._renew(connection)
                # Asked once the lease can be seen: whoever made a change before has not waited for this process.
                if await _number(connection, _NEWEST) <= self._known:
                    break
                found = await (await connection.execute(_SINCE, [self._known, _MANY])).fetchall()
                changes = [PolicyChange(ChangeKind(kind), subject_id) for _, kind, subject_id in found]
                newest = found[-1][0]
                # Asked last: of what is removed meanwhile it says too much, not too little.
                if len(found) == _MANY or await _number(connection, _OLDEST) > self._known + 1:
                    changes = [PolicyChange(ChangeKind.EVERYTHING)]
                    newest = await _number(connection, _NEWEST)
                try:
                    await self._tell(changes)
                except BaseException:
                    # Nobody is to wait for what this process cannot do.
                    self._until = float("-inf")
                    await connection.execute(_LEAVE, [self.id])
                    raise
                self._known = newest
            self._done = self._begun
            self._until = began + LEASE_SECONDS - _MARGIN_SECONDS
            if self._is_away():
                log.info("feed.database_is_back")
            self._away_until = float("-inf")

    async def _tell(self, changes: Sequence[PolicyChange]) -> None:
        for listener in self._listeners:
            await listener(changes)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """The connection for questions, a new one where the last has failed; for whoever has the turn."""
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        try:
            yield connection
        except BaseException:
            # A question that was given up may still be answered, so that the next one would get its answer.
            await connection.close()
            raise


async def _number(connection: psycopg.AsyncConnection, question: str) -> int:
    row = await (await connection.execute(question)).fetchone()  # type: ignore[arg-type]
    return row[0] if row is not None else 0
