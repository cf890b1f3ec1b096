"""The lock that a server holds on a PostgreSQL database for as long as it serves."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import structlog

from sluicegate.storage.silence import NOTICE_THE_END
from sluicegate.storage.sole import AlreadyServed

log = structlog.get_logger(__name__)

# Any number will do, so long as nothing else in the database takes the same advisory lock.
_LOCK_KEY = 0x51_1C_E6_A7_E1
_AGAIN_SECONDS = 0.5
_LET_GO_SECONDS = 2.0
_CONNECT: dict[str, Any] = {"connect_timeout": 5, **NOTICE_THE_END}
_SOLE = (
    "A Sluicegate server that counts limits and budgets by itself uses this database. Stop it first, or set "
    "SLUICEGATE_REDIS_URL for it, too."
)


class SessionLock:
    """Lasts as long as its connection, and is taken again when that breaks: a database that was started again, or a
    replica that took over, knows of no lock."""

    def __init__(self, conninfo: str, shared: bool) -> None:
        self._conninfo = conninfo
        self._shared = shared
        self._connection: psycopg.Connection | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Raises AlreadyServed."""
        if not self._taken():
            raise AlreadyServed(_SOLE if self._shared else None)
        end, told = socket.socketpair()
        keeper = threading.Thread(target=self._keep, args=[told], name="database lock", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            end.close()
            keeper.join(_LET_GO_SECONDS)
            told.close()
            if self._connection is not None:
                self._connection.close()

    def _taken(self) -> bool:
        connection = psycopg.connect(self._conninfo, autocommit=True, **_CONNECT)
        question = "SELECT pg_try_advisory_lock_shared(%s)" if self._shared else "SELECT pg_try_advisory_lock(%s)"
        try:
            if connection.execute(question, (_LOCK_KEY,)).fetchone() == (True,):
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def _keep(self, told: socket.socket) -> None:
        said = False
        while self._connection is not None:
            if _to_end(told, None, self._connection):
                return
            with suppress(psycopg.Error):
                # It may have been a word about something else.
                self._connection.execute("SELECT 1")
                continue
            self._connection.close()
            self._connection = None
            while self._connection is None:
                with suppress(psycopg.Error):
                    if not self._taken() and not said:
                        said = True
                        log.error("database.served_apart", advice="stop one server: together they admit too much")
                if self._connection is None and _to_end(told, _AGAIN_SECONDS):
                    return
            said = False


def _to_end(told: socket.socket, within: float | None, *or_this: psycopg.Connection) -> bool:
    """Waits to be told so for `within` seconds, or until there is something to read from a connection."""
    with selectors.DefaultSelector() as waiting:
        for source in (told, *or_this):
            waiting.register(source, selectors.EVENT_READ)
        return any(key.fileobj is told for key, _ in waiting.select(within))
