"""Admission stores to hold against each other: memory, Redis, and Redis as several processes share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from typing import Any
from uuid import uuid4

from sluicegate.adapters.redis import RedisAdmission, RedisOptions
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.clock import Clock
from sluicegate.kit.money import Nanos
from sluicegate.ports.policy import ActiveUse, Ask, Denial, LimitSet, PastUse, Room, SubjectUse

ADA = Subject(SubjectKind.USER, "ada")
BOB = Subject(SubjectKind.USER, "bob")
TEAM = Subject(SubjectKind.POOL, "team")
# As patient as the memory store, so that the same tests hold; nothing here is about time-outs.
CONTRACT = RedisOptions(patience=10, lease=900, beat=60, grace=0)


class Records:
    """A spend source with given figures, that lets others run before it answers."""

    def __init__(self, past: PastUse | None = None) -> None:
        self.past = past or PastUse({})
        self.loads = 0
        self.away = False
        self.settled = self.saved = 0

    async def load(
        self,
        subject: Subject,
        periods: dict[Window, str],
        install: Callable[[PastUse], None],
        calls: Sequence[str] = (),
    ) -> None:
        self.loads += 1
        await asyncio.sleep(0)
        if self.away:
            raise OSError("the records are away")
        install(self.past)

    def listen(self, saved: Callable[[], None]) -> None:
        """Nobody saves anything by itself."""

    async def flush(self) -> None:
        self.saved = self.settled


def prefix() -> str:
    """Of nobody else who uses the same Redis."""
    return f"test-{uuid4().hex}"


def ask(*limits: LimitSet, input_tokens: int = 10, output_tokens: int = 10, cost: int = 0) -> Ask:
    return Ask(limits or (LimitSet(ADA),), input_tokens, output_tokens, Nanos(cost))


async def admitted(store: Any, wanted: Ask, callers: int) -> int:
    verdicts = await asyncio.gather(*(store.admit(wanted) for _ in range(callers)))
    return sum(not isinstance(v, Denial) for v in verdicts)


class Several:
    """Stores that share one Redis, as one: each question goes to the next of them, once all have told what ended."""

    def __init__(self, stores: Sequence[RedisAdmission]) -> None:
        self._stores = stores
        self._turns = count()
        self._owners: dict[str, RedisAdmission] = {}

    async def _next(self) -> RedisAdmission:
        for store in self._stores:
            await store.drain()
        return self._stores[next(self._turns) % len(self._stores)]

    async def admit(self, wanted: Ask) -> Any:
        store = await self._next()
        verdict = await store.admit(wanted)
        if not isinstance(verdict, Denial):
            self._owners[verdict.id] = store
        return verdict

    async def peek(self, wanted: Ask) -> Denial | None:
        return await (await self._next()).peek(wanted)

    async def use_of(self, subject: Subject) -> SubjectUse:
        return await (await self._next()).use_of(subject)

    async def active(self) -> AsyncIterator[ActiveUse]:
        async for use in (await self._next()).active():
            yield use

    def settle(self, lease: Any, input_tokens: int, output_tokens: int, cost: Nanos, call_id: str = "") -> None:
        self._owners[lease.id].settle(lease, input_tokens, output_tokens, cost)

    def cancel(self, lease: Any) -> None:
        self._owners[lease.id].cancel(lease)

    def renew(self, lease: Any) -> None:
        self._owners[lease.id].renew(lease)

    def forget(self, subject: Subject | None = None) -> None:
        for store in self._stores:
            store.forget(subject)

    def room_of(self, limits: Sequence[LimitSet], *, caps: bool = True) -> Room:
        raise NotImplementedError("what one process knows of room is its own")


async def open_stores(
    url: str, number: int, records: Any, clock: Clock, periods: Any, options: RedisOptions = CONTRACT, **others: Any
) -> list[RedisAdmission]:
    """So many processes of one deployment; to be closed."""
    name = prefix()
    stores = [RedisAdmission(url, name, records, clock, periods, options=options, **others) for _ in range(number)]
    for store in stores:
        await store.start()
    return stores
