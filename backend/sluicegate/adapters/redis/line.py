"""One connection to Redis that all calls of a process share.

Commands leave in the order in which they are sent, many in one write, and are answered in that order: what a process
says first, it has said first. A line that fails once is over; whoever waits on it is told so.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

Reply = Any
# Its stub knows of commands of one word alone.
_pack: Callable[[tuple[str | bytes | int | float, ...]], bytes] = cast(Any, pack_command)
# After a pause of this process an answer may lie there unread: it is looked for once more.
_SECOND_LOOK = 0.1


class Away(Exception):
    """Redis does not answer, or not in time, or not as it should."""


class Line:
    """`patience` is how long an answer may take, in seconds; `lost` is told once why the line ended."""

    def __init__(self, connection: AbstractConnection, patience: float, lost: Callable[[Exception], None]) -> None:
        self._connection = connection
        self._patience = patience
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, asyncio.Future[Reply]]] = deque()
        self._unsent: list[bytes] = []
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._overdue = self._over = False
        self._tasks = (self._loop.create_task(self._write()), self._loop.create_task(self._read()))

    def send(self, *command: str | bytes | int | float) -> asyncio.Future[Reply]:
        """What the answer becomes: the reply, or Away."""
        answer: asyncio.Future[Reply] = self._loop.create_future()
        if self._over:
            answer.set_exception(Away("the connection is closed"))
            return answer
        self._unsent.append(_pack(command))
        self._wake.set()
        self._waiting.append((self._loop.time() + self._patience, answer))
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience, self._look)
        return answer

    async def close(self) -> None:
        self._end(Away("the connection is closed"), told=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=self._patience)
        try:
            await self._connection.disconnect(nowait=True)
        except (RedisError, OSError):
            return

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            unsent, self._unsent = self._unsent, []
            if not self._connection.is_connected:
                # It would connect anew by itself, and that is another line.
                self._end(Away("the connection is closed"))
                return
            try:
                await self._connection.send_packed_command(b"".join(unsent), check_health=False)
            except (RedisError, OSError) as error:
                self._end(error)
                return

    async def _read(self) -> None:
        while not self._over:
            try:
                reply: Reply = await self._connection.read_response(disable_decoding=True, timeout=math.inf)
            except ResponseError as error:
                # Scripts that are not there, no memory, a replica: none of it can be cured by asking again.
                reply = error
            except (RedisError, OSError) as error:
                self._end(error)
                return
            self._overdue = False
            if not self._waiting:
                self._end(Away("an answer to nothing"))
                return
            answer = self._waiting.popleft()[1]
            if isinstance(reply, ResponseError):
                failure = Away(f"{type(reply).__name__}: {reply}")
                _fail(answer, failure)
                self._end(failure)
                return
            if not answer.done():
                answer.set_result(reply)

    def _look(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0][0] - self._loop.time()
        if left <= 0 and self._overdue:
            self._end(Away("no answer in time"))
            return
        self._overdue = left <= 0
        self._timer = self._loop.call_later(max(left, _SECOND_LOOK) if left <= 0 else left, self._look)

    def _end(self, reason: Exception, *, told: bool = False) -> None:
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        away = reason if isinstance(reason, Away) else Away(f"{type(reason).__name__}: {reason}")
        while self._waiting:
            _fail(self._waiting.popleft()[1], away)
        if not told:
            self._lost(away)


def _fail(answer: asyncio.Future[Reply], error: Away) -> None:
    if not answer.done():
        answer.set_exception(error)
        # Nobody has to wait for an answer.
        answer.exception()


async def connect(url: str, patience: float, lost: Callable[[Exception], None]) -> Line:
    """A fresh line; raises Away."""
    options: dict[str, Any] = dict(parse_url(url))
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    # Whoever asked for the line tries again; nothing else may, since scripts and epoch come with it.
    once = Retry(NoBackoff(), 0)
    connection = kind(**options, protocol=2, socket_connect_timeout=patience, retry=once, client_name="sluicegate")
    try:
        async with asyncio.timeout(patience * 4):
            await connection.connect()
    except (RedisError, OSError, TimeoutError) as error:
        await connection.disconnect(nowait=True)
        raise Away(f"{type(error).__name__}: {error}") from None
    return Line(connection, patience, lost)
