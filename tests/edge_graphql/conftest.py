"""Worlds to ask questions in, each a copy of one that is made once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from databases import PostgresTemplate, postgres_database
from edge_graphql.world import World, copy_for, seed, sqlite_copy, world_at

NewWorld = Callable[[], AbstractAsyncContextManager[World]]
_numbers = count()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    seed(f"sqlite:///{folder / 'template.db'}", folder)
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresTemplate]:
    with postgres_database(postgres_url, "world") as url:
        yield PostgresTemplate(url, lambda url: seed(url, tmp_path_factory.mktemp("template")))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return copy_for(request, tmp_path, "sqlite_template", "postgres_template")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def new_world(sqlite_template: Path, tmp_path: Path) -> NewWorld:
    """One world after the other, on SQLite."""

    @asynccontextmanager
    async def make() -> AsyncIterator[World]:
        folder = tmp_path / str(next(_numbers))
        folder.mkdir()
        async with world_at(sqlite_copy(sqlite_template, folder), folder) as made:
            yield made

    return make
