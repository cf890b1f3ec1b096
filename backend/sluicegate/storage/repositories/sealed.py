"""Everything that is stored sealed, whatever table it is in."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Column, CursorResult, Table, select, update

from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.tables.alerts import WEBHOOKS
from sluicegate.storage.tables.catalog import PROVIDERS
from sluicegate.storage.tables.mail import OUTBOX
from sluicegate.storage.tables.sso import SSO_SETTINGS

# By the first part of the place that the seal is bound to, in the order in which they are gone through.
SEALED: dict[str, tuple[Table, str]] = {
    "mail": (OUTBOX, "sealed"),
    "provider": (PROVIDERS, "sealed_credential"),
    "provider-headers": (PROVIDERS, "sealed_headers"),
    "sso": (SSO_SETTINGS, "sealed_secret"),
    "webhook": (WEBHOOKS, "sealed_secret"),
}


class SqlSealedRepository:
    """Implements ports.store.SealedRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def after(self, place: str, limit: int) -> list[tuple[str, str]]:
        reached, _, last = place.partition(":")
        found: list[tuple[str, str]] = []
        for kind, (table, name) in SEALED.items():
            if kind < reached or len(found) == limit:
                continue
            text: Column[Any] = table.c[name]
            rows = await self._connection.execute(
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
        done = cast("CursorResult[Any]", await self._connection.execute(statement))
        return done.rowcount == 1
