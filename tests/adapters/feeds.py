"""Processes that share a database, as far as news of changes goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

from sluicegate.adapters.postgres import PostgresFeed
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.kit.clock import SystemClock
from sluicegate.storage.engine import SqlStore, database_url, make_engine
from sluicegate.storage.transaction import CHANGES_CHANNEL


class Process:
    """As one process has it: a store, the feed that it publishes to, and what it has put into force."""

    def __init__(self, url: str, way: str | None = None, counts_in: str | None = None) -> None:
        self.counts_in = counts_in
        self.heard: list[str] = []
        self.kinds: set[ChangeKind] = set()
        self.feed = PostgresFeed(way or url, CHANGES_CHANNEL, lambda: self.counts_in)
        self.feed.subscribe(self._apply)
        self.store = SqlStore(make_engine(database_url(way or url)), self.feed, SystemClock())

    async def _apply(self, changes: Sequence[PolicyChange]) -> None:
        self.heard += [change.id for change in changes]
        self.kinds |= {change.kind for change in changes}

    async def change(self, name: str) -> None:
        async with self.store.write() as tx:
            tx.changed(PolicyChange(ChangeKind.USER, name))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        await self.feed.start()
        try:
            yield self
        finally:
            await self.feed.stop()
            await self.store.aclose()


def serve(url: str, pipe: Connection) -> None:
    """A process that tells, when it is asked, whether it is current and what it has heard; then it catches up."""

    async def run() -> None:
        async with Process(url).running() as process:
            pipe.send("ready")
            while True:
                while not pipe.poll():  # noqa: ASYNC110 - a pipe signals no loop
                    await asyncio.sleep(0.01)
                if pipe.recv() == "end":
                    return
                first = process.feed.current(), list(process.heard)
                await process.feed.refresh()
                pipe.send((first, (process.feed.current(), list(process.heard))))

    asyncio.run(run())
