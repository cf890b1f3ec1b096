"""People."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.cursor import CursorValues
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import Page, PageRequest, UserFilter
from sluicegate.storage.repositories.instants import from_micros, to_micros
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import like_pattern, table_of, to_value
from sluicegate.storage.repositories.subjects import delete_policy_of
from sluicegate.storage.tables.credentials import ApiKeyRow
from sluicegate.storage.tables.identity import MembershipRow, UserRow

_USERS = table_of(UserRow)
_MEMBERSHIPS = table_of(MembershipRow)
_KEYS = table_of(ApiKeyRow)
# People with the last use of any of their keys: many call models every day and never open the console.
_SEEN = select(
    _USERS,
    select(func.max(_KEYS.c.last_used_at)).where(_KEYS.c.user_id == _USERS.c.id).scalar_subquery().label("called_at"),
)
_SORTS = {"name_asc": False, "name_desc": True, "created_asc": False, "created_desc": True}


class SqlUserRepository:
    """Implements ports.store.UserRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user_id: str) -> User | None:
        return (await self.get_many([user_id])).get(user_id)

    async def locked(self, user_id: str) -> User | None:
        row = (await self._session.execute(select(_USERS).where(_USERS.c.id == user_id).with_for_update())).first()
        return to_value(User, row) if row else None

    async def get_many(self, ids: Sequence[str]) -> dict[str, User]:
        rows = await self._session.execute(_SEEN.where(_USERS.c.id.in_(ids)))
        return {row.id: _seen(row) for row in rows}

    async def by_email(self, email: str) -> User | None:
        row = (await self._session.execute(select(_USERS).where(_USERS.c.email == email))).first()
        return to_value(User, row) if row else None

    async def page(self, where: UserFilter, sort: str, page: PageRequest) -> Page[User]:
        if sort not in _SORTS:
            raise InvalidInput("sort", f"must be one of {', '.join(_SORTS)}")
        by_name = sort.startswith("name")
        column = _USERS.c.sort_name if by_name else _USERS.c.created_at

        def position(row: Row[Any]) -> CursorValues:
            return [row.sort_name if by_name else to_micros(row.created_at), row.id]

        # The ids alone come from an index that holds all that is searched; only the rows of this page are read whole.
        ids = paged(
            select(_USERS.c.id).where(*_matches(where)),
            page,
            column,
            _USERS.c.id,
            descending=_SORTS[sort],
            read=(None if by_name else from_micros, None),
        )
        order = [key.desc() if _SORTS[sort] else key.asc() for key in (column, _USERS.c.id)]
        statement = _SEEN.where(_USERS.c.id.in_(ids.scalar_subquery())).order_by(*order)
        rows = (await self._session.execute(statement)).all()
        return to_page(rows, page, _seen, position)

    async def count(self, where: UserFilter) -> int:
        statement = select(func.count(_USERS.c.id)).where(*_matches(where))
        return await self._session.scalar(statement) or 0

    async def add(self, user: User) -> None:
        await self._session.execute(insert(_USERS).values(asdict(user) | {"sort_name": _sort_name(user)}))

    async def update(self, user_id: str, **values: Any) -> None:
        if not values:
            return
        await self._session.execute(update(_USERS).where(_USERS.c.id == user_id).values(**values))
        if "name" in values or "email" in values:
            user = await self.get(user_id)
            if user is not None:
                sorted_by = {"sort_name": _sort_name(user)}
                await self._session.execute(update(_USERS).where(_USERS.c.id == user_id).values(sorted_by))

    async def delete(self, user_id: str) -> None:
        keys = list(await self._session.scalars(select(_KEYS.c.id).where(_KEYS.c.user_id == user_id)))
        await delete_policy_of(self._session, SubjectKind.KEY, keys)
        await delete_policy_of(self._session, SubjectKind.USER, [user_id])
        # Keys, sessions, links, tokens and memberships go with the row they refer to.
        await self._session.execute(delete(_USERS).where(_USERS.c.id == user_id))

    async def password_hash(self, user_id: str) -> str | None:
        hashed: str | None = await self._session.scalar(select(_USERS.c.password_hash).where(_USERS.c.id == user_id))
        return hashed

    async def set_password_hash(self, user_id: str, hashed: str) -> None:
        await self._session.execute(update(_USERS).where(_USERS.c.id == user_id).values(password_hash=hashed))

    async def lock_active_admins(self) -> list[str]:
        # SQLite leaves FOR UPDATE out: its writers wait for each other anyway. The order keeps two from deadlocking.
        statement = (
            select(_USERS.c.id)
            .where(_USERS.c.role == Role.ADMIN, _USERS.c.status == UserStatus.ACTIVE)
            .order_by(_USERS.c.id)
            .with_for_update()
        )
        return list(await self._session.scalars(statement))


def _seen(row: Row[Any]) -> User:
    known = [at for at in (row.last_active_at, row.called_at) if at is not None]
    return to_value(User, row, last_active_at=max(known, default=None))


def _sort_name(user: User) -> str:
    return (user.name or user.email).lower()


def _matches(where: UserFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if where.search and where.search.strip():
        pattern = like_pattern(where.search)
        # `sort_name` is the name in lower case, also for letters that SQLite's own lower() leaves alone.
        conditions.append(or_(*(c.like(pattern, escape="\\") for c in (_USERS.c.sort_name, _USERS.c.email))))
    if where.role is not None:
        conditions.append(_USERS.c.role == where.role)
    if where.status is not None:
        conditions.append(_USERS.c.status == where.status)
    if where.group_id is not None:
        members = select(_MEMBERSHIPS.c.user_id).where(_MEMBERSHIPS.c.group_id == where.group_id)
        conditions.append(_USERS.c.id.in_(members))
    return conditions
