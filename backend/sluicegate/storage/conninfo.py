"""A PostgreSQL's URL for whoever connects to it without a pool; a server on SQLite does without the driver."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL


def conninfo(url: URL) -> str:
    """What the pool gives the driver, for the driver alone. A URL as text would have blanks in it, as those of a
    password, which the driver refuses, and shows with the password."""
    _, given = PGDialect_psycopg().create_connect_args(url)
    return make_conninfo(**given)
