"""How long a page of a long list of people takes, on SQLite and, given SLUICEGATE_TEST_DATABASE_URL, on PostgreSQL.

    python bench/people.py [how many people]

Each line is the slowest of some pages of one search, with and without its total.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.clock import SystemClock
from sluicegate.ports.store import PageRequest, UserFilter
from sluicegate.storage import migrate
from sluicegate.storage.engine import SqlStore, database_url, make_engine
from sluicegate.storage.repositories.users import SqlUserRepository

_FIRST = ("Ada", "Grace", "Linus", "Margaret", "Dennis", "Barbara", "Ken", "Radia", "Tim", "Frances", "Alan", "Adele")
_LAST = ("Lovelace", "Hopper", "Torvalds", "Hamilton", "Ritchie", "Liskov", "Thompson", "Perlman", "Lee", "Allen")
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SEARCHES = {
    "all": UserFilter(),
    "many match": UserFilter("lovelace"),
    "one matches": UserFilter("person77777@"),
    "none matches": UserFilter("zzzz"),
    "one letter": UserFilter("a"),
    "administrators": UserFilter(role=Role.ADMIN),
    "active, none": UserFilter("zzzz", status=UserStatus.ACTIVE),
    "active": UserFilter(status=UserStatus.ACTIVE),
    "suspended": UserFilter(status=UserStatus.SUSPENDED),
    "suspended, none": UserFilter("zzzz", status=UserStatus.SUSPENDED),
    "group of 10": UserFilter(group_id="small"),
    "group of 60 %": UserFilter(group_id="large"),
    "in group, none": UserFilter("zzzz", group_id="large"),
}
_SORTS = ("name_asc", "created_desc", "last_active_desc", "role_asc", "status_desc")


class _NoFeed:
    def subscribe(self, listener: object) -> None: ...
    async def publish(self, changes: object) -> None: ...


async def fill(store: SqlStore, count: int) -> None:
    dice = random.Random(1)
    async with store.write() as tx:
        users = tx.users
        assert isinstance(users, SqlUserRepository)
        for n in range(count):
            at = _START + timedelta(seconds=dice.randrange(10**7))
            status = UserStatus.SUSPENDED if n % 50 == 0 else UserStatus.INVITED if n % 20 == 0 else UserStatus.ACTIVE
            role = Role.ADMIN if n % 5000 == 0 else Role.MEMBER
            name = "" if status is UserStatus.INVITED else f"{dice.choice(_FIRST)} {dice.choice(_LAST)} {n}"
            active = None if n % 3 == 0 else at + timedelta(days=dice.randrange(100))
            await users.add(User(f"{n:08d}", f"person{n}@example.com", name, role, status, at, active))
    async with store.engine.begin() as connection:
        for group, share in (("small", count // 10), ("large", 10)):
            await connection.execute(
                text("INSERT INTO groups (id, name, description, created_at) VALUES (:g, :g, '', :at)"),
                {"g": group, "at": _START.replace(tzinfo=None) if store.engine.name == "sqlite" else _START},
            )
            members = [f"{n:08d}" for n in range(count) if n % share < (6 if group == "large" else 1)]
            await connection.execute(
                text("INSERT INTO memberships (group_id, user_id) VALUES (:g, :u)"),
                [{"g": group, "u": user_id} for user_id in members],
            )
    if store.engine.name != "sqlite":
        async with store.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE users"))
            await connection.execute(text("ANALYZE memberships"))


async def measure(store: SqlStore) -> None:
    for name, where in _SEARCHES.items():
        line = [f"{name:16}"]
        for sort in _SORTS:
            slowest, after = 0.0, None
            for _ in range(4):
                started = time.perf_counter()
                async with store.read() as tx:
                    page = await tx.users.page(where, sort, PageRequest(50, after))
                slowest = max(slowest, time.perf_counter() - started)
                if not page.has_next:
                    break
                after = page.items[-1][1]
            line.append(f"{sort} {1000 * slowest:6.1f}")
        started = time.perf_counter()
        async with store.read() as tx:
            found = await tx.users.count(where)
        line.append(f"count {1000 * (time.perf_counter() - started):6.1f} ({found})")
        print("  ".join(line))


@asynccontextmanager
async def _postgres(base: str) -> AsyncIterator[str]:
    admin = make_url(base).set(drivername="postgresql")
    name = f"sluicegate_bench_{os.getpid()}"
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        yield admin.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


async def run(url: str, count: int) -> None:
    migrate.upgrade(url)
    store = SqlStore(make_engine(database_url(url)), _NoFeed(), SystemClock())
    await fill(store, count)
    print(f"{store.engine.name}, {count} people, milliseconds")
    await measure(store)
    await store.aclose()


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        await run(f"sqlite:///{Path(folder) / 'people.db'}", count)
    base = os.environ.get("SLUICEGATE_TEST_DATABASE_URL")
    if base:
        async with _postgres(base) as url:
            await run(url, count)


if __name__ == "__main__":
    asyncio.run(main())
