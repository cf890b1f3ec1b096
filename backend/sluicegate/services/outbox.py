"""How what waits in an outbox leaves: some at once, and later again where it could not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

_AT_ONCE = 4
_BATCH = 100
_LONGEST_RETRY = timedelta(hours=1)


async def deliver_all(
    due: Callable[[int], Awaitable[Sequence[str]]], deliver: Callable[[str], Awaitable[None]]
) -> None:
    """Hands the ids that `due` gives, at most so many at a time, to `deliver` until there are none. Raises what a
    delivery raises, once the others of its batch have ended."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(one: str) -> None:
        async with slots:
            await deliver(one)

    while waiting := await due(_BATCH):
        # One that fails must not cut the others off: whoever takes them may be about to.
        ended = await asyncio.gather(*(in_turn(one) for one in waiting), return_exceptions=True)
        if failed := [error for error in ended if isinstance(error, BaseException)]:
            raise failed[0]


def retry_wait(first: timedelta, attempts: int) -> timedelta:
    """After the given number of attempts, one at least: twice as long each time, up to an hour."""
    return min(first * 2 ** min(attempts - 1, 16), _LONGEST_RETRY)
