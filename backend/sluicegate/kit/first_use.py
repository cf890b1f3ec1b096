"""What is loaded when it is first asked for, beside what goes on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Generic, TypeVar

from sluicegate.kit.aside import beside_the_loop

T = TypeVar("T")


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
    with beside_the_loop():
        try:
            return load()
        finally:
            # As at the end of the start. To ask whether anything is frozen would count all of it, for 15 ms.
            gc.freeze()
