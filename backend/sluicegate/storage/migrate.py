"""Brings a database to the schema of this release. Blocking: commands and tests call it, the server only `check`.

An upgrade holds a lock from its first look to its commit and is one transaction: of two at once the second finds
nothing left to do, and a failed one leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, column, create_engine, event, inspect, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

# Only what moves a schema loads alembic: a server looks at where it is, and would keep 10 MB for nothing.
if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"
_NAMED = re.compile(r'^(down_)?revision = "(\w+)"$', re.MULTILINE)
_VERSION = table("alembic_version", column("version_num"))
# Any number will do, so long as nothing else in the database takes the same advisory lock.
_LOCK_KEY = 0x51_1C_E6_A7_E0
_SQLITE_WAIT_SECONDS = 120
T = TypeVar("T")


class SchemaError(Exception):
    """The database does not have the schema that this release works with; the message says what to do."""


class DatabaseUnreachable(SchemaError):
    """It cannot be asked at all."""


def upgrade(url: str, version: str = "head") -> str | None:
    """Runs all missing versions up to `version` and gives the version reached."""

    def work(connection: Connection) -> str | None:
        move_to(connection, version)
        return version_of(connection)

    return in_one_transaction(url, work)


def downgrade(url: str, version: str) -> str | None:
    """Takes versions back down to `version`, or all with `base`; data that the older schema cannot hold is lost."""

    from alembic import command

    def work(connection: Connection) -> str | None:
        command.downgrade(_config(connection), version)
        return version_of(connection)

    return in_one_transaction(url, work)


def move_to(connection: Connection, version: str) -> None:
    """Upgrades within a transaction of `in_one_transaction`."""
    from alembic import command

    command.upgrade(_config(connection), version)


def clear(connection: Connection) -> None:
    """Takes a schema away, if there is one, with all it holds; within a transaction of `in_one_transaction`."""
    from alembic import command

    command.downgrade(_config(connection), "base")


def current(url: str) -> str | None:
    """The version that the database is at; None when it has no schema."""
    with _engine(url) as engine, engine.connect() as connection:
        return version_of(connection)


def check(url: str) -> None:
    """Raises SchemaError unless the database has exactly this release's schema."""
    found, wanted = current(url), newest()
    if found == wanted:
        return
    if found is None:
        raise SchemaError("The database has no schema yet. Run `sluicegate migrate` first.")
    if found in known():
        raise SchemaError(
            f"The database schema is at version {found}, this release needs {wanted}. "
            "Make a backup with the release that ran before, then run `sluicegate migrate`."
        )
    raise SchemaError(
        f"The database schema is at version {found}, which this release does not know: a newer release made it. "
        f"Run that release, or restore a backup from before its migration (this release needs {wanted})."
    )


def newest() -> str:
    """The version that this release works with."""
    versions = _versions()
    heads = versions.keys() - versions.values()
    if len(heads) != 1:
        raise SchemaError("This installation is incomplete: its migrations are missing.")
    return heads.pop()


def known() -> set[str]:
    """All versions that this release can start from."""
    return set(_versions())


@cache
def _versions() -> dict[str, str | None]:
    """The version before each of them."""
    found: dict[str, str | None] = {}
    for script in (_SCRIPTS / "versions").glob("*_*.py"):
        names = {bool(before): name for before, name in _NAMED.findall(script.read_text())}
        if False in names:
            found[names[False]] = names.get(True)
    return found


def version_of(connection: Connection) -> str | None:
    """Where alembic has noted it; None without a schema."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def in_one_transaction(url: str, work: Callable[[Connection], T]) -> T:
    """Runs `work` with the lock that upgrades hold; what it did is undone if it raises."""
    with _engine(url, lock=True) as engine, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        return work(connection)


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """Reads one state of the database throughout."""
    with _engine(url) as engine:
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.begin() as connection:
            yield connection


@contextmanager
def _engine(url: str, *, lock: bool = False) -> Iterator[Engine]:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed.set(drivername="sqlite"), poolclass=NullPool, connect_args={"timeout": _SQLITE_WAIT_SECONDS}
        )
        event.listen(engine, "connect", _leave_transactions_alone)
        event.listen(engine, "begin", _begin_exclusive if lock else _begin)
    else:
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        yield engine
    except DatabaseError as error:
        # The kinds below it are faults of a migration; this one itself is SQLite's for a file of another kind, and what
        # comes without a statement is said of the URL.
        connecting = isinstance(error, ProgrammingError) and error.statement is None
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError and not connecting:
            raise
        which = f" {parsed.database}" if parsed.get_backend_name() == "sqlite" else ""
        raise DatabaseUnreachable(f"The database{which} cannot be used: {str(error.orig).strip()}") from None
    finally:
        engine.dispose()


def _leave_transactions_alone(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver would commit before a schema change.
    connection.isolation_level = None


def _begin_exclusive(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN EXCLUSIVE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config
