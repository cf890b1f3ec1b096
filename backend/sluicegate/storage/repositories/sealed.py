"""Everything that is stored sealed, whatever table it is in."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Column, CursorResult, Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.storage.repositories.rows import table_of
from sluicegate.storage.tables.alerts import WebhookRow
from sluicegate.storage.tables.catalog import ProviderRow
from sluicegate.storage.tables.mail import MailRow
from sluicegate.storage.tables.sso import SsoSettingsRow

# By the first part of the place that the seal is bound to, in the order in which they are gone through.
SEALED: dict[str, tuple[Table, str]] = {
    "mail": (table_of(MailRow), "sealed"),
    "provider": (table_of(ProviderRow), "sealed_credential"),
    "provider-headers": (table_of(ProviderRow), "sealed_headers"),
    "sso": (table_of(SsoSettingsRow), "sealed_secret"),
    "webhook": (table_of(WebhookRow), "sealed_secret"),
}


class SqlSealedRepository:
    """Implements ports.store.SealedRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def after(self, place: str, limit: int) -> list[tuple[str, str]]:
        reached, _, last = place.partition(":")
        found: list[tuple[str, str]] = []
        for kind, (table, name) in SEALED.items():
            if kind < reached or len(found) == limit:
                continue
            text: Column[Any] = table.c[name]
            rows = await self._session.execute(
                select(table.c.id, text)
                .where(text.is_not(None), table.c.id > (last if kind == reached else ""))
                .order_by(table.c.id)
                .limit(limit - len(found))
            )
            found += [(f"{kind}:{identity}", sealed) for identity, sealed in rows]
        return found

    async def replace(self, place: str, old: str, new: str) -> bool:
        kind, _, identity = place.partition(":")
        table, name = SEALED[kind]
        statement = update(table).where(table.c.id == identity, table.c[name] == old).values({name: new})
        done = cast("CursorResult[Any]", await self._session.execute(statement))
        return done.rowcount == 1
