"""One gateway for each test, with its own database, journal and provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bench import Bench, prepared_database, running_bench
from gateway.office import Office, open_office


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_database(tmp_path_factory.mktemp("schema"))


@pytest.fixture
async def bench(tmp_path: Path, empty_database: Path) -> AsyncIterator[Bench]:
    async with running_bench(tmp_path, empty_database) as bench:
        yield bench


@pytest.fixture
async def office(bench: Bench) -> Office:
    return await open_office(bench)
