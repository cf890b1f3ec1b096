"""Owners of what providers keep, known to all processes that share a Redis.

Redis sees neither ids nor owners but digests under a key that all processes have and it has not: who reads it learns
nothing, and who writes to it can make nobody the owner of anything. Each process remembers besides what its own calls
brought about, for when Redis is away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b

import structlog

from sluicegate.adapters.memory.kept import MemoryKept
from sluicegate.adapters.redis.line import Away, Reply
from sluicegate.adapters.redis.side import Side
from sluicegate.kit.clock import Clock
from sluicegate.ports.kept import KEPT_SECONDS, MOST_KEPT

_KEYS = ("kept:owners", "kept:told")
_PAGE = 200
_RETRY_SECONDS = 0.6
_LAST_SECONDS = 1.0
# What another process was told is on its way while its caller already goes on here.
_PAUSES = (0.03, 0.1, 0.3)

log = structlog.get_logger(__name__)


class RedisKept:
    """Implements ports.kept.KeptOwners. The first of `keys` signs, all of them are looked for."""

    shared = True

    def __init__(self, side: Side, keys: Sequence[bytes], clock: Clock, *, most: int = MOST_KEPT) -> None:
        self._side = side
        self._keys = keys
        self._most = most
        self._own = MemoryKept(clock, most=most)
        self._untold: deque[tuple[str, str]] = deque(maxlen=most)
        self._telling: asyncio.Task[None] | None = None

    def note(self, owner: str, ids: Iterable[str]) -> None:
        ids = tuple(ids)
        self._own.note(owner, ids)
        self._untold.extend([(identity, owner) for identity in ids])
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        key = self._keys[0]
        while self._untold:
            page = [self._untold.popleft() for _ in range(min(_PAGE, len(self._untold)))]
            try:
                pairs = ((_digest(key, identity), _digest(key, identity, owner)) for identity, owner in page)
                told = (part for pair in pairs for part in pair)
                await self._side.run("kept_note", _KEYS, int(KEPT_SECONDS), self._most, *told)
            except Away as error:
                log.debug("kept.not_told", reason=str(error))
                # What came meanwhile stays, and the oldest of these go if there are too many.
                self._untold.extendleft(reversed(page[max(0, len(page) + len(self._untold) - self._most) :]))
                await asyncio.sleep(_RETRY_SECONDS)

    async def learn(self, owner: str, ids: Collection[str]) -> None:
        wanted = list(ids)
        try:
            for pause in (*_PAUSES, None):
                wanted = [
                    i for at in range(0, len(wanted), _PAGE) for i in await self._ask(owner, wanted[at : at + _PAGE])
                ]
                if not wanted or pause is None:
                    return
                await asyncio.sleep(pause)
        except Away as error:
            log.info("kept.not_asked", reason=str(error))

    async def _ask(self, owner: str, ids: Sequence[str]) -> list[str]:
        """Those of which nothing is known. Redis knows better who came last, but forgets when it is emptied."""
        asked = [_digest(key, identity) for identity in ids for key in self._keys]
        found = iter(await self._side.run("kept_look", _KEYS, int(KEPT_SECONDS), *asked))
        return [i for i, *told in zip(ids, *([found] * len(self._keys)), strict=True) if not self._take(owner, i, told)]

    def _take(self, owner: str, identity: str, found: Sequence[Reply]) -> bool:
        for key, told in zip(self._keys, found, strict=True):
            if told is None:
                continue
            if told[0] == _digest(key, identity, owner):
                self._own.note(owner, [identity], float(told[1]))
            else:
                self._own.forget(identity)
            return True
        return self._own.belongs(identity, owner)

    def belongs(self, identity: str, owner: str) -> bool:
        return self._own.belongs(identity, owner)

    async def told(self) -> None:
        """Waits until Redis has heard of everything."""
        if self._telling is not None:
            await self._telling

    async def close(self) -> None:
        """Tells Redis the last, if it is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self.told()


def _digest(key: bytes, *words: str) -> bytes:
    """128 bits, each word with its length, so that no two lists of words come to the same."""
    data = [word.encode("utf-8", "surrogatepass") for word in words]
    return blake2b(b"".join([b"%d:%b" % (len(word), word) for word in data]), key=key, digest_size=16).digest()
