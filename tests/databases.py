"""Databases that have today's schema without running the migrations for every test, which take half a second."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from sluicegate.storage import migrate

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES = "SELECT sequencename, last_value, start_value FROM pg_sequences WHERE schemaname = 'public'"
# Changes with every table, index, sequence, column and extension that comes or goes.
_SHAPE = """
    SELECT (SELECT string_agg(oid || ':' || relnatts, ',' ORDER BY oid) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace)
        || (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_extension)
"""
_EMPTY = b"DROP SCHEMA IF EXISTS kept CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


@cache
def _sqlite_schema() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.db"
        migrate.upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def sqlite_database(path: Path) -> str:
    """A new one at this path; gives its URL."""
    path.write_bytes(_sqlite_schema())
    return f"sqlite:///{path}"


@contextmanager
def postgres_database(near: str, suffix: str) -> Iterator[str]:
    """An empty database beside another one, as long as it is needed."""
    url = make_url(near)
    name = f"{url.database}_{suffix}"
    with psycopg.connect(url.set(database="postgres").render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield url.set(database=name).render_as_string(hide_password=False)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class PostgresTemplate:
    """A database that is put back to what `make` wrote into its empty schema: in milliseconds as long as only rows
    have changed, and by making it again otherwise."""

    def __init__(self, url: str, make: Callable[[str], object]) -> None:
        self.url = url
        self._make = make
        self._shape: str | None = None
        self._back = b""
        self._connection: psycopg.Connection | None = None

    def restored(self, more: sql.Composable | None = None) -> str:
        """Its URL; whoever was still connected is not any more. `more` is executed, too."""
        try:
            self._restore(more)
        except psycopg.OperationalError:
            # A test has ended whatever was connected.
            self.close()
            self._restore(more)
        return self.url

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _restore(self, more: sql.Composable | None) -> None:
        connection = self._connected()
        with connection.transaction():
            connection.execute(_OTHERS, [connection.info.backend_pid])
            same = self._shape is not None and _shape(connection) == self._shape
            connection.execute(self._back if same else _EMPTY)
        if not same:
            self._make(self.url)
            with connection.transaction():
                self._keep(connection)
        if more is not None:
            connection.execute(more)

    def _connected(self) -> psycopg.Connection:
        """A new connection would take longer to look up all tables than to put them back."""
        if self._connection is None:
            self._connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
        return self._connection

    def _keep(self, connection: psycopg.Connection) -> None:
        connection.execute("CREATE SCHEMA kept")
        # Foreign keys and triggers would have a say in the order of tables, and in what is in them.
        back = [sql.SQL("SET LOCAL session_replication_role = replica")]
        for (table,) in connection.execute(_TABLES).fetchall():
            names = {"kept": sql.Identifier("kept", table), "table": sql.Identifier("public", table)}
            connection.execute(sql.SQL("CREATE TABLE {kept} AS TABLE {table}").format(**names))
            back.append(sql.SQL("DELETE FROM {table}").format(**names))
            back.append(sql.SQL("INSERT INTO {table} SELECT * FROM {kept}").format(**names))
        for name, last, start in connection.execute(_SEQUENCES).fetchall():
            parts = (sql.Literal(f"public.{name}"), sql.Literal(last or start), sql.Literal(last is not None))
            back.append(sql.SQL("SELECT setval({}, {}, {})").format(*parts))
        self._back = sql.SQL(";").join(back).as_bytes(connection)
        self._shape = _shape(connection)


@contextmanager
def restorable_postgres(
    near: str, suffix: str, make: Callable[[str], object] = migrate.upgrade
) -> Iterator[PostgresTemplate]:
    """For a database beside another one, as long as it is needed."""
    with postgres_database(near, suffix) as url, closing(PostgresTemplate(url, make)) as template:
        yield template


def _shape(connection: psycopg.Connection) -> str:
    row = connection.execute(_SHAPE).fetchone()
    assert row is not None
    return str(row[0])
