"""Trying a change out: everything is done as if it were meant, and then undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sluicegate.ports.store import Store, Transaction


class _Undone(Exception):
    pass


@asynccontextmanager
async def write_or_try(store: Store, *, trial: bool) -> AsyncIterator[Transaction]:
    """A write that, as a trial, is rolled back at its end and told to nobody. What it answers is what the write would
    answer now, since it is the same code."""
    try:
        async with store.write() as tx:
            yield tx
            if trial:
                raise _Undone
    except _Undone:
        pass
