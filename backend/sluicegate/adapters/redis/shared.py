"""What processes that share a Redis share beside limits."""

from __future__ import annotations

from collections.abc import Callable

from sluicegate.adapters.redis.kept import RedisKept
from sluicegate.adapters.redis.live import RedisLive
from sluicegate.adapters.redis.side import Side
from sluicegate.adapters.redis.tallies import RedisTallies
from sluicegate.kit.clock import Clock
from sluicegate.kit.tallies import Tallies


class RedisShared:
    """Implements ports.shared.Shared. `derived` gives keys for a purpose that all processes have and Redis has not."""

    def __init__(self, url: str, prefix: str, derived: Callable[[str], tuple[bytes, ...]], clock: Clock) -> None:
        self._side = Side(url, prefix)
        self._derived = derived
        self._clock = clock
        self.kept = RedisKept(self._side, derived("kept"), clock)
        self.live = RedisLive(self._side, derived("live")[0])

    def tallies(self, purpose: str) -> Tallies:
        return RedisTallies(self._side, self._derived("tallies")[0], purpose, self._clock)

    async def close(self) -> None:
        await self.kept.close()
        await self._side.close()
