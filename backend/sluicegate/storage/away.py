"""A database that does not answer, as something that whoever asks may wait for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sluicegate.kit.errors import Unavailable

log = structlog.get_logger(__name__)
# Locked by another writer, not writable, disk full, file gone.
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
# Of PostgreSQL: a replica before it takes over, or a server that was told to take no changes.
_READ_ONLY = "25006"
_RETRY_SECONDS = 5


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    """Raises Unavailable for what is no fault of the statement: a lock that is held for too long, no connection."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if not _is_away(error):
            raise
        # The driver's words may name host and user; its kind and code say enough.
        log.warning("database.unavailable", error=type(getattr(error, "orig", error)).__name__, code=_code_of(error))
        raise unavailable() from error


def unavailable() -> Unavailable:
    """What whoever asked a database that is away is told."""
    return Unavailable("The database does not answer at the moment. Try again soon.", _RETRY_SECONDS)


def sqlite_is_away(error: Exception) -> bool:
    """Whether the driver says that the file cannot be used at the moment."""
    # The lower byte is the code, what is above says more.
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE


def _is_away(error: DBAPIError | PoolTimeout) -> bool:
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return sqlite_is_away(error.orig)
    return isinstance(error, OperationalError | InterfaceError) or _code_of(error) == _READ_ONLY


def _code_of(error: DBAPIError | PoolTimeout) -> str | None:
    orig = getattr(error, "orig", None)
    return getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None)
