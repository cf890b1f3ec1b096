"""One server for each database where limits are counted inside a process, any number where Redis counts them."""

from __future__ import annotations

import fcntl
import select
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
    hold = _Hold(url.set(drivername="postgresql").render_as_string(hide_password=False), shared)
    hold.take()
    try:
        yield
    finally:
        hold.let_go()


class _Hold:
    """A lock that lasts as long as its connection, and is taken again when that breaks: a database that was started
    again, or a replica that took over, knows of none."""

    def __init__(self, conninfo: str, shared: bool) -> None:
        self._conninfo = conninfo
        self._shared = shared
        self._connection: psycopg.Connection | None = None
        self._woken, self._wakes = socket.socketpair()
        self._keeper = threading.Thread(target=self._keep, name="database lock", daemon=True)

    def take(self) -> None:
        """Raises AlreadyServed."""
        if not self._taken():
            raise AlreadyServed(_SOLE if self._shared else None)
        self._keeper.start()

    def let_go(self) -> None:
        self._wakes.close()
        self._keeper.join(_LET_GO_SECONDS)
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

    def _keep(self) -> None:
        said = False
        while self._connection is not None:
            # Nothing is ever sent to us: what can be read is the end.
            if self._woken in select.select([self._connection, self._woken], [], [])[0]:
                return
            self._connection.close()
            self._connection = None
            while self._connection is None:
                with suppress(psycopg.Error):
                    if not self._taken() and not said:
                        said = True
                        log.error("database.served_apart", advice="stop the other server: both admit too much")
                if self._connection is None and select.select([self._woken], [], [], _AGAIN_SECONDS)[0]:
                    return
            said = False
