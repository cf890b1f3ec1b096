"""Counters, slots and budgets of a single process, exact under concurrency because a decision never awaits.

Rates are counted in one-second buckets. The 61 buckets that can hold a call of the last 60 seconds are summed, so
that there are never more than the limit in any 60 seconds. A subject that has been quiet can be dropped at any time:
what it needs is read back from the records.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from sluicegate.adapters.memory.denials import worst_denial
from sluicegate.adapters.memory.outage import Outage
from sluicegate.adapters.memory.rates import BUCKETS, Rate
from sluicegate.adapters.memory.recall import Recall
from sluicegate.adapters.memory.uses import Cell, MemoryLease, Share, Use
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.clock import Clock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import Period, PeriodClock
from sluicegate.ports.policy import (
    ActiveUse,
    Ask,
    CapRoom,
    Denial,
    LimitSet,
    PastUse,
    Room,
    SpendSource,
    SubjectUse,
    tighter_cap,
)

LEASE_SECONDS = 900.0
_IDLE_SECONDS = 300.0
_SWEEP_SECONDS = 60.0
_MAX_FOUND = 100_000
# Subjects that are looked at before others get their turn.
_TURN = 500
_DAY, _WEEK, _MONTH = Window.DAY, Window.WEEK, Window.MONTH


# Limits, each with what is counted for its subject.
_Pairs = list[tuple[LimitSet, Use]]


class _Found(msgspec.Struct, frozen=True):
    """Keeps its limits alive, so that no other tuple takes over their identity."""

    limits: tuple[LimitSet, ...]
    periods: Mapping[Window, Period]
    pairs: _Pairs


class MemoryAdmission:
    """Implements ports.policy.AdmissionStore."""

    def __init__(self, spend: SpendSource, clock: Clock, periods: PeriodClock) -> None:
        self._spend = spend
        self._clock = clock
        self._periods = periods
        self._uses: dict[Subject, Use] = {}
        # What `_uses` holds for a tuple of limits, by its identity: callers keep theirs for many calls.
        self._found: dict[int, _Found] = {}
        self._loading: dict[Subject, asyncio.Lock] = {}
        self._next_sweep = 0.0
        self._recall = Recall()
        self._outage = Outage(clock)

    async def admit(self, ask: Ask) -> MemoryLease | Denial:
        while (verdict := self.admit_now(ask)) is None:
            await self._load(ask)
        return verdict

    def admit_now(self, ask: Ask) -> MemoryLease | Denial | None:
        at = self._clock.time()
        pairs = self._ready(ask.limits, at)
        if pairs is None:
            return None
        now = self._clock.monotonic()
        return self._evaluate(ask, pairs, now) or self._take(ask, pairs, at, now)

    async def peek(self, ask: Ask) -> Denial | None:
        while (pairs := self._ready(ask.limits, self._clock.time())) is None:
            await self._load(ask)
        return self._evaluate(ask, pairs, self._clock.monotonic())

    def _ready(self, limits: tuple[LimitSet, ...], at: float) -> _Pairs | None:
        periods = self._periods.at_time(at)
        found = self._found.get(id(limits))
        if found is not None and found.limits is limits and found.periods is periods:
            return found.pairs
        pairs: _Pairs = []
        for values in limits:
            use = self._uses.get(values.subject)
            if use is None or use.periods is not periods:
                return None
            pairs.append((values, use))
        if len(self._found) >= _MAX_FOUND:
            self._found.clear()
        self._found[id(limits)] = _Found(limits, periods, pairs)
        return pairs

    async def _load(self, ask: Ask) -> None:
        for limits in ask.limits:
            await self._load_subject(limits.subject)

    async def _load_subject(self, subject: Subject) -> Use:
        self._sweep()
        lock = self._loading.setdefault(subject, asyncio.Lock())
        try:
            async with lock:
                periods = self._periods.at_time(self._clock.time())
                use = self._uses.get(subject)
                if use is None or use.periods is not periods:
                    await self._read(subject, periods)
                    use = self._uses[subject]
                return use
        finally:
            if not lock.locked():
                self._loading.pop(subject, None)

    async def _read(self, subject: Subject, periods: Mapping[Window, Period]) -> None:
        """Installs what the records say, or where they do not answer what is known without them; raises what they
        raise where nothing is."""
        known = self._recall.of(subject, self._uses.get(subject), periods)
        if known is None:
            await self._ask(subject, periods)
        elif not await self._outage.tried(lambda: self._ask(subject, periods)):
            self._install(subject, periods, known)

    async def _ask(self, subject: Subject, periods: Mapping[Window, Period]) -> None:
        keys = {window: period.key for window, period in periods.items()}
        await self._spend.load(subject, keys, lambda past: self._install(subject, periods, past))

    def _install(self, subject: Subject, periods: Mapping[Window, Period], past: PastUse) -> None:
        now = self._clock.monotonic()
        self._recall.drop(subject)
        use = self._uses.get(subject)
        if use is None:
            use = self._uses[subject] = Use(int(now))
            wall = self._clock.time()
            for at, input_tokens, output in past.recent:
                age = max(0.0, wall - at)
                if age < BUCKETS - 1:
                    second = int(now - age)
                    use.requests.add(second, 1)
                    use.input.add(second, input_tokens)
                    use.output.add(second, output)
        for window, period in periods.items():
            known = use.periods.get(window)
            if known is None or known.key != period.key:
                use.cells[window] = Cell(past.spent.get(window, 0))
        use.open_cells = (use.cells[_DAY], use.cells[_WEEK], use.cells[_MONTH])
        first = not use.periods
        use.periods = periods
        use.touched = now
        if first and subject.kind is not SubjectKind.USER:
            self._adopt(subject, use)

    def _adopt(self, subject: Subject, use: Use) -> None:
        """Calls in flight that the subject did not limit when they were let in count for it from now on."""
        for known, other in self._uses.items():
            if known.kind is not SubjectKind.USER:
                continue
            for lease in other.leases:
                if subject in lease.counted:
                    cells = tuple(c for w, c in use.cells.items() if use.periods[w].start.timestamp() <= lease.at)
                    own = lease.shares[0]
                    _hold(lease, Share(use, own.input, own.output, own.cost, cells))

    def _evaluate(self, ask: Ask, pairs: _Pairs, now: float) -> Denial | None:
        """The refusal that lasts longest among the rates, else among the budgets."""
        room, second = True, int(now)
        for limits, use in pairs:
            if second > use.second:
                use.advance(now)
            room = room and use.has_room(ask, limits)
        if room:
            return None
        uses = [use for _, use in pairs]
        for use in uses:
            # Once a second, so that a flood of calls that are refused does not go through all that are in flight.
            if second > use.searched:
                use.searched = second
                self._drop_dead(use, now)
        return worst_denial(ask, uses, now, self._clock.time())

    def _take(self, ask: Ask, pairs: _Pairs, at: float, now: float) -> MemoryLease:
        lease = MemoryLease(at, int(now), now, ask.counted)
        for limits, use in pairs:
            input_tokens, output = ask.input_tokens, ask.output_tokens
            if (limit := limits.input_tokens) is not None and input_tokens > limit:
                input_tokens = limit
            if (limit := limits.output_tokens) is not None and output > limit:
                output = limit
            use.touched = now
            _hold(lease, Share(use, input_tokens, output, ask.cost, use.open_cells))
        return lease

    def settle(self, lease: MemoryLease, input_tokens: int, output_tokens: int, cost: Nanos, call_id: str = "") -> None:
        if not lease.open:
            return
        lease.open = False
        now = self._clock.monotonic()
        for share in lease.shares:
            use = share.use
            use.advance(now)
            use.touched = now
            use.lasting += 0.2 * (now - lease.second - use.lasting)
            _correct(use.input, lease.second, share.input, input_tokens, use.second)
            _correct(use.output, lease.second, share.output, output_tokens, use.second)
        self._let_go(lease, cost)

    def cancel(self, lease: MemoryLease) -> None:
        if not lease.open:
            return
        lease.open = False
        now = self._clock.monotonic()
        for share in lease.shares:
            use = share.use
            use.advance(now)
            if use.second - lease.second < BUCKETS:
                use.requests.take_back(lease.second, 1)
                use.input.take_back(lease.second, share.input)
                use.output.take_back(lease.second, share.output)
        self._let_go(lease)

    def ended(self, subject: Subject, second: int, input_tokens: int, output_tokens: int) -> None:
        """A call that was let in elsewhere, in that second, is over: the records had not got it when they were read."""
        use = self._uses.get(subject)
        if use is None:
            return
        use.advance(self._clock.monotonic())
        if use.second - second < BUCKETS:
            use.requests.add(second, 1)
            use.input.add(second, input_tokens)
            use.output.add(second, output_tokens)

    def renew(self, lease: MemoryLease) -> None:
        lease.touched = self._clock.monotonic()

    async def use_of(self, subject: Subject) -> SubjectUse:
        use = await self._load_subject(subject)
        now = self._clock.monotonic()
        use.advance(now)
        return use.told(now)

    async def active(self) -> AsyncIterator[ActiveUse]:
        for number, (subject, use) in enumerate(tuple(self._uses.items())):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            now = self._clock.monotonic()
            if use.leases or now - use.touched <= BUCKETS:
                use.advance(now)
                yield use.at(subject)

    def room_of(self, limits: Sequence[LimitSet], *, caps: bool = True) -> Room:
        now = self._clock.monotonic()
        requests = tokens_in = tokens_out = cap = None
        for values in limits:
            use = self._uses.get(values.subject)
            if use is None:
                continue
            use.advance(now)
            if (limit := values.requests) is not None:
                requests = use.requests.tighter(requests, limit, now, use.second)
            if (limit := values.input_tokens) is not None:
                tokens_in = use.input.tighter(tokens_in, limit, now, use.second)
            if (limit := values.output_tokens) is not None:
                tokens_out = use.output.tighter(tokens_out, limit, now, use.second)
            if not caps:
                continue
            for window, most in ((_DAY, values.day), (_WEEK, values.week), (_MONTH, values.month)):
                if most is not None:
                    cap = tighter_cap(cap, CapRoom(window, most, use.cells[window].spent, use.periods[window].end))
        return Room(requests, tokens_in, tokens_out, cap)

    def forget(self, subject: Subject | None = None) -> None:
        gone = [s for s in self._uses if s.kind is not SubjectKind.USER] if subject is None else [subject]
        for known in gone:
            self._uses.pop(known, None)
            self._recall.drop(known)
        if subject is None:
            self._recall.drop_shared()
        self._found.clear()

    @staticmethod
    def _let_go(lease: MemoryLease, spent: int = 0) -> None:
        """Gives back slot and reservation, once, for what was spent."""
        held, lease.held = lease.held, False
        for share in lease.shares:
            reserved = 0
            if held:
                share.use.leases.discard(lease)
                reserved = share.cost
            for cell in share.cells:
                cell.spent += spent
                cell.reserved -= reserved

    def _drop_dead(self, use: Use, now: float) -> None:
        for lease in [x for x in use.leases if now - x.touched > LEASE_SECONDS]:
            self._let_go(lease)

    def _sweep(self) -> None:
        """Forgets subjects that have been quiet for five minutes, so that memory follows the active ones."""
        now = self._clock.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for subject, use in tuple(self._uses.items()):
            self._drop_dead(use, now)
            if not use.leases and now - use.touched > _IDLE_SECONDS:
                self._recall.keep(subject, use)
                del self._uses[subject]
        self._found.clear()


def _hold(lease: MemoryLease, share: Share) -> None:
    """Takes the share out of what its subject has."""
    use, second = share.use, lease.second
    if use.second - second < BUCKETS:
        index = second % BUCKETS
        requests, inputs, outputs = use.requests, use.input, use.output
        requests.slots[index] += 1
        requests.total += 1
        inputs.slots[index] += share.input
        inputs.total += share.input
        outputs.slots[index] += share.output
        outputs.total += share.output
    use.leases.add(lease)
    cost = share.cost
    for cell in share.cells:
        cell.reserved += cost
    lease.shares.append(share)


def _correct(rate: Rate, taken_at: int, reserved: int, actual: int, newest: int) -> None:
    """What was used beyond the reservation counts from now on; what was not needed is free again."""
    if actual > reserved:
        rate.add(newest, actual - reserved)
    elif actual < reserved and newest - taken_at < BUCKETS:
        rate.take_back(taken_at, reserved - actual)
