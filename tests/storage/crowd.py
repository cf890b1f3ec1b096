"""100,000 people, and how many rows a statement looks at to answer."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import make_url

from sluicegate.storage import migrate
from sluicegate.storage.engine import SqlStore

COUNT = 100_000
_BEFORE = "20261129_price_lists"
_FIRST = ("Ada", "Grace", "Linus", "Margaret", "Dennis", "Barbara", "Ken", "Radia", "Tim", "Frances", "Alan", "Adele")
_LAST = ("Lovelace", "Hopper", "Torvalds", "Hamilton", "Ritchie", "Liskov", "Thompson", "Perlman", "Lee", "Allen")
_START = datetime(2026, 1, 1, tzinfo=UTC)
# Steps of SQLite's machine for each row that is passed over, or looked up and sorted.
_STEPS = 20

Statement = tuple[str, Any]


def fill(url: str) -> None:
    """A database whose people were there before the trigrams, so that the migration has to find them."""
    migrate.upgrade(url)
    migrate.downgrade(url, _BEFORE)
    tables = {
        "users (id, email, name, sort_name, role, status, created_at, last_active_at)": list(_people()),
        "groups (id, name, description, created_at)": [(g, g, "", _START.isoformat(" ")) for g in ("small", "large")],
        "memberships (group_id, user_id)": list(_memberships()),
    }
    if make_url(url).get_backend_name() == "sqlite":
        with sqlite3.connect(make_url(url).database or "") as connection:
            for table, rows in tables.items():
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    else:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            for table, rows in tables.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type]
                    for row in rows:
                        copy.write_row(row)
    migrate.upgrade(url)
    if make_url(url).get_backend_name() != "sqlite":
        # As the server does by itself within minutes.
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def _people() -> Iterator[tuple[str, ...]]:
    dice = random.Random(1)
    for n in range(COUNT):
        at = _START + timedelta(seconds=dice.randrange(10**7), microseconds=1)
        status = "suspended" if n % 250 == 0 else "invited" if n % 20 == 1 else "active"
        name = "" if status == "invited" else f"{dice.choice(_FIRST)} {dice.choice(_LAST)} {n}"
        email, role = f"person{n}@example.com", "admin" if n % 5000 == 2 else "member"
        active = datetime(1970, 1, 1, tzinfo=UTC) if n % 3 == 0 else at + timedelta(days=dice.randrange(100))
        moments = (at.strftime("%Y-%m-%d %H:%M:%S.%f"), active.strftime("%Y-%m-%d %H:%M:%S.%f"))
        yield (f"{n:08d}", email, name, (name or email).lower(), role, status, *moments)


def _memberships() -> Iterator[tuple[str, str]]:
    for n in range(COUNT):
        if n % 10_000 == 0:
            yield "small", f"{n:08d}"
        if n % 10 < 6:
            yield "large", f"{n:08d}"


@contextmanager
def selects(store: SqlStore) -> Iterator[list[Statement]]:
    """The statements that read rows, with their parameters, as they are sent."""
    seen: list[Statement] = []

    def remember(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", remember)
    yield seen
    event.remove(store.engine.sync_engine, "before_cursor_execute", remember)


class Meter:
    """Looks at statements on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self._connection: Any = (
            sqlite3.connect(make_url(url).database or "") if self.sqlite else psycopg.connect(url, autocommit=True)
        )

    def close(self) -> None:
        self._connection.close()

    def rows(self, statement: Statement) -> int:
        """How many rows, or entries of an index, are looked at."""
        if self.sqlite:
            return self._steps(statement) // _STEPS
        (plan,) = self._connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement[0]}", statement[1]).fetchone()
        return _visited((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])

    def reads_whole_table(self, statement: Statement, table: str) -> bool:
        """Whether all rows of a table are read, and not only the entries of an index."""
        if self.sqlite:
            steps = self._connection.execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]).fetchall()
            return any(step[3] == f"SCAN {table}" for step in steps)
        lines = self._connection.execute(f"EXPLAIN {statement[0]}", statement[1]).fetchall()
        return any(f"Seq Scan on {table}" in line[0] for line in lines)

    def _steps(self, statement: Statement) -> int:
        passed = 0

        def count() -> None:
            nonlocal passed
            passed += 1

        self._connection.set_progress_handler(count, 1)
        self._connection.execute(*statement).fetchall()
        self._connection.set_progress_handler(None, 0)
        return passed


def _visited(node: dict[str, Any]) -> int:
    below = sum(_visited(child) for child in node.get("Plans", ()))
    if below or "Scan" not in node["Node Type"]:
        return below
    passed = sum(int(value) for name, value in node.items() if name.startswith("Rows Removed by"))
    return (int(node["Actual Rows"]) + passed) * int(node["Actual Loops"])
