"""The connections to one origin: how many there may be, who gets the next one, and when they grow too old."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from sluicegate.adapters.upstream.connection import Connection
from sluicegate.ports.upstream import UpstreamError


class Pool:
    """Hands out connections, the most recently used one first, so that a quiet spell lets the others expire.

    `connect` opens a connection that reports to this pool. Waiters are served in the order in which they came: while
    there is one, no connection is idle and no place is free.
    """

    def __init__(
        self,
        host: bytes,
        *,
        max_connections: int,
        idle_expiry: float,
        connect: Callable[[Pool, float], Awaitable[Connection]],
        watch: Callable[[float], None],
        detached: Callable[[Connection], None],
    ) -> None:
        self.host = host
        self.idle: list[Connection] = []
        self.watch = watch
        self.detached = detached
        self._max_connections = max_connections
        self._idle_expiry = idle_expiry
        self._connect = connect
        self._places_taken = 0
        self._open: set[Connection] = set()
        # A waiter is given an idle connection, or None for a place in which to open one.
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False

    async def acquire(self, within: float, *, fresh: bool = False) -> Connection:
        """A connection with nothing on it, waiting up to `within` seconds for each of a place and the connection.

        With `fresh` it is a new one wherever possible, and goes ahead of other waiters.
        """
        while not self._closed:
            if self.idle:
                if not fresh:
                    return self.idle.pop()
                if self._places_taken >= self._max_connections:
                    self.idle[0].close()
            if self._places_taken < self._max_connections:
                self._places_taken += 1
            else:
                handed = await self._wait(within, first=fresh)
                if handed is not None:
                    if handed.closed:
                        continue
                    return handed
            try:
                connection = await self._connect(self, within)
                if connection.closed:
                    raise UpstreamError("closed", "The provider closed the connection as soon as it was open.")
            except BaseException:
                self._free_place()
                raise
            self._open.add(connection)
            return connection
        raise UpstreamError("closed", "The upstream client is closed.")

    async def _wait(self, within: float, *, first: bool) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within):
                return await waiter
        except BaseException as error:
            if waiter.cancelled():
                # Popped already when it was cancelled and passed over in the same turn.
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
            elif waiter.exception() is None:
                self._give_back(waiter.result())
            if isinstance(error, TimeoutError):
                raise UpstreamError(
                    "timeout",
                    f"All {self._max_connections} connections to the provider stayed busy.",
                ) from None
            raise

    def _give_back(self, handed: Connection | None) -> None:
        if handed is None:
            self._free_place()
        elif not handed.closed:
            self.released(handed)

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _free_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._places_taken -= 1
        else:
            waiter.set_result(None)

    # What a connection reports

    def released(self, connection: Connection) -> None:
        connection.expire_in(self._idle_expiry)
        waiter = self._next_waiter() if self._waiters else None
        if waiter is None:
            self.idle.append(connection)
        else:
            waiter.set_result(connection)

    def lost(self, connection: Connection) -> None:
        # One that was lost while it was being opened has its place freed by whoever was opening it.
        if connection not in self._open:
            return
        self._open.remove(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._free_place()

    def close(self) -> None:
        self._closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(UpstreamError("closed", "The upstream client is closed."))
