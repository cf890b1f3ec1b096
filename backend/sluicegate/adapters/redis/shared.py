"""What processes that share a Redis share beside limits."""

from __future__ import annotations

from collections.abc import Callable

from sluicegate.adapters.redis.kept import RedisKept
from sluicegate.adapters.redis.side import Side
from sluicegate.kit.clock import Clock


class RedisShared:
    """Implements ports.shared.Shared. `derived` gives keys for a purpose that all processes have and Redis has not."""

    def __init__(self, url: str, prefix: str, derived: Callable[[str], tuple[bytes, ...]], clock: Clock) -> None:
        self._side = Side(url, prefix)
        self.kept = RedisKept(self._side, derived("kept"), clock)

    async def close(self) -> None:
        await self.kept.close()
        await self._side.close()
