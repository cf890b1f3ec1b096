"""One gateway for each test, with its own database, journal and provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bench import Bench, running_bench
from gateway.office import Office, open_office


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
async def office(bench: Bench) -> Office:
    return await open_office(bench)
