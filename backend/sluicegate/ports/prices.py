"""What the store keeps of prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sluicegate.domain.price_catalog import PriceCatalog
from sluicegate.domain.price_list import PriceList


class PriceListRepository(Protocol):
    """Price lists by themselves; models come with theirs."""

    async def get_many(self, ids: Sequence[str]) -> dict[str, PriceList]: ...
    async def add(self, made: PriceList) -> None: ...
    async def delete(self, list_id: str) -> None:
        """Only for one that has not started: others are history."""
        ...


class CatalogSource(Protocol):
    def load(self) -> PriceCatalog:
        """The price catalogue in use; raises InvalidInput for one that cannot be read."""
        ...
