"""What provider models cost, and from when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, exists, insert, select

from sluicegate.domain.price_list import PriceClass, PriceList
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.catalog import PRICE_LISTS

_LATER = PRICE_LISTS.alias("later")
Lists = dict[str, list[PriceList]]


def price_list_value(row: Row[Any]) -> PriceList:
    tiers = (
        LongContext(int(tier["above"]), Prices(*(tier.get(name) for name in PriceClass)))
        for tier in row.long_context or ()
    )
    prices = Prices(*(getattr(row, f"price_{name}") for name in PriceClass), long_context=tuple(tiers))
    return to_value(PriceList, row, prices=prices)


def lists_by_model(rows: Iterable[Row[Any]]) -> Lists:
    """Oldest first. Ids grow, so of two that start at one instant the later one counts."""
    found: Lists = {}
    for row in sorted(rows, key=lambda row: (row.starts_at, row.id)):
        found.setdefault(row.provider_model_id, []).append(price_list_value(row))
    return found


def current_and_coming(at: datetime) -> Select[Any]:
    """The lists in force at that time, and all that start later."""
    superseded = exists().where(
        _LATER.c.provider_model_id == PRICE_LISTS.c.provider_model_id,
        _LATER.c.starts_at > PRICE_LISTS.c.starts_at,
        _LATER.c.starts_at <= at,
    )
    return select(PRICE_LISTS).where(~superseded)


class SqlPriceListRepository:
    """Implements ports.store.PriceListRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get_many(self, ids: Sequence[str]) -> dict[str, PriceList]:
        rows = await self._connection.execute(select(PRICE_LISTS).where(PRICE_LISTS.c.id.in_(ids)))
        return {row.id: price_list_value(row) for row in rows}

    async def add(self, made: PriceList) -> None:
        await self._connection.execute(insert(PRICE_LISTS).values(columns_of(made)))

    async def delete(self, list_id: str) -> None:
        await self._connection.execute(delete(PRICE_LISTS).where(PRICE_LISTS.c.id == list_id))


def columns_of(made: PriceList) -> dict[str, Any]:
    plain = {name: getattr(made, name) for name in made.__dataclass_fields__ if name != "prices"}
    tiers = [
        {"above": tier.above} | {name.value: getattr(tier.prices, name) for name in PriceClass}
        for tier in made.prices.long_context
    ]
    plain["long_context"] = tiers or None
    return plain | {f"price_{name}": getattr(made.prices, name) for name in PriceClass}
