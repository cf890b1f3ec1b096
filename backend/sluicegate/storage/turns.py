"""Writers of one SQLite file within this process, one after the other in the order in which they came.

SQLite lets one writer in at a time. Who finds another one there looks again after a while, so that under load the late
one may be lucky again and again, until the early one gives up: here they queue instead. Writers in other processes
still wait for each other SQLite's way.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from threading import Lock
from weakref import WeakValueDictionary

from sqlalchemy.engine import URL

from sluicegate.kit.errors import Unavailable

# Longer than any queue of writes of ours; past it somebody holds on to the turn, and the caller should hear of it.
_WAIT_SECONDS = 30
_RETRY_SECONDS = 5


class Turns:
    """A fair lock for threads and coroutines alike. Whoever waits for longer than half a minute gets Unavailable."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._waiting: deque[Future[None]] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Blocks the thread."""
        place = self._queue()
        if place is not None:
            with self._at(place):
                place.result(_WAIT_SECONDS)
        try:
            yield
        finally:
            self._pass_on()

    @asynccontextmanager
    async def turn_async(self) -> AsyncIterator[None]:
        place = self._queue()
        if place is not None:
            with self._at(place):
                await asyncio.wait_for(asyncio.wrap_future(place), _WAIT_SECONDS)
        try:
            yield
        finally:
            self._pass_on()

    @contextmanager
    def _at(self, place: Future[None]) -> Iterator[None]:
        """Whoever gives up waiting inside leaves the place to others."""
        try:
            yield
        except BaseException as error:
            if not place.cancel():
                # The turn came in the very moment in which its owner gave up.
                self._pass_on()
            if isinstance(error, TimeoutError):
                raise Unavailable("The database is busy at the moment. Try again soon.", _RETRY_SECONDS) from error
            raise

    def _queue(self) -> Future[None] | None:
        """None when it is the caller's turn at once."""
        with self._lock:
            if self._taken:
                place: Future[None] = Future()
                self._waiting.append(place)
                return place
            self._taken = True
            return None

    def _pass_on(self) -> None:
        with self._lock:
            while self._waiting:
                place = self._waiting.popleft()
                if place.set_running_or_notify_cancel():
                    break
            else:
                self._taken = False
                return
        place.set_result(None)


class _NoTurns(Turns):
    """For databases that let writers in side by side."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield

    @asynccontextmanager
    async def turn_async(self) -> AsyncIterator[None]:
        yield


_NONE = _NoTurns()
_by_file: WeakValueDictionary[str, Turns] = WeakValueDictionary()


def turns_of(url: URL) -> Turns:
    """The same for all that write to one file."""
    if url.get_backend_name() != "sqlite":
        return _NONE
    return turns_of_file(url.database or "")


def turns_of_file(path: str) -> Turns:
    if path in ("", ":memory:"):
        return Turns()
    found = _by_file.get(key := os.path.realpath(path))
    if found is None:
        found = _by_file[key] = Turns()
    return found
