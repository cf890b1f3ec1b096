"""Trigrams of what people, keys and audit events are searched by: full-text tables on SQLite, GIN on PostgreSQL.

They only make searches quick. Where a database cannot have them, because SQLite was built without FTS5 or PostgreSQL's
extension pg_trgm is missing or not to be made by this role, the migration goes on, and searches look at every row.

Revision 20261129_trigrams, after 20261129_price_lists.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "20261129_trigrams"
down_revision = "20261129_price_lists"
branch_labels = None
depends_on = None


class _Searched(NamedTuple):
    table: str
    # The full-text table on SQLite. Beside it stands `…_rows`, which numbers what it holds: the table's own row numbers
    # are SQLite's to change.
    search: str
    columns: tuple[str, ...]
    # What PostgreSQL's index holds for each.
    expression: str


_SEARCHED = (
    _Searched("users", "user_search", ("sort_name", "email"), "{}"),
    _Searched("api_keys", "key_search", ("name", "prefix"), "lower({})"),
    _Searched("audit_events", "audit_search", ("target_label", "actor_label", "action"), "lower({})"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        if _has_trigrams():
            for searched in _SEARCHED:
                _index_in_sqlite(searched)
    elif (schema := _extension()) is not None:
        for searched in _SEARCHED:
            texts = ", ".join(f"{searched.expression.format(c)} {schema}.gin_trgm_ops" for c in searched.columns)
            op.execute(f"CREATE INDEX ix_{searched.table}_search ON {searched.table} USING gin ({texts})")


def downgrade() -> None:
    for table, search, *_ in _SEARCHED:
        if op.get_bind().dialect.name == "sqlite":
            for what in ("added", "changed", "removed"):
                op.execute(f"DROP TRIGGER IF EXISTS {search}_{what}")
            op.execute(f"DROP TABLE IF EXISTS {search}")
            op.execute(f"DROP TABLE IF EXISTS {search}_rows")
        else:
            # The extension stays: somebody else may use it.
            op.execute(f"DROP INDEX IF EXISTS ix_{table}_search")


def _has_trigrams() -> bool:
    modules = sa.text("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    return sqlite3.sqlite_version_info >= (3, 34) and op.get_bind().scalar(modules) is not None


def _index_in_sqlite(searched: _Searched) -> None:
    table, search, columns, _ = searched
    names = ", ".join(columns)
    new, old = (", ".join(f"{row}.{c}" for c in columns) for row in ("new", "old"))
    number = f"FROM {search}_rows WHERE id ="
    add = f"INSERT INTO {search} (rowid, {names}) SELECT number, {new} {number} new.id;"
    remove = f"INSERT INTO {search} ({search}, rowid, {names}) SELECT 'delete', number, {old} {number} old.id;"
    differs = " OR ".join(f"new.{c} <> old.{c}" for c in columns)
    op.execute(f"CREATE TABLE {search}_rows (number INTEGER PRIMARY KEY, id VARCHAR(36) NOT NULL UNIQUE)")
    op.execute(f"CREATE VIRTUAL TABLE {search} USING fts5 ({names}, content='', tokenize='trigram')")
    op.execute(f"INSERT INTO {search}_rows (id) SELECT id FROM {table} ORDER BY id")  # noqa: S608
    op.execute(
        f"INSERT INTO {search} (rowid, {names}) SELECT number, {names} FROM {search}_rows JOIN {table} USING (id)"  # noqa: S608
    )
    number_it = f"INSERT INTO {search}_rows (id) VALUES (new.id);"  # noqa: S608
    forget_it = f"DELETE FROM {search}_rows WHERE id = old.id;"  # noqa: S608
    for what, when, actions in (
        ("added", f"INSERT ON {table}", f"{number_it} {add}"),
        ("changed", f"UPDATE OF {names} ON {table} WHEN {differs}", f"{remove} {add}"),
        ("removed", f"DELETE ON {table}", f"{remove} {forget_it}"),
    ):
        op.execute(f"CREATE TRIGGER {search}_{what} AFTER {when} BEGIN {actions} END")


def _extension() -> str | None:
    """The schema of pg_trgm, quoted, after an attempt to make it; None where that cannot be done."""
    connection = op.get_bind()
    found = sa.text(
        "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace "
        "WHERE extname = 'pg_trgm'"
    )
    if connection.scalar(found) is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.text("CREATE EXTENSION pg_trgm"))
        except DBAPIError:
            return None
    return connection.scalar(found)
