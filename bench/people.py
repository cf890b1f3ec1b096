"""How long a page of a long list takes, on SQLite and, given SLUICEGATE_TEST_DATABASE_URL, on PostgreSQL.

    python bench/people.py [how many people]

Each figure is the quickest of some tries of the slowest of some pages, in milliseconds; the total stands beside them.
Everybody has a key, and made two changes.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.clock import SystemClock
from sluicegate.ports.pages import AuditFilter, KeyFilter, Page, PageRequest, UserFilter
from sluicegate.ports.store import Transaction
from sluicegate.storage import migrate
from sluicegate.storage.engine import SqlStore, database_url, make_engine
from sluicegate.storage.tables.every import METADATA

T = TypeVar("T")
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
_TERMS = ("lovelace", "person77777@", "zzzz", "a")
_TRIES = 20
_PAGES = 3
_SORTS = ("name_asc", "created_desc", "last_active_desc", "role_asc", "status_desc")


class _NoFeed:
    def subscribe(self, listener: object) -> None: ...
    async def publish(self, changes: object) -> None: ...


def _people(count: int) -> Iterator[User]:
    dice = random.Random(1)
    for n in range(count):
        at = _START + timedelta(seconds=dice.randrange(10**7))
        status = UserStatus.SUSPENDED if n % 50 == 0 else UserStatus.INVITED if n % 20 == 0 else UserStatus.ACTIVE
        role = Role.ADMIN if n % 5000 == 0 else Role.MEMBER
        name = "" if status is UserStatus.INVITED else f"{dice.choice(_FIRST)} {dice.choice(_LAST)} {n}"
        active = None if n % 3 == 0 else at + timedelta(days=dice.randrange(100))
        yield User(f"{n:08d}", f"person{n}@example.com", name, role, status, at, active)


async def fill(store: SqlStore, count: int) -> None:
    people = list(_people(count))
    users = [asdict(user) | {"sort_name": (user.name or user.email).lower()} for user in people]
    groups = [asdict(Group(name, name, "", _START)) for name in ("small", "large")]
    memberships = [
        {"group_id": group, "user_id": people[n].id}
        for group, share in (("small", count // 10), ("large", 10))
        for n in range(count)
        if n % share < (6 if group == "large" else 1)
    ]
    keys = [
        asdict(ApiKey(f"k{user.id}", f"p{user.id}", user.id, f"laptop of {user.name}", f"sg_{user.id}", "-", _START))
        for user in people
    ]
    events = [
        {"id": f"{n}-{user.id}", "at": user.created_at + timedelta(days=n), "actor_kind": ActorKind.USER}
        | {"actor_id": user.id, "actor_label": user.label, "action": "key.create", "target_kind": "api_key"}
        | {"target_id": f"k{user.id}", "target_label": f"laptop of {user.name}", "before": {}, "after": {}}
        for n in range(2)
        for user in people
    ]
    tables = (("users", users), ("groups", groups), ("memberships", memberships), ("api_keys", keys))
    async with store.engine.begin() as connection:
        for table, rows in (*tables, ("audit_events", events)):
            await connection.execute(insert(METADATA.tables[table]), rows)
    if store.engine.name != "sqlite":
        async with store.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))


async def _quickest(store: SqlStore, read: Callable[[Transaction], Awaitable[T]]) -> tuple[float, T]:
    times: list[float] = []
    while True:
        started = time.perf_counter()
        async with store.read() as tx:
            found = await read(tx)
        times.append(1000 * (time.perf_counter() - started))
        if len(times) == _TRIES:
            return min(times), found


async def _slowest(store: SqlStore, read: Callable[[Transaction, PageRequest], Awaitable[Page[Any]]]) -> str:
    slowest, request = 0.0, PageRequest()
    for _ in range(_PAGES):
        taken, page = await _quickest(store, partial(_swapped, read, request))
        slowest = max(slowest, taken)
        if not page.has_next:
            break
        request = PageRequest(after=page.items[-1][1])
    return f"{slowest:6.1f}"


def _swapped(
    read: Callable[[Transaction, PageRequest], Awaitable[T]], page: PageRequest, tx: Transaction
) -> Awaitable[T]:
    return read(tx, page)


async def _line(store: SqlStore, name: str, noun: str, where: object, sorts: Sequence[str | None] = (None,)) -> None:
    def page(sort: str | None, tx: Transaction, request: PageRequest) -> Awaitable[Page[Any]]:
        return getattr(tx, noun).page(where, *filter(None, [sort]), request)

    def count(tx: Transaction) -> Awaitable[int]:
        return getattr(tx, noun).count(where)

    pages = [f"{sort or 'page'} {await _slowest(store, partial(page, sort))}" for sort in sorts]
    taken, found = await _quickest(store, count)
    print(f"{name:26}", *pages, f"total {taken:6.1f} ({found})", sep="  ")


async def measure(store: SqlStore) -> None:
    for name, where in _SEARCHES.items():
        await _line(store, f"people, {name}", "users", where, _SORTS)
    for term in (None, *_TERMS):
        await _line(store, f"keys, {term}", "keys", KeyFilter(_START, _START, term))
        await _line(store, f"audit log, {term}", "audit", AuditFilter(search=term))


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
