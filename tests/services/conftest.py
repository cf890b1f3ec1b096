"""Services over a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fakes.identity import Site, sqlite_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with sqlite_site(tmp_path) as made:
        yield made
