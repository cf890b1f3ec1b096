"""Processes that share one Redis beside their counters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from typing import Generic, TypeVar

from counters.stores import prefix
from sluicegate.adapters.redis import Side

T = TypeVar("T")


class InTurn(Generic[T]):
    """Processes as one: each question goes to the next of them."""

    def __init__(self, processes: Sequence[T]) -> None:
        self._processes = processes
        self._turns = cycle(processes)

    def _next(self) -> T:
        return next(self._turns)


@asynccontextmanager
async def sides(url: str, number: int) -> AsyncIterator[list[Side]]:
    """So many under a name of their own."""
    name = prefix()
    async with AsyncExitStack() as stack:
        made = [Side(url, name, patience=10) for _ in range(number)]
        for side in made:
            stack.push_async_callback(side.close)
        yield made
