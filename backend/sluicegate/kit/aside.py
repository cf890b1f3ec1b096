"""Long work in a thread, beside a loop that carries calls."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# A tenth of what is usual, in seconds: how long a thread may keep the interpreter from the loop.
_SWITCH_SECONDS = 0.0005
# How threads take turns, and whether anything is collected, is set for all of them.
_one_at_a_time = Lock()


@contextmanager
def beside_the_loop() -> Generator[None]:
    """For a thread that makes many objects: with short turns, and without the collector, which would hold the loop up
    to look through all of them; afterwards it does so with those that are left. Others who ask for the same wait."""
    with _one_at_a_time:
        usual, collects = sys.getswitchinterval(), gc.isenabled()
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()
            sys.setswitchinterval(usual)


async def in_turn(turns: asyncio.Semaphore, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What `work` gives, in a thread, and raises what it raises; no more of these work at once than there are `turns`.
    Whoever leaves stops no thread: its turn ends when that does, or else a few who leave would take all threads."""
    await turns.acquire()
    working = asyncio.create_task(asyncio.to_thread(work, *arguments, **options))
    working.add_done_callback(lambda _: turns.release())
    return await asyncio.shield(working)
