"""A server for each test, over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fakes.identity import Site, site_at
from scim.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path, migrated_url: str) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, database_url=migrated_url) as opened:
        yield opened


@pytest.fixture
async def site(migrated_url: str) -> AsyncIterator[Site]:
    async with site_at(migrated_url) as made:
        yield made
