"""One server for each database where limits are counted inside a process, any number where Redis counts them."""

from __future__ import annotations

import fcntl
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import structlog
from sqlalchemy.engine import URL, make_url

log = structlog.get_logger(__name__)

# Any number will do, so long as nothing else in the database takes the same advisory lock.
_LOCK_KEY = 0x51_1C_E6_A7_E1
_AGAIN_SECONDS = 0.5
_LET_GO_SECONDS = 2.0
# A database that went without a word is given up after some seconds; the settings of the system would take hours.
_NOTICE_THE_END: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

_SOLE = (
    "A Sluicegate server that counts limits and budgets by itself uses this database. Stop it first, or set "
    "SLUICEGATE_REDIS_URL for it, too."
)


class AlreadyServed(Exception):
    """Another process serves this database."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "Another Sluicegate server uses this database. Each counts limits and budgets by itself, so together "
            "they would admit too much. Stop the other one first, or let both count in Redis: set "
            "SLUICEGATE_REDIS_URL for each, with PostgreSQL as the database."
        )


@contextmanager
def sole_server(url: str) -> Iterator[None]:
    """Holds the database for this process; raises AlreadyServed. The death of the process lets go of it."""
    parsed = make_url(url)
    with _file_lock(Path(f"{parsed.database}.serving")) if parsed.drivername == "sqlite" else _session_lock(parsed):
        yield


@contextmanager
def one_of_several(url: str) -> Iterator[None]:
    """Holds a PostgreSQL database together with others of this kind; raises AlreadyServed while a sole server does."""
    with _session_lock(make_url(url), shared=True):
        yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed from None
        yield


@contextmanager
def _session_lock(url: URL, *, shared: bool = False) -> Iterator[None]:
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with _Hold(conninfo, shared).kept():
        yield


class _Hold:
    """A lock that lasts as long as its connection, and is taken again when that breaks: a database that was started
    again, or a replica that took over, knows of none."""

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
        connection = psycopg.connect(self._conninfo, autocommit=True, **_NOTICE_THE_END)
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
