"""A worker as far as its samples go, for a test or as a process of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from sluicegate.adapters.exposition import families
from sluicegate.adapters.metrics import BackendSample, CallMetrics, Now
from sluicegate.adapters.pooled_metrics import PooledMetrics
from sluicegate.ports.health import BackendHealth, BackendState
from storage.records import NOW, call, milliseconds

_RESTING = BackendSample("OpenAI", "gpt-fast", BackendHealth(BackendState.RESTING, refused=2))
_HOLDS = Now("1.2.3", 4, 5, True, True, [_RESTING])


class Worker:
    def __init__(self, folder: Path, **values: Any) -> None:
        self.metrics = CallMetrics()
        self._now = dataclasses.replace(_HOLDS, **values)
        self.pool = PooledMetrics(folder, self.families)

    async def families(self) -> list[Metric]:
        return await asyncio.to_thread(families, self.metrics, self._now)

    def calls(self, number: int, model: str = "fast", seconds: float = 1.5) -> None:
        started = milliseconds(NOW)
        record = call(model_slug=model, started_ms=started, finished_ms=started + round(seconds * 1000))
        self.metrics.settled([record] * number)


def count_on(folder: str, number: int, pipe: Connection) -> None:
    """Counts so many calls and goes on until it is killed."""

    async def run() -> None:
        worker = Worker(Path(folder))
        await worker.pool.start()
        worker.calls(number)
        pipe.send("ready")
        await asyncio.Event().wait()

    asyncio.run(run())
