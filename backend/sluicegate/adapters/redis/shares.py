"""Limits while Redis is away: every process serves from a part of its own, so that all stay within the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import msgspec

from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.adapters.memory.rates import BUCKETS
from sluicegate.adapters.memory.uses import MemoryLease
from sluicegate.adapters.redis.leases import RedisLease
from sluicegate.domain.policy import Subject, Window
from sluicegate.kit.clock import Clock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import ActiveUse, Ask, Denial, LimitSet, Room, SpendSource, SubjectUse

# After which a caller may ask again who found only this process's part used up: Redis may be back by then.
_WAIT_SECONDS = 5.0


class Shares:
    """A part is the limit divided by the `processes`, and at least 1; of a budget it is that part of what is left when
    the process first needs it. Calls in flight when Redis went away, `flying`, are taken off its part."""

    def __init__(
        self, spend: SpendSource, clock: Clock, periods: PeriodClock, processes: int, flying: Iterable[RedisLease]
    ) -> None:
        self._memory = MemoryAdmission(spend, clock, periods)
        self._clock = clock
        self._periods = periods
        self._processes = processes
        self._flying: dict[Subject, list[RedisLease]] = {}
        self._held = Counter[Subject]()
        self._spent: dict[tuple[Subject, str], int] = {}
        for lease in flying:
            for limits in lease.ask.limits:
                self._flying.setdefault(limits.subject, []).append(lease)
                self._held[limits.subject] += lease.ask.cost

    async def admit(self, ask: Ask) -> MemoryLease | Denial:
        verdict = await self._memory.admit(await self._part(ask))
        return self._whole(verdict, ask) if isinstance(verdict, Denial) else verdict

    async def peek(self, ask: Ask) -> Denial | None:
        denial = await self._memory.peek(await self._part(ask))
        return self._whole(denial, ask) if denial is not None else None

    async def use_of(self, subject: Subject) -> SubjectUse:
        return await self._memory.use_of(subject)

    def active(self) -> AsyncIterator[ActiveUse]:
        return self._memory.active()

    def room_of(self, limits: Sequence[LimitSet], *, caps: bool) -> Room:
        return self._memory.room_of(limits, caps=caps)

    def settle(self, lease: MemoryLease, input_tokens: int, output_tokens: int, cost: Nanos) -> None:
        self._memory.settle(lease, input_tokens, output_tokens, cost)

    def cancel(self, lease: MemoryLease) -> None:
        self._memory.cancel(lease)

    def renew(self, lease: MemoryLease) -> None:
        self._memory.renew(lease)

    def forget(self, subject: Subject | None) -> None:
        self._memory.forget(subject)

    def ended(self, lease: RedisLease) -> None:
        """A call that began with Redis ended without; what it used stays taken off."""
        input_tokens, output_tokens, cost = lease.ended
        for limits in lease.ask.limits:
            flying = self._flying.get(limits.subject, [])
            if lease in flying:
                flying.remove(lease)
                self._held[limits.subject] += cost - lease.ask.cost
                if not lease.cancelled:
                    self._memory.ended(limits.subject, int(lease.since), input_tokens, output_tokens)

    async def _part(self, ask: Ask) -> Ask:
        return msgspec.structs.replace(ask, limits=tuple([await self._part_of(limits) for limits in ask.limits]))

    async def _part_of(self, limits: LimitSet) -> LimitSet:
        subject, now = limits.subject, self._clock.monotonic()
        flying = self._flying.get(subject, [])
        recent = [lease.ask for lease in flying if now - lease.since < BUCKETS]
        part = LimitSet(
            subject,
            self._share(limits.requests, len(recent)),
            self._share(limits.input_tokens, sum(ask.input_tokens for ask in recent)),
            self._share(limits.output_tokens, sum(ask.output_tokens for ask in recent)),
            self._share(limits.concurrent_requests, len(flying)),
        )
        if limits.day is None and limits.week is None and limits.month is None:
            return part
        spent = (await self._memory.use_of(subject)).spent
        periods = self._periods.at_time(self._clock.time())
        caps: dict[str, int | None] = {}
        for window in Window:
            cap: int | None = getattr(limits, window.value)
            if cap is not None:
                base = self._spent.setdefault((subject, periods[window].key), spent[window])
                left = max(0, cap - base) // self._processes - self._held[subject]
                cap = min(cap, base + max(0, left))
            caps[window.value] = cap
        return replace(part, **caps)

    def _share(self, limit: int | None, taken: int) -> int | None:
        return max(0, max(1, limit // self._processes) - taken) if limit else limit

    def _whole(self, denial: Denial, ask: Ask) -> Denial:
        """The denial in terms of what was set. Nobody is told to stop for a day because one part is used up."""
        limits = next(values for values in ask.limits if values.subject == denial.subject)
        if denial.dimension is not None:
            limit: int = getattr(limits, denial.dimension.value)
            wait = (denial.retry_after or _WAIT_SECONDS) if limit else None
            return replace(denial, limit=limit, retry_after=wait)
        cap: int = getattr(limits, denial.over.value)
        spent, asked = denial.used - denial.reserved, min(ask.cost, cap)
        if cap and spent + asked <= cap:
            return replace(denial, limit=cap, used=cap, reserved=cap - spent, asked=asked, retry_after=_WAIT_SECONDS)
        ends = self._periods.at_time(self._clock.time())[denial.over].end.timestamp()
        return replace(denial, limit=cap, asked=asked, retry_after=ends - self._clock.time() if cap else None)
