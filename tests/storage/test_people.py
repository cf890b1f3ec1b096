"""People as the database finds them: searched, filtered, in order, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.cursor import encode_cursor
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import PageRequest, UserFilter
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.repositories import search, users
from storage.databases import sync_engine
from storage.records import NOW

NAMES = ["Zoë", "ada", "Bo 100%", "bo_2", "", "Ada", 'Jo "Jo" O\'Hara']
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
    UserFilter('jo "'),
    UserFilter('"jo" o\'h', role=Role.ADMIN),
    UserFilter("0%"),
    UserFilter("*"),
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


@pytest.fixture(params=["few", "many", "no trigrams"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """How a search is answered: by trigrams, in the order of the list because many match, or so because it must."""
    if request.param == "many":
        monkeypatch.setattr(search, "FEW", 1)
    if request.param == "no trigrams":
        with sync_engine(database_url) as engine, engine.begin() as connection:
            if engine.name == "sqlite":
                for what in ("added", "changed", "removed"):
                    connection.execute(text(f"DROP TRIGGER user_search_{what}"))
                connection.execute(text("DROP TABLE user_search"))
            else:
                connection.execute(text("DROP EXTENSION pg_trgm CASCADE"))
    return request.param


@pytest.mark.usefixtures("way")
async def test_every_search_gives_who_matches_once_and_in_order(store: SqlStore) -> None:
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
    for where, sort in product(FILTERS, SORTS):
        found = await everybody(store, where, sort)
        expected = [user for user in PEOPLE if matches(user, where)]
        if store.engine.dialect.name == "sqlite":
            expected.sort(key=lambda user: position(user, sort), reverse=sort.endswith("desc"))
            assert found == expected
        else:
            # PostgreSQL sorts names by its own alphabet.
            assert sorted(u.id for u in found) == sorted(u.id for u in expected)


async def test_who_has_another_name_or_is_gone_is_found_so(store: SqlStore) -> None:
    async def found(term: str) -> list[str]:
        async with store.read() as tx:
            page = await tx.users.page(UserFilter(term), "name_asc", PageRequest())
        return [user.id for user, _ in page.items]

    ada, ida = (User(i, f"{i}@lab.example", "", Role.MEMBER, UserStatus.ACTIVE, NOW) for i in ("ada", "ida"))
    async with store.write() as tx:
        await tx.users.add(ada)
        await tx.users.add(ida)
    assert await found("lab.example") == ["ada", "ida"]

    async with store.write() as tx:
        await tx.users.update("ada", name="Countess")
        await tx.users.update("ida", email="ida@shop.example")
    assert await found("COUNT") == await found("ada@") == ["ada"]
    assert await found("lab.example") == ["ada"]
    assert await found("shop.example") == ["ida"]

    with pytest.raises(InvalidInput):
        await rename_to_nothing(store)
    assert await found("nobody") == []

    async with store.write() as tx:
        await tx.users.delete("ada")
    assert await found("countess") == await found("ada@") == []
    async with store.write() as tx:
        await tx.users.add(ada)
    assert await found("countess") == []
    assert await found("ada@lab") == ["ada"]


async def rename_to_nothing(store: SqlStore) -> None:
    async with store.write() as tx:
        await tx.users.update("ada", name="Nobody")
        raise InvalidInput("name", "is not what it should be")


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
async def test_trigrams_go_with_what_they_are_of(store: SqlStore) -> None:
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
            await tx.keys.add(ApiKey(user.id, user.id, user.id, "Laptop", f"sg_{user.id}", "", NOW))
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.update(user.id, name="Somebody")
            await tx.users.delete(user.id)
    async with store.engine.connect() as connection:
        for name in ("user", "key"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {name}_search_rows")) == 0
            for term in ("example", "somebody", "laptop", "sg_"):
                matching = text(f"SELECT count(*) FROM {name}_search WHERE {name}_search MATCH :term")
                assert await connection.scalar(matching, {"term": f'"{term}"'}) == 0


async def test_members_of_a_group_are_found_whatever_its_size(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {user.id for user in PEOPLE[::2]}
    async with store.write() as tx:
        for user in PEOPLE:
            await tx.users.add(user)
        for group_id in ("g1", "g2", "g3"):
            await tx.groups.add(Group(group_id, group_id, "", NOW))
        await tx.groups.add_members("g1", sorted(members))
        await tx.groups.add_members("g2", [user.id for user in PEOPLE])
    for large, sort in product((1, 100), SORTS):
        monkeypatch.setattr(users, "_LARGE_GROUP", large)
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
