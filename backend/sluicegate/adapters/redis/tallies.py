"""Counts that end, of all processes that share a Redis; while it is away, each counts for itself.

Names are addresses, e-mails and digests of keys: Redis sees digests under a key that it has not.
"""

from __future__ import annotations

from hashlib import blake2b

import structlog

from sluicegate.adapters.redis.line import Away
from sluicegate.adapters.redis.side import Side
from sluicegate.kit.clock import Clock
from sluicegate.kit.tallies import Count, LocalTallies, Tally

_MOST = 20_000

log = structlog.get_logger(__name__)


class RedisTallies:
    """Implements kit.tallies.Tallies."""

    def __init__(self, side: Side, key: bytes, purpose: str, clock: Clock, most: int = _MOST) -> None:
        self._side = side
        self._key = key
        self._keys = (f"tallies:{purpose}:numbers", f"tallies:{purpose}:ends")
        self._most = most
        self._own = LocalTallies(clock, most)

    async def take(self, *tallies: Tally) -> float | None:
        told = (part for name, most, seconds in tallies for part in (self._named(name), most, int(seconds)))
        try:
            wait = await self._side.run("tally_take", self._keys, self._most, *told)
        except Away as error:
            log.info("tallies.alone", reason=str(error))
            return await self._own.take(*tallies)
        return float(wait) if wait else None

    async def counts(self, *names: str) -> list[Count]:
        try:
            found = await self._side.run("tally_counts", self._keys, *map(self._named, names))
        except Away:
            return await self._own.counts(*names)
        return [Count(number, float(left)) for number, left in found]

    async def give_back(self, name: str, *, whole: bool = False) -> None:
        try:
            await self._side.run("tally_back", self._keys, self._named(name), "whole" if whole else "")
        except Away:
            await self._own.give_back(name, whole=whole)

    def _named(self, name: str) -> bytes:
        return blake2b(name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
