"""What processes tell each other through Redis beside limits, over a connection of its own: nothing of it is in the way
of a call that is let in or settled, and none of it need be there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sluicegate.adapters.redis.line import Away, Line, Reply, connect
from sluicegate.adapters.redis.scripts import SIDE_DIGESTS, SIDE_SOURCES

# How long a Redis that did not answer is left alone, in seconds.
_REST = 0.5


class Side:
    """`patience` is how long an answer may take, in seconds. Keys lie below `{prefix}:`."""

    def __init__(self, url: str, prefix: str, patience: float = 0.3) -> None:
        self._url = url
        self._root = f"{{{prefix}}}:"
        self._patience = patience
        self._line: Line | None = None
        self._lost: Line | None = None
        self._opening = asyncio.Lock()
        self._rests_until = 0.0

    @property
    def there(self) -> bool:
        """Whether Redis answered when it was asked last."""
        return time.monotonic() >= self._rests_until

    async def run(self, script: str, keys: Sequence[str], *args: str | bytes | int | float) -> Reply:
        """Raises Away, at once where Redis did not answer a moment ago."""
        line = self._line or await self._open()
        named = (self._root + key for key in keys)
        return await line.send("EVALSHA", SIDE_DIGESTS[script], len(keys), *named, *args)

    async def _open(self) -> Line:
        async with self._opening:
            if self._line is not None:
                return self._line
            if not self.there:
                raise Away("Redis did not answer a moment ago")
            await self._close_lost()
            try:
                line = await connect(self._url, self._patience, self._lose)
            except Away:
                self._rests_until = time.monotonic() + _REST
                raise
            self._line = line
            await asyncio.gather(*(line.send("SCRIPT", "LOAD", source) for source in SIDE_SOURCES.values()))
            return line

    def _lose(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + _REST
        self._lost, self._line = self._line, None

    async def _close_lost(self) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            await lost.close()

    async def close(self) -> None:
        await self._close_lost()
        line, self._line = self._line, None
        if line is not None:
            await line.close()
