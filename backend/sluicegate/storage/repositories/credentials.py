"""Gateway keys and automation tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, not_, or_, select, update

from sluicegate.domain.apikey import ApiKey, AutomationToken, TokenScope
from sluicegate.ports.pages import KeyFilter, KeyState, Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import Trigrams, named_like
from sluicegate.storage.repositories.users import SEARCHED as PEOPLE
from sluicegate.storage.tables.credentials import KEYS, TOKENS
from sluicegate.storage.tables.identity import USERS

_SEARCHED = Trigrams("key_search", KEYS.c.id, (func.lower(KEYS.c.name), func.lower(KEYS.c.prefix)))


def key_value(row: Row[Any]) -> ApiKey:
    return to_value(ApiKey, row, model_ids=None if row.model_ids is None else tuple(row.model_ids))


class SqlKeyRepository:
    """Implements ports.credentials.KeyRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, key_id: str) -> ApiKey | None:
        return (await self.get_many([key_id])).get(key_id)

    async def get_many(self, ids: Sequence[str]) -> dict[str, ApiKey]:
        rows = await self._connection.execute(select(KEYS).where(KEYS.c.id.in_(ids)))
        return {row.id: key_value(row) for row in rows}

    async def page_of(self, user_id: str, page: PageRequest) -> Page[ApiKey]:
        statement = paged(select(KEYS).where(KEYS.c.user_id == user_id), page, KEYS.c.id, descending=True)
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, key_value, lambda row: [row.id])

    async def count_of(self, user_id: str) -> int:
        return await self._connection.scalar(select(func.count(KEYS.c.id)).where(KEYS.c.user_id == user_id)) or 0

    async def page(self, where: KeyFilter, page: PageRequest) -> Page[ApiKey]:
        statement = paged(select(KEYS).where(*await self._matches(where)), page, KEYS.c.id, descending=True)
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, key_value, lambda row: [row.id])

    async def count(self, where: KeyFilter) -> int:
        return await self._connection.scalar(select(func.count(KEYS.c.id)).where(*await self._matches(where))) or 0

    async def _matches(self, where: KeyFilter) -> list[ColumnElement[bool]]:
        """Keys whose own name or beginning has the text in it, or whose owner's name or e-mail."""
        if not where.search or not where.search.strip():
            return _states(where)
        own = await _SEARCHED.few(self._connection, where.search) or named_like(
            self._connection, where.search, *_SEARCHED.columns
        )
        owner = await PEOPLE.few(self._connection, where.search) or named_like(
            self._connection, where.search, *PEOPLE.columns
        )
        return [*_states(where), or_(*own, KEYS.c.user_id.in_(select(USERS.c.id).where(*owner)))]

    async def of_users(self, user_ids: Sequence[str]) -> dict[str, list[ApiKey]]:
        statement = select(KEYS).where(KEYS.c.user_id.in_(user_ids)).order_by(KEYS.c.id.desc())
        found: dict[str, list[ApiKey]] = {user_id: [] for user_id in user_ids}
        for row in await self._connection.execute(statement):
            found[row.user_id].append(key_value(row))
        return found

    async def by_public_id(self, public_id: str) -> ApiKey | None:
        either = or_(KEYS.c.public_id == public_id, KEYS.c.previous_public_id == public_id)
        row = (await self._connection.execute(select(KEYS).where(either))).first()
        return key_value(row) if row else None

    async def add(self, key: ApiKey) -> None:
        await self._connection.execute(insert(KEYS).values(asdict(key)))

    async def update(self, key_id: str, **values: Any) -> None:
        if values:
            await self._connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(**values))

    async def revoke(self, key_id: str, at: datetime) -> None:
        statement = update(KEYS).where(KEYS.c.id == key_id, KEYS.c.revoked_at.is_(None)).values(revoked_at=at)
        await self._connection.execute(statement)


def _states(where: KeyFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if where.state is KeyState.REVOKED:
        return [*conditions, KEYS.c.revoked_at.is_not(None)]
    if where.state is not None:
        ended = KEYS.c.expires_at <= where.now
        conditions.append(KEYS.c.revoked_at.is_(None))
        conditions.append(ended if where.state is KeyState.EXPIRED else or_(KEYS.c.expires_at.is_(None), not_(ended)))
    if where.state is KeyState.STALE:
        conditions.append(func.coalesce(KEYS.c.last_used_at, KEYS.c.created_at) < where.stale_before)
    return conditions


class SqlTokenRepository:
    """Implements ports.credentials.TokenRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, token_id: str) -> AutomationToken | None:
        row = (await self._connection.execute(select(TOKENS).where(TOKENS.c.id == token_id))).first()
        return _token(row) if row else None

    async def by_digest(self, digest: str) -> AutomationToken | None:
        row = (await self._connection.execute(select(TOKENS).where(TOKENS.c.token_digest == digest))).first()
        return _token(row) if row else None

    async def of_user(self, user_id: str) -> list[AutomationToken]:
        statement = select(TOKENS).where(TOKENS.c.user_id == user_id).order_by(TOKENS.c.id.desc())
        return [_token(row) for row in await self._connection.execute(statement)]

    async def add(self, token: AutomationToken) -> None:
        scopes = [scope.value for scope in token.scopes]
        await self._connection.execute(insert(TOKENS).values(asdict(token) | {"scopes": scopes}))

    async def revoke(self, token_id: str, at: datetime) -> bool:
        statement = update(TOKENS).where(TOKENS.c.id == token_id, TOKENS.c.revoked_at.is_(None))
        return (await self._connection.execute(statement.values(revoked_at=at))).rowcount > 0

    async def touch(self, token_id: str, at: datetime) -> None:
        await self._connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(last_used_at=at))


def _token(row: Row[Any]) -> AutomationToken:
    return to_value(AutomationToken, row, scopes=tuple(TokenScope(scope) for scope in row.scopes))
