"""Views that processes show each other while somebody watches, through Redis, which cannot read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sluicegate.adapters.redis.line import Away
from sluicegate.adapters.redis.side import Side
from sluicegate.kit.crypto import SealBroken, seal, unseal
from sluicegate.kit.ids import new_id
from sluicegate.ports.live import Met

_KEYS = ("live:wanted", "live:views", "live:shown")
# A process that stands still for longer is not shown any more.
_LASTING_SECONDS = 3


class RedisLive:
    """Implements ports.live.LiveExchange."""

    def __init__(self, side: Side, key: bytes) -> None:
        self._side = side
        self._key = key
        self._process = new_id()

    async def meet(self, wanted: Collection[str], shown: Mapping[str, bytes]) -> Met | None:
        sealed = [part for subject, view in shown.items() for part in (subject, self._seal(subject, view))]
        try:
            asked, found = await self._side.run(
                "live_meet", _KEYS, self._process, _LASTING_SECONDS, len(wanted), *wanted, *sealed
            )
        except Away:
            return None
        views: dict[str, list[bytes]] = {}
        for name, box in found:
            subject = name.decode()
            try:
                views.setdefault(subject, []).append(unseal(self._key, box, _context(subject)))
            except SealBroken:
                # Of a process with another key, until that is changed everywhere.
                continue
        return Met([name.decode() for name in asked], views)

    def _seal(self, subject: str, view: bytes) -> bytes:
        return seal(self._key, view, _context(subject))


def _context(subject: str) -> str:
    return f"live:{subject}"
