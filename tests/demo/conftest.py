"""A demo provider without pauses, in process and behind a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from demo.shim import served
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.kit.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def demo(clock: ManualClock) -> DemoUpstream:
    return DemoUpstream(tokens_per_second=0, clock=clock)


@pytest.fixture
async def demo_url(demo: DemoUpstream) -> AsyncIterator[str]:
    async with served(demo) as url:
        yield url
