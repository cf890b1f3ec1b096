"""What Redis has to hear of this process's calls, kept until it has."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from sluicegate.adapters.memory.rates import BUCKETS
from sluicegate.adapters.redis.leases import RedisLease, merged
from sluicegate.adapters.redis.line import Away, Reply
from sluicegate.adapters.redis.link import Link
from sluicegate.adapters.redis.scripts import GONE
from sluicegate.domain.policy import Subject
from sluicegate.kit.clock import Clock
from sluicegate.ports.policy import Records

_BATCH = 100
_MAX_SINGLE = 20_000
# As the port has it: a call that is not renewed for so long is taken as dead, in seconds.
_RENEWED_WITHIN = 900.0
# How long it may take until a process notices that Redis was emptied, in seconds.
_NOTICED_WITHIN = 10.0


class Owed:
    """Leases from admission until Redis knows how they ended, and beyond that until the records do: until then, a Redis
    that was emptied could not learn of them. `gone` hears that Redis was."""

    def __init__(self, link: Link, records: Records, clock: Clock, gone: Callable[[], None]) -> None:
        self._link = link
        self._records = records
        self._clock = clock
        self._gone = gone
        self._leases: dict[str, RedisLease] = {}
        self._due: list[RedisLease] = []
        self._unrecorded: deque[RedisLease] = deque()
        self._lately: deque[RedisLease] = deque()
        self._scheduled = False
        self.number = 0
        # The last time that this process answered when all were asked.
        self._answered = 0
        # Whether what is due leaves at once, or waits until Redis is back.
        self.flowing = False

    def __len__(self) -> int:
        """Calls that have ended and that Redis has not heard of."""
        return sum(not lease.open for lease in self._leases.values())

    def untold(self) -> set[Subject]:
        """Whose calls have ended, as far as Redis has not heard of it."""
        ended = [lease.ask for lease in self._leases.values() if not (lease.open or lease.cancelled)]
        return {subject for ask in ended for subject in (*(limits.subject for limits in ask.limits), *ask.counted)}

    def open(self) -> list[RedisLease]:
        return [lease for lease in self._leases.values() if lease.open]

    def admitted(self, lease: RedisLease) -> None:
        self._leases[lease.id] = lease

    def ended(self, lease: RedisLease) -> None:
        """`lease.ended` says how, or `lease.cancelled`."""
        lease.open = False
        self.number += 1
        lease.number = self.number
        if lease.cancelled and not lease.epoch:
            # Let in without Redis, and nothing came of it.
            self._leases.pop(lease.id, None)
            return
        self._leases[lease.id] = lease
        if not lease.cancelled:
            lease.mark = self._records.settled
            self._unrecorded.append(lease)
        if self.flowing:
            self._due.append(lease)
            if not self._scheduled:
                self._scheduled = True
                asyncio.get_running_loop().call_soon(self.ship)

    def ship(self) -> None:
        """Sends what is due, ahead of whatever is sent after it."""
        self._scheduled = False
        if not self.flowing:
            self._due.clear()
            return
        while self._due:
            batch, self._due = self._due[:_BATCH], self._due[_BATCH:]
            self._send(batch).add_done_callback(partial(self._heard, batch))

    def _send(self, batch: Iterable[RedisLease]) -> asyncio.Future[Reply]:
        link = self._link
        told = (lease.settlement(link.epoch, link.offset, link.doubt) for lease in batch)
        return link.call("settle", link.node, *told)

    def _heard(self, batch: Iterable[RedisLease], answer: asyncio.Future[Reply]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            return
        if answer.result()[0] == GONE:
            self._gone()
            return
        for lease in batch:
            lease.told = True
            self._leases.pop(lease.id, None)

    async def drain(self) -> None:
        """Returns when Redis has heard of all that have ended; raises Away."""
        self.ship()
        # An answer to this comes after those.
        await self._link.ask("beat", self._link.node, "", self._link.options.lease)

    def note_recorded(self) -> None:
        """Looks how far the records are; to be called every now and then."""
        saved, now = self._records.saved, self._clock.monotonic()
        while self._unrecorded and self._unrecorded[0].mark <= saved:
            lease = self._unrecorded.popleft()
            lease.recorded = now
            self._lately.append(lease)
        while self._lately and (self._lately[0].recorded or 0.0) < now - _NOTICED_WITHIN:
            self._lately.popleft()
        if not self.flowing and len(self._leases) > _MAX_SINGLE:
            self._merge(now)

    def _merge(self, now: float) -> None:
        """So that memory holds however long Redis is away."""
        old = [
            lease
            for lease in self._leases.values()
            if not (lease.open or lease.epoch) and lease.recorded is not None and lease.since < now - BUCKETS
        ]
        for lease in old:
            del self._leases[lease.id]
        for lease in merged(old):
            self._leases[lease.id] = lease

    def entered(self) -> None:
        """In another epoch, what the last one was told of late has to be told again: those who read the records before
        it came there do not know it."""
        self._answered = 0
        for lease in (*self._unrecorded, *self._lately):
            if lease.told and lease.epoch != self._link.epoch:
                lease.told = False
                self._leases[lease.id] = lease

    async def answer(self) -> None:
        """Tells of calls that Redis knows and the records do not, if that was asked for since it was told last; raises
        Away."""
        link = self._link
        if link.asked == self._answered:
            return
        asked, known = link.asked, [lease.end() for lease in self._unrecorded if lease.told]
        while len(known) > _BATCH:
            await link.ask("retell", link.node, self._answered, *known[:_BATCH])
            del known[:_BATCH]
        await link.ask("retell", link.node, asked, *known)
        self._answered = asked

    async def catch_up(self) -> None:
        """Tells the present epoch what it has not heard, of ended calls those that are in the records; raises Away. It
        is safe to do so again."""
        link = self._link
        # Redis may have been away for longer than a lease lasts.
        known = [lease.id for lease in self.open() if lease.epoch == link.epoch]
        for start in range(0, len(known), _BATCH):
            await link.beat("", known[start : start + _BATCH])
        fresh = [lease for lease in self.open() if lease.epoch != link.epoch]
        for start in range(0, len(fresh), _BATCH):
            batch = fresh[start : start + _BATCH]
            await link.ask("announce", link.options.lease, *(lease.announcement(link.offset) for lease in batch))
            for lease in batch:
                lease.epoch, lease.local = link.epoch, None
        waiting = [
            lease
            for lease in self._leases.values()
            if not lease.open and (lease.cancelled or lease.recorded is not None or lease.epoch == link.epoch)
        ]
        for start in range(0, len(waiting), _BATCH):
            batch = waiting[start : start + _BATCH]
            answer = self._send(batch)
            if (await answer)[0] == GONE:
                raise Away("Redis was emptied")
            self._heard(batch, answer)

    @property
    def behind(self) -> bool:
        """Whether there is more to tell the present epoch, should it begin to hear of new calls."""
        leases = self._leases.values()
        return any(not lease.open or lease.epoch != self._link.epoch for lease in leases)

    def to_renew(self) -> list[str]:
        """Leases whose calls live and that would run out otherwise."""
        now, every = self._clock.monotonic(), self._link.options.lease / 4
        found = [
            lease
            for lease in self._leases.values()
            if lease.open and now - lease.renewed >= every and now - lease.touched <= _RENEWED_WITHIN
        ]
        for lease in found:
            lease.renewed = now
        return [lease.id for lease in found]

    def renew(self, lease: RedisLease) -> None:
        lease.touched = now = self._clock.monotonic()
        if self.flowing and lease.open and now - lease.renewed >= self._link.options.lease / 4:
            lease.renewed = now
            self._link.call("beat", self._link.node, "", self._link.options.lease, lease.id)
