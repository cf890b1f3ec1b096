"""One server for each database where limits are counted inside a process, any number where Redis counts them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url


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
    # A server on SQLite does without the driver.
    from sluicegate.storage.conninfo import conninfo
    from sluicegate.storage.session_lock import SessionLock

    with SessionLock(conninfo(url), shared).kept():
        yield
