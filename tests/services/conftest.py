"""Services over a real database: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from fakes.identity import Site, site_at
from sluicegate.kit import crypto


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """How hard a password is to hash is nothing that these tests ask; how often they hash is a lot."""
    monkeypatch.setattr(crypto, "_PASSWORD_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
async def site(fresh_url: str) -> AsyncIterator[Site]:
    async with site_at(fresh_url) as made:
        yield made
