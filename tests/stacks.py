"""What the servers of tests are built on: `SLUICEGATE_TEST_STACK` is `embedded` (SQLite and memory) or `shared`
(PostgreSQL and Redis).

A test asks `current()` for a database and makes its servers with the `settings` that come with it, so that the same
test runs on both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from psycopg.sql import Composable
from redis import Redis

from databases import PostgresTemplate, restorable_postgres, sqlite_database
from sluicegate.adapters.redis import RedisOptions, Side
from sluicegate.storage import migrate

VARIABLE = "SLUICEGATE_TEST_STACK"
NAMES = ("embedded", "shared")
SHARED = os.environ.get(VARIABLE, NAMES[0]) == "shared"
# For tests that ask for a database alone.
DATABASES = ("postgres",) if SHARED else ("sqlite", "postgres")
# A loaded machine is no Redis that is away, and nobody else has records that one would have to wait for.
_PATIENCE = 20.0
_OPTIONS = partial(RedisOptions, patience=_PATIENCE, grace=0.0)


class Stack(Protocol):
    @property
    def settings(self) -> dict[str, str]:
        """Of a server that uses what was asked for last, beside its data folder."""
        ...

    def empty(self, folder: Path) -> str:
        """The URL of a database with today's schema and no rows, which servers with this data folder use."""
        ...

    def counters(self) -> None:
        """Servers with the settings from now on count from nothing."""
        ...


class Embedded:
    settings: dict[str, str] = {}  # noqa: RUF012 - nobody adds to it

    def empty(self, folder: Path) -> str:
        return sqlite_database(folder / "sluicegate.db")

    def counters(self) -> None:
        """Every server counts in a memory of its own."""


class Shared:
    """For one worker: databases beside `near`, each kept for as long as `stack` is open. Every database that is asked
    for comes with counters of its own, and ends what was connected to the one before."""

    def __init__(self, near: str, redis_url: str, stack: ExitStack) -> None:
        self._near = near
        self._redis_url = redis_url
        self._stack = stack
        self._templates: dict[str, PostgresTemplate] = {}
        self._prefixes: list[str] = []
        self.settings: dict[str, str] = {}

    @contextmanager
    def one_test(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sluicegate.adapters.redis.admission.RedisOptions", _OPTIONS)
            patch.setattr("sluicegate.adapters.redis.shared.Side", partial(Side, patience=_PATIENCE))
            yield
        if self._prefixes:
            with Redis.from_url(self._redis_url) as client:
                for prefix in self._prefixes:
                    for key in client.scan_iter(f"{{{prefix}}}:*", count=10_000):
                        client.delete(key)
        self._prefixes.clear()
        self.settings.clear()

    def empty(self, folder: Path) -> str:
        return self.furnished("empty", migrate.upgrade)

    def furnished(self, name: str, make: Callable[[str], object], more: Composable | None = None) -> str:
        """As `empty`, with what `make` writes into an empty database, for which `name` stands, and what `more` does."""
        template = self._templates.get(name)
        if template is None:
            template = self._stack.enter_context(restorable_postgres(self._near, name, make))
            self._templates[name] = template
        self.counters()
        self.settings["database_url"] = template.restored(more)
        return self.settings["database_url"]

    def counters(self) -> None:
        self._prefixes.append(f"test-{uuid4().hex}")
        self.settings.update(redis_url=self._redis_url, redis_prefix=self._prefixes[-1])


_embedded = Embedded()
_current: Shared | None = None


def current() -> Stack:
    return _current or _embedded


def shared() -> Shared | None:
    """The present stack, if it is that."""
    return _current


def use(stack: Shared | None) -> None:
    global _current
    _current = stack
