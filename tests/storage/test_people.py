"""People as the database finds them: searched, filtered, in order, page by page."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.ports.store import PageRequest, UserFilter
from sluicegate.storage.engine import SqlStore
from storage.records import NOW

NAMES = ["Zoë", "ada", "Bo 100%", "bo_2", "", "Ada"]
PEOPLE = [
    User(
        f"u{n:02d}",
        f"person{n}@{'lab' if n % 3 else 'shop'}.example",
        name,
        Role.ADMIN if n % 4 == 0 else Role.MEMBER,
        UserStatus.SUSPENDED if n % 5 == 0 else UserStatus.ACTIVE,
        NOW + timedelta(seconds=n // 2),
    )
    for n, name in enumerate(NAMES * 3)
]
FILTERS = [
    UserFilter(),
    UserFilter("ADA"),
    UserFilter("%"),
    UserFilter("_2"),
    UserFilter("shop.example"),
    UserFilter("zoë", role=Role.ADMIN),
    UserFilter("lab", status=UserStatus.ACTIVE),
    UserFilter("nobody"),
]


def matches(user: User, where: UserFilter) -> bool:
    text = (where.search or "").lower()
    return (
        (text in (user.name or user.email).lower() or text in user.email)
        and where.role in (None, user.role)
        and where.status in (None, user.status)
    )


def position(user: User, sort: str) -> tuple[Any, str]:
    return ((user.name or user.email).lower() if sort.startswith("name") else user.created_at, user.id)


@pytest.mark.parametrize("sort", ["name_asc", "name_desc", "created_asc", "created_desc"])
async def test_every_search_gives_who_matches_once_and_in_order(store: SqlStore, sort: str) -> None:
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
    for where in FILTERS:
        found: list[User] = []
        after: str | None = None
        async with store.read() as tx:
            while True:
                page = await tx.users.page(where, sort, PageRequest(4, after))
                found += [user for user, _ in page.items]
                if not page.has_next:
                    break
                after = page.items[-1][1]
            assert await tx.users.count(where) == len(found)
        expected = [user for user in PEOPLE if matches(user, where)]
        if store.engine.dialect.name == "sqlite":
            expected.sort(key=lambda user: position(user, sort), reverse=sort.endswith("desc"))
            assert found == expected
        else:
            # PostgreSQL sorts names by its own alphabet.
            assert sorted(u.id for u in found) == sorted(u.id for u in expected)


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sort", ["name_asc", "created_desc"])
async def test_a_search_reads_no_row_that_it_does_not_show(store: SqlStore, sort: str) -> None:
    """Among 100,000 people that is the difference between half a second and a few hundredths."""
    seen: list[tuple[str, Any]] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    async with store.read() as tx:
        await tx.users.page(UserFilter("hopper", status=UserStatus.ACTIVE), sort, PageRequest())
    statement, parameters = next((s, p) for s, p in seen if s.startswith("SELECT"))
    with sqlite3.connect(store.engine.url.database or "") as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert any(step.startswith("SCAN users USING COVERING INDEX ix_users_by_") for step in steps), steps
    assert not any(step == "SCAN users" for step in steps), steps


async def test_somebody_who_only_calls_models_is_active_too(store: SqlStore) -> None:
    """The console and any of the keys count, whichever was last."""
    hour = timedelta(hours=1)
    people = [
        replace(PEOPLE[0], id="console", email="a@x.example", last_active_at=NOW),
        replace(PEOPLE[0], id="caller", email="b@x.example"),
        replace(PEOPLE[0], id="both", email="c@x.example", last_active_at=NOW),
        replace(PEOPLE[0], id="neither", email="d@x.example"),
    ]
    uses = [("k1", "caller", NOW - hour), ("k2", "caller", NOW - 2 * hour), ("k3", "both", NOW + hour)]
    async with store.write() as tx:
        for user in people:
            await tx.users.add(user)
        for key_id, owner, at in uses:
            await tx.keys.add(ApiKey(key_id, key_id, owner, "", "sg_", "hash", NOW, last_used_at=at))
        await tx.keys.add(ApiKey("k4", "k4", "neither", "", "sg_", "hash", NOW))
    expected = {"console": NOW, "caller": NOW - hour, "both": NOW + hour, "neither": None}
    async with store.read() as tx:
        page = await tx.users.page(UserFilter(), "name_asc", PageRequest())
        assert {user.id: user.last_active_at for user, _ in page.items} == expected
        found = await tx.users.get_many(list(expected))
        assert {user.id: user.last_active_at for user in found.values()} == expected
