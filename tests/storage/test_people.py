"""People as the database finds them: searched, filtered, in order, page by page."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.cursor import encode_cursor
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import PageRequest, UserFilter
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.repositories import users
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
        NOW + timedelta(hours=n // 3) if n % 3 else None,
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


SORTS = [f"{name}_{way}" for name in ("name", "created", "last_active", "role", "status") for way in ("asc", "desc")]
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def position(user: User, sort: str) -> tuple[Any, ...]:
    name = (user.name or user.email).lower()
    return {
        "name": (name, user.id),
        "created": (user.created_at, user.id),
        "last_active": (user.last_active_at or NEVER, user.id),
        "role": (user.role.value, name, user.id),
        "status": (user.status.value, name, user.id),
    }[sort.rpartition("_")[0]]


async def everybody(store: SqlStore, where: UserFilter, sort: str) -> list[User]:
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
    return found


@pytest.mark.parametrize("sort", SORTS)
async def test_every_search_gives_who_matches_once_and_in_order(store: SqlStore, sort: str) -> None:
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
    for where in FILTERS:
        found = await everybody(store, where, sort)
        expected = [user for user in PEOPLE if matches(user, where)]
        if store.engine.dialect.name == "sqlite":
            expected.sort(key=lambda user: position(user, sort), reverse=sort.endswith("desc"))
            assert found == expected
        else:
            # PostgreSQL sorts names by its own alphabet.
            assert sorted(u.id for u in found) == sorted(u.id for u in expected)


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sort", SORTS)
async def test_a_search_reads_no_row_that_it_does_not_show(store: SqlStore, sort: str) -> None:
    """Among 100,000 people that is the difference between half a second and a few hundredths."""
    seen: list[tuple[str, Any]] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    async with store.read() as tx:
        await tx.users.page(UserFilter("hopper", status=UserStatus.ACTIVE), sort, PageRequest())
    statement, parameters = next((s, p) for s, p in seen if s.startswith("SELECT"))
    with sqlite3.connect(store.engine.url.database or "") as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert any("users USING COVERING INDEX ix_users_by_" in step for step in steps), steps
    assert not any(step == "SCAN users" for step in steps), steps


@pytest.mark.parametrize("large", [1, 100], ids=["large", "small"])
@pytest.mark.parametrize("sort", SORTS)
async def test_members_of_a_group_are_found_whatever_its_size(
    store: SqlStore, sort: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "_LARGE_GROUP", large)
    members = {user.id for user in PEOPLE[::2]}
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
        for group_id in ("g1", "g2", "g3"):
            await tx.groups.add(Group(group_id, group_id, "", NOW))
        await tx.groups.add_members("g1", sorted(members))
        await tx.groups.add_members("g2", [user.id for user in PEOPLE])
    assert {user.id for user in await everybody(store, UserFilter(group_id="g1"), sort)} == members
    assert await everybody(store, UserFilter(group_id="g3"), sort) == []
    ada = await everybody(store, UserFilter("ada", group_id="g1"), sort)
    assert {user.id for user in ada} == {
        user.id for user in PEOPLE if user.id in members and "ada" in user.name.lower()
    }


@pytest.mark.parametrize("sort", ["role_asc", "status_asc", "last_active_asc", "name_asc"])
async def test_a_cursor_of_another_list_is_refused(store: SqlStore, sort: str) -> None:
    for values in (["king", "name", "id"], [None, "id"], ["x", "id"], [2**70, "id"], [1, 2, 3]):
        async with store.read() as tx:
            if sort == "name_asc" and values == ["x", "id"]:
                continue
            with pytest.raises(InvalidInput, match="not a cursor of this list"):
                await tx.users.page(UserFilter(), sort, PageRequest(4, encode_cursor(values)))
