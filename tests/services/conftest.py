"""Services over a real database: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fakes.identity import Site, site_at


@pytest.fixture
async def site(fresh_url: str) -> AsyncIterator[Site]:
    async with site_at(fresh_url) as made:
        yield made
