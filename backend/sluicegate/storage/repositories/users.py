"""People."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, delete, func, insert, select, update

from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import Page, PageRequest, UserFilter
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.instants import from_micros, to_micros
from sluicegate.storage.repositories.paging import paged, parts, portions, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import Trigrams, is_many, is_sqlite, named_like
from sluicegate.storage.repositories.subjects import delete_policy_of
from sluicegate.storage.tables.credentials import KEYS
from sluicegate.storage.tables.identity import MEMBERSHIPS, USERS

# `sort_name` is the name in lower case, also for letters that SQLite's own lower() leaves alone.
SEARCHED = Trigrams("user_search", USERS.c.id, (USERS.c.sort_name, USERS.c.email))
_LARGE_GROUP = 2000


class _Part(NamedTuple):
    """A column that people are sorted by, and how a cursor holds its value."""

    column: Column[Any]
    write: Callable[[Row[Any]], str | int]
    read: Callable[[object], Any] | None = None


def _one_of(values: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return values(value)
        except ValueError:
            raise InvalidInput("after", "is not a cursor of this list; start again without it") from None

    return read


_ID = _Part(USERS.c.id, lambda row: row.id)
_NAME = _Part(USERS.c.sort_name, lambda row: row.sort_name)
_CREATED = _Part(USERS.c.created_at, lambda row: to_micros(row.created_at), from_micros)
_ACTIVE = _Part(
    USERS.c.last_active_at, lambda row: to_micros(row.last_active_at) if row.last_active_at else 0, from_micros
)
_ROLE = _Part(USERS.c.role, lambda row: row.role.value, _one_of(Role))
_STATUS = _Part(USERS.c.status, lambda row: row.status.value, _one_of(UserStatus))
# Each has an index of its own, see tables.identity.
_SORTS = {
    "name": (_NAME, _ID),
    "created": (_CREATED, _ID),
    "last_active": (_ACTIVE, _ID),
    "role": (_ROLE, _NAME, _ID),
    "status": (_STATUS, _NAME, _ID),
}


class SqlUserRepository:
    """Implements ports.store.UserRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: str) -> User | None:
        return (await self.get_many([user_id])).get(user_id)

    async def locked(self, user_id: str) -> User | None:
        await self._connection.execute(select(USERS.c.id).where(USERS.c.id == user_id).with_for_update())
        return await self.get(user_id)

    async def kept(self, user_id: str) -> User | None:
        here = select(USERS.c.id).where(USERS.c.id == user_id)
        await self._connection.execute(here.with_for_update(read=True, key_share=True))
        return await self.get(user_id)

    async def get_many(self, ids: Sequence[str]) -> dict[str, User]:
        rows = await self._connection.execute(select(USERS).where(USERS.c.id.in_(ids)))
        return {row.id: to_value(User, row) for row in rows}

    async def by_email(self, email: str) -> User | None:
        return (await self.by_emails([email])).get(email)

    async def by_emails(self, emails: Sequence[str]) -> dict[str, User]:
        rows = await self._connection.execute(select(USERS).where(USERS.c.email.in_(emails)))
        return {row.email: to_value(User, row) for row in rows}

    async def page(self, where: UserFilter, sort: str, page: PageRequest) -> Page[User]:
        (found,) = await self.pages([(where, page)], sort)
        return found

    async def pages(self, lists: Sequence[tuple[UserFilter, PageRequest]], sort: str) -> list[Page[User]]:
        name, _, way = sort.rpartition("_")
        if name not in _SORTS or way not in ("asc", "desc"):
            known = ", ".join(f"{name}_asc, {name}_desc" for name in _SORTS)
            raise InvalidInput("sort", f"must be one of {known}")
        columns = _SORTS[name]
        order = [part.column.desc() if way == "desc" else part.column.asc() for part in columns]
        found: list[Page[User]] = []
        for some in portions(lists):
            rows: list[list[Row[Any]]] = [[] for _ in some]
            conditions = await self._conditions([where for where, _ in some], name)
            # The ids alone come from an index that holds all that is searched; only rows of these pages are read whole.
            ids = parts(
                [
                    paged(
                        select(USERS.c.id).where(*matching),
                        page,
                        *(part.column for part in columns),
                        descending=way == "desc",
                        read=[part.read for part in columns],
                    )
                    for matching, (_, page) in zip(conditions, some, strict=True)
                ]
            )
            statement = select(ids.c.part, USERS).join(USERS, USERS.c.id == ids.c.value)
            for row in await self._connection.execute(statement.order_by(ids.c.part, *order)):
                rows[row.part].append(row)
            found += [
                to_page(
                    of_one, page, lambda row: to_value(User, row), lambda row: [part.write(row) for part in columns]
                )
                for of_one, (_, page) in zip(rows, some, strict=True)
            ]
        return found

    async def count(self, where: UserFilter) -> int:
        (found,) = await self.counts([where])
        return found

    async def counts(self, filters: Sequence[UserFilter]) -> list[int]:
        found: list[int] = []
        for some in portions(filters):
            wholes = [where == UserFilter(group_id=where.group_id) and where.group_id is not None for where in some]
            searched = [where for where, whole in zip(some, wholes, strict=True) if not whole]
            conditions = iter(await self._conditions(searched, "name"))
            totals = parts(
                [
                    select(func.count()).where(MEMBERSHIPS.c.group_id == where.group_id)
                    if whole
                    else select(func.count(USERS.c.id)).where(*next(conditions))
                    for where, whole in zip(some, wholes, strict=True)
                ]
            )
            rows = await self._connection.execute(select(totals.c.value).order_by(totals.c.part))
            found += [row.value for row in rows]
        return found

    async def _conditions(self, filters: Sequence[UserFilter], sort: str) -> list[list[ColumnElement[bool]]]:
        alike = {where: replace(where, group_id=None) for where in filters}
        matching = {where: await self._matches(where, sort) for where in dict.fromkeys(alike.values())}
        large = await self._large_groups({where.group_id for where in filters if where.group_id is not None})
        return [[*matching[alike[where]], *_members(where.group_id, large)] for where in filters]

    async def _matches(self, where: UserFilter, sort: str) -> list[ColumnElement[bool]]:
        """Few whose name, role or status is looked for are found by it, and sorted; where they are many, people are
        asked in the order of the list. PostgreSQL knows how many there are; for SQLite it is found out here."""
        few = await SEARCHED.few(self._connection, where.search)
        conditions = named_like(self._connection, where.search, *SEARCHED.columns) if few is None else few
        for column, value in ((USERS.c.role, where.role), (USERS.c.status, where.status)):
            if value is not None:
                by_index = few is None and (
                    sort in ("name", column.name)
                    or not is_sqlite(self._connection)
                    or not await is_many(self._connection, select(USERS.c.id).where(column == value))
                )
                # No planner takes an index for what is wrapped.
                conditions.append((column if by_index else func.coalesce(column, column)) == value)
        return conditions

    async def _large_groups(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        groups = list(ids)
        members = [select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.group_id == group) for group in groups]
        some = parts([select(func.count()).select_from(one.limit(_LARGE_GROUP).subquery()) for one in members])
        rows = await self._connection.execute(select(some).where(some.c.value >= _LARGE_GROUP))
        return {groups[row.part] for row in rows}

    async def add(self, user: User) -> None:
        await self._connection.execute(insert(USERS).values(asdict(user) | {"sort_name": _sort_name(user)}))

    async def update(self, user_id: str, **values: Any) -> None:
        if not values:
            return
        await self._connection.execute(update(USERS).where(USERS.c.id == user_id).values(**values))
        if "name" in values or "email" in values:
            user = await self.get(user_id)
            if user is not None:
                sorted_by = {"sort_name": _sort_name(user)}
                await self._connection.execute(update(USERS).where(USERS.c.id == user_id).values(sorted_by))

    async def delete(self, user_id: str) -> None:
        # After whoever sets something for the user at this moment, so that it goes, too.
        await self.locked(user_id)
        keys = list(await self._connection.scalars(select(KEYS.c.id).where(KEYS.c.user_id == user_id)))
        await delete_policy_of(self._connection, SubjectKind.KEY, keys)
        await delete_policy_of(self._connection, SubjectKind.USER, [user_id])
        # Keys, sessions, links, tokens and memberships go with the row they refer to.
        await self._connection.execute(delete(USERS).where(USERS.c.id == user_id))

    async def password_hash(self, user_id: str) -> str | None:
        hashed: str | None = await self._connection.scalar(select(USERS.c.password_hash).where(USERS.c.id == user_id))
        return hashed

    async def set_password_hash(self, user_id: str, hashed: str) -> None:
        await self._connection.execute(update(USERS).where(USERS.c.id == user_id).values(password_hash=hashed))

    async def lock_active_admins(self) -> list[str]:
        # SQLite leaves FOR UPDATE out: its writers wait for each other anyway. The order keeps two from deadlocking.
        statement = (
            select(USERS.c.id)
            .where(USERS.c.role == Role.ADMIN, USERS.c.status == UserStatus.ACTIVE)
            .order_by(USERS.c.id)
            .with_for_update()
        )
        return list(await self._connection.scalars(statement))


def _members(group_id: str | None, large: Collection[str]) -> list[ColumnElement[bool]]:
    """A small group is quickest gone through member by member; else it is people in their order who are asked whether
    they belong to it. SQLite does not find that out by itself."""
    if group_id is None:
        return []
    members = select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id == group_id)
    if group_id not in large:
        return [USERS.c.id.in_(members)]
    return [members.where(MEMBERSHIPS.c.user_id == USERS.c.id).exists()]


def _sort_name(user: User) -> str:
    return (user.name or user.email).lower()
