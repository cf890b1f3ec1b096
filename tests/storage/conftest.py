"""Databases to try the storage layer on: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from sluicegate.domain.policy import PolicyChange
from sluicegate.kit.clock import ManualClock
from sluicegate.storage.engine import SqlStore, make_engine
from sluicegate.storage.engine import database_url as async_url
from storage.records import NOW


@pytest.fixture
def database_url(migrated_url: str) -> str:
    return migrated_url


class Changes:
    """A change feed that remembers."""

    def __init__(self) -> None:
        self.published: list[PolicyChange] = []

    def subscribe(self, listener: Callable[[Sequence[PolicyChange]], Awaitable[None]]) -> None:
        raise AssertionError("nobody listens here")

    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        self.published += changes


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def store(database_url: str, changes: Changes) -> AsyncIterator[SqlStore]:
    engine = make_engine(async_url(database_url))
    store = SqlStore(engine, changes, ManualClock(NOW))
    yield store
    await store.aclose()
