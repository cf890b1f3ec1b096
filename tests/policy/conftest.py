"""One policy service for each test."""

from __future__ import annotations

import pytest

from policy.bench import Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.policy.start()
    return made
