"""Owners of what providers keep, in the memory of this process."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b

from sluicegate.kit.clock import Clock
from sluicegate.ports.kept import KEPT_SECONDS, MOST_KEPT


class MemoryKept:
    """Implements ports.kept.KeptOwners: ids by digest, with the user whose call they came from."""

    shared = False

    def __init__(self, clock: Clock, *, most: int = MOST_KEPT) -> None:
        self._clock = clock
        self._most = most
        self._owners: dict[bytes, tuple[str, float]] = {}

    def note(self, owner: str, ids: Iterable[str], seconds: float = KEPT_SECONDS) -> None:
        """`seconds` is how long it holds."""
        owners, until = self._owners, self._clock.monotonic() + seconds
        for identity in ids:
            key = _digest(identity)
            owners.pop(key, None)
            owners[key] = (owner, until)
        while len(owners) > self._most:
            del owners[next(iter(owners))]

    def forget(self, identity: str) -> None:
        self._owners.pop(_digest(identity), None)

    async def learn(self, owner: str, ids: Collection[str]) -> None:
        return

    def belongs(self, identity: str, owner: str) -> bool:
        known = self._owners.get(_digest(identity))
        return known is not None and known[0] == owner and known[1] > self._clock.monotonic()


def _digest(identity: str) -> bytes:
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()
