"""Records that do not answer, and how few have to find that out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sluicegate.kit.clock import Clock

_ASK_AGAIN_SECONDS = 10.0

log = structlog.get_logger()


class Outage:
    """For readings that can be done without. While the records are away, one caller in ten seconds asks whether they
    are back, and nobody else waits for that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asking = asyncio.Lock()
        self._away = False
        self._ask_again = 0.0

    async def tried(self, read: Callable[[], Awaitable[None]]) -> bool:
        """Whether the records were read."""
        if not self._to_be_asked():
            return False
        # In turn, as they answer anyway: of many who come at once only the first waits for a database that hangs.
        async with self._asking:
            if not self._to_be_asked():
                return False
            self._ask_again = self._clock.monotonic() + _ASK_AGAIN_SECONDS
            try:
                await read()
            except Exception as error:
                self._away = True
                log.warning("budgets.not_read", error=type(error.__cause__ or error).__name__)
                return False
            self._away = False
            return True

    def _to_be_asked(self) -> bool:
        return not self._away or self._clock.monotonic() >= self._ask_again
