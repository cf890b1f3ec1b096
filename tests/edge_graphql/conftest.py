"""Worlds to ask questions in, each a copy of one that is made once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

import stacks
from databases import PostgresTemplate, restorable_postgres
from edge_graphql.world import World, copy_for, seed, world_at

NewWorld = Callable[[], AbstractAsyncContextManager[World]]
_numbers = count()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    seed(f"sqlite:///{folder / 'template.db'}", folder)
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresTemplate]:
    with restorable_postgres(postgres_url, "world", lambda url: seed(url, tmp_path_factory.mktemp("template"))) as made:
        yield made


@pytest.fixture(params=stacks.DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return copy_for(request, tmp_path, "sqlite_template", "postgres_template")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(database_url, tmp_path) as made:
        yield made


@pytest.fixture(params=stacks.DATABASES[:1])
def new_world(request: pytest.FixtureRequest, tmp_path: Path) -> NewWorld:
    """One world after the other."""

    @asynccontextmanager
    async def make() -> AsyncIterator[World]:
        folder = tmp_path / str(next(_numbers))
        folder.mkdir()
        url = await asyncio.to_thread(copy_for, request, folder, "sqlite_template", "postgres_template")
        async with world_at(url, folder) as made:
            yield made

    return make
