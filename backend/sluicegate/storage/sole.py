"""One server for each database, as long as limits are counted inside a process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

# Any number will do, so long as nothing else in the database takes the same advisory lock.
_LOCK_KEY = 0x51_1C_E6_A7_E1


class AlreadyServed(Exception):
    """Another process serves this database."""

    def __init__(self) -> None:
        super().__init__(
            "Another Sluicegate server uses this database. Each counts limits and budgets by itself, so together they "
            "would admit too much; several need Redis, which this release cannot use yet. Stop the other one first."
        )


@contextmanager
def sole_server(url: str) -> Iterator[None]:
    """Holds the database for this process; raises AlreadyServed. The death of the process lets go of it."""
    parsed = make_url(url)
    with _file_lock(Path(f"{parsed.database}.serving")) if parsed.drivername == "sqlite" else _session_lock(parsed):
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
def _session_lock(url: URL) -> Iterator[None]:
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,)).fetchone()
        if row != (True,):
            raise AlreadyServed
        yield
