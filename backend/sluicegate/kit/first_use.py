"""What is loaded when it is first asked for, beside what goes on."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
# A tenth of what is usual, in seconds: how long a thread may keep the interpreter from the loop.
_SWITCH_SECONDS = 0.0005
# How threads take turns is set for all of them.
_one_at_a_time = Lock()


class OnFirstUse(Generic[T]):
    """Something large that most servers never need. `load` gives it, in a thread, while calls go on; whoever wants it
    meanwhile waits."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._loading: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Raises what `load` raised; then whoever comes next has it tried again."""
        loading = self._loading
        if loading is None or (loading.done() and loading.exception() is not None):
            loading = self._loading = asyncio.create_task(asyncio.to_thread(_aside, self._load))
        # Whoever leaves meanwhile leaves it to those who come after.
        return await asyncio.shield(loading)


def _aside(load: Callable[[], T]) -> T:
    """Loads beside a loop that carries calls. The collector would hold it up, and would find nothing in modules."""
    with _one_at_a_time:
        usual, collects = sys.getswitchinterval(), gc.isenabled()
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.disable()
        try:
            return load()
        finally:
            # As at the end of the start. To ask whether anything is frozen would count all of it, for 15 ms.
            gc.freeze()
            if collects:
                gc.enable()
            sys.setswitchinterval(usual)
