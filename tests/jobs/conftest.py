"""Several processes' view of one database, each with an engine of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from fakes.identity import RecordingFeed, Site, site_at
from sluicegate.storage.engine import SqlStore, database_url, make_engine


@pytest.fixture
async def site(migrated_url: str) -> AsyncIterator[Site]:
    async with site_at(migrated_url) as made:
        yield made


@pytest.fixture
async def another_store(migrated_url: str, site: Site) -> AsyncIterator[Callable[[], SqlStore]]:
    """Makes stores as further processes would have them."""
    made: list[SqlStore] = []

    def make() -> SqlStore:
        store = SqlStore(make_engine(database_url(migrated_url)), RecordingFeed(), site.clock)
        made.append(store)
        return store

    yield make
    for store in made:
        await store.aclose()
