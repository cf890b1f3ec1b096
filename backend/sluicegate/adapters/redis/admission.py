"""Counters, slots and budgets that processes share through Redis: what is let in is decided there, in one step.

While Redis is away every process serves from its part of each limit, or none is served; see `shares.py`. What happened
meanwhile is told to Redis when it is back. How a Redis that was emptied learns what it knew: see docs/operations.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence

import msgspec
import structlog

from sluicegate.adapters.memory.denials import worst_denial
from sluicegate.adapters.memory.outage import Outage
from sluicegate.adapters.redis import scripts
from sluicegate.adapters.redis.leases import Packed, RedisLease, name_of
from sluicegate.adapters.redis.line import Away, Reply
from sluicegate.adapters.redis.link import Link, RedisOptions
from sluicegate.adapters.redis.owed import Owed
from sluicegate.adapters.redis.replies import Pictured, Rooms, active_use
from sluicegate.adapters.redis.scripts import TAKEN, WAIT
from sluicegate.adapters.redis.shares import Shares
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import Period, PeriodClock
from sluicegate.ports.policy import (
    ActiveUse,
    Ask,
    CountersUnavailable,
    Denial,
    LimitSet,
    PastUse,
    Records,
    Room,
    SubjectUse,
)

_PAGE = 200
_LOAD_SECONDS, _LOAD_PAUSE = 3.0, 0.02
# As often records are read for a subject of which other processes' calls end meanwhile.
_READ_TIMES = 5
_FLUSH_SECONDS = 5.0

log = structlog.get_logger()


class RedisAdmission:
    """Implements ports.policy.AdmissionStore. `start` before the first call, `close` after the last. There is one
    `prefix` for a deployment; `server_time` gives the time in place of Redis's own, in seconds."""

    def __init__(
        self,
        url: str,
        prefix: str,
        records: Records,
        clock: Clock,
        periods: PeriodClock,
        *,
        fail_closed: bool = False,
        options: RedisOptions | None = None,
        server_time: Callable[[], float] | None = None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._periods = periods
        self._fail_closed = fail_closed
        self._options = options or RedisOptions()
        self._link = Link(url, prefix, clock, self._options, server_time, self._lose)
        self._owed = Owed(self._link, records, clock, self._emptied)
        # Others, who read the records, are told since when these have a call.
        records.listen(self._owed.note_recorded)
        self._packed = Packed()
        self._rooms = Rooms()
        self._shares: Shares | None = None
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._outage = Outage(clock)
        self._shared = False
        # While the last of what Redis has to hear is told, new calls wait.
        self._pause: asyncio.Future[None] | None = None
        self._news = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.outages = 0

    @property
    def shared(self) -> bool:
        """Whether calls are counted together with those of other processes."""
        return self._shared

    @property
    def epoch(self) -> str:
        """The name of what all count in who count together; see docs/decisions/0005-redis-epochs.md."""
        return self._link.epoch

    @property
    def waiting(self) -> int:
        """Calls that have ended and that Redis has not heard of."""
        return len(self._owed)

    async def start(self, unread: Collection[Subject] = ()) -> None:
        """`unread` are subjects of which the records have calls that Redis may not have heard of. Raises
        CountersUnavailable when Redis cannot be had: a process that has never met the others does not know what its
        part of the limits is."""
        try:
            await self._catch_up([name_of(subject) for subject in unread])
        except Away as error:
            await self._link.close()
            raise CountersUnavailable(f"Redis is not there: {error}") from None
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> set[Subject]:
        """Tells Redis what it can of how calls ended; what it cannot is in the records, and given is whose it is."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        for task in self._loading.values():
            task.cancel()
        if self._shared:
            with contextlib.suppress(Away):
                await self.drain()
                # Whoever reads the records does not wait for a process that has left: they must have all of its calls.
                with contextlib.suppress(Exception):
                    await self._flush()
                await self._link.beat("leave", [])
        self._shared = self._owed.flowing = False
        await self._link.close()
        return self._owed.untold()

    # Decisions

    def admit_now(self, ask: Ask) -> RedisLease | Denial | None:
        return None

    async def admit(self, ask: Ask) -> RedisLease | Denial:
        while await self._together():
            lease = self._lease(ask, self._link.epoch)
            periods = self._periods.at_time(lease.at)
            try:
                reply = await self._decide(lease.id, lease)
            except Away:
                self._abandon(lease)
                continue
            except asyncio.CancelledError:
                self._abandon(lease)
                raise
            if reply[0] == TAKEN:
                self._owed.admitted(lease)
                self._rooms.admitted(ask, float(reply[1]), reply[2:])
                return lease
            verdict = await self._refused(reply, ask, periods)
            if verdict is not None:
                return verdict
        shares = self._apart()
        verdict = await shares.admit(ask)
        if shares is not self._shares:
            # Redis came back meanwhile, and was told of all calls but this one.
            if not isinstance(verdict, Denial):
                shares.cancel(verdict)
            return await self.admit(ask)
        if isinstance(verdict, Denial):
            return verdict
        lease = self._lease(ask, "")
        lease.local = verdict
        self._owed.admitted(lease)
        return lease

    async def peek(self, ask: Ask) -> Denial | None:
        while await self._together():
            lease = self._lease(ask, "")
            periods = self._periods.at_time(lease.at)
            try:
                reply = await self._decide("", lease)
            except Away:
                continue
            if reply[0] == TAKEN:
                return None
            verdict = await self._refused(reply, ask, periods)
            if verdict is not None:
                return verdict
        return await self._apart().peek(ask)

    def _lease(self, ask: Ask, epoch: str) -> RedisLease:
        at = self._clock.time()
        periods = self._periods.at_time(at)
        return RedisLease(new_id(), ask, self._packed.of(ask), at, periods, epoch, self._clock.monotonic())

    async def _decide(self, lease_id: str, lease: RedisLease) -> Reply:
        ask = lease.ask
        self._owed.ship()
        return await self._link.call(
            "admit",
            lease_id,
            lease.subjects,
            ask.input_tokens,
            ask.output_tokens,
            ask.cost,
            *lease.periods,
            self._options.lease,
        )

    async def _refused(self, reply: Reply, ask: Ask, periods: Mapping[Window, Period]) -> Denial | None:
        """The denial, or None where the call has to be decided again."""
        match reply[0]:
            case scripts.DENIED:
                now = float(reply[1])
                uses = [Pictured(picture, periods) for picture in reply[2]]
                for limits, use in zip(ask.limits, uses, strict=True):
                    self._rooms.pictured(limits.subject, use, now)
                return worst_denial(ask, uses, now, self._clock.time())
            case scripts.UNKNOWN:
                names = {name_of(limits.subject): limits.subject for limits in ask.limits}
                await self._load(names[name.decode()] for name in reply[1])
            case scripts.GONE:
                self._emptied()
            case _:
                pass
        return None

    def _abandon(self, lease: RedisLease) -> None:
        """Whether it was let in is not known, so it is given back."""
        lease.cancelled = True
        self._owed.ended(lease)

    # What became of calls

    def settle(self, lease: RedisLease, input_tokens: int, output_tokens: int, cost: Nanos, call_id: str = "") -> None:
        if not lease.open:
            return
        lease.call_id = call_id
        lease.ended = (input_tokens, output_tokens, cost)
        if self._shares is not None:
            if lease.local is not None:
                self._shares.settle(lease.local, input_tokens, output_tokens, cost)
            else:
                self._shares.ended(lease)
        self._rooms.settled(lease.ask, input_tokens, output_tokens, cost, self._link.now())
        self._owed.ended(lease)

    def cancel(self, lease: RedisLease) -> None:
        if not lease.open:
            return
        lease.cancelled = True
        if self._shares is not None:
            if lease.local is not None:
                self._shares.cancel(lease.local)
            else:
                self._shares.ended(lease)
        self._owed.ended(lease)

    def renew(self, lease: RedisLease) -> None:
        self._owed.renew(lease)
        if self._shares is not None and lease.local is not None:
            self._shares.renew(lease.local)

    async def drain(self) -> None:
        """Returns when Redis has heard how all calls that have ended did; raises Away."""
        await self._owed.drain()

    # Looking

    async def use_of(self, subject: Subject) -> SubjectUse:
        while await self._together():
            periods = self._periods.at_time(self._clock.time())
            self._owed.ship()
            try:
                reply = await self._link.ask("read", name_of(subject), *(period.key for period in periods.values()))
            except Away:
                continue
            if reply[0] == TAKEN:
                return Pictured(reply[2], periods).told(float(reply[1]))
            await self._load([subject])
        return await self._apart().use_of(subject)

    async def active(self) -> AsyncIterator[ActiveUse]:
        place, seen = b"0", set[bytes]()
        while await self._together():
            self._owed.ship()
            try:
                _, _, found, place = await self._link.ask("active", place, _PAGE)
            except Away:
                return
            for use in found:
                if use[0] not in seen:
                    seen.add(use[0])
                    yield active_use(use)
            if place == b"0":
                return
        if not self._fail_closed:
            async for use in self._apart().active():
                yield use

    def room_of(self, limits: Sequence[LimitSet], *, caps: bool = True) -> Room:
        if self._shares is not None:
            return self._shares.room_of(limits, caps=caps)
        return self._rooms.of(limits, self._periods.at_time(self._clock.time()), self._link.now(), caps=caps)

    def forget(self, subject: Subject | None = None) -> None:
        # In Redis a subject that was ever read counts all calls of its own, whether it limits them or not.
        if self._shared and subject is not None:
            self._link.call("ask", name_of(subject))
        if self._shares is not None:
            self._shares.forget(subject)

    # Subjects that Redis does not know

    async def _load(self, subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            name = name_of(subject)
            task = self._loading.get(name)
            if task is None:
                task = self._loading[name] = asyncio.create_task(self._install(subject))
                task.add_done_callback(lambda _, name=name: self._loading.pop(name, None))
            await asyncio.shield(task)

    async def _install(self, subject: Subject) -> None:
        name, link = name_of(subject), self._link
        keys = {window: period.key for window, period in self._periods.at_time(self._clock.time()).items()}
        read: list[tuple[PastUse, int]] = []
        patience, tries = _LOAD_SECONDS / _LOAD_PAUSE, 0
        try:
            while patience > 0:
                begun = await link.ask("begin", name, link.node)
                if begun[0] != WAIT:
                    read.clear()
                    if not await self._read(subject, keys, read, [call.decode() for call in begun[4]]):
                        return
                    past, number = read[0]
                    self._owed.ship()
                    tries += 1
                    if await self._installed(name, begun, keys, past, number, last=tries >= _READ_TIMES):
                        return
                # Another process is catching up: what it has to tell must be in the records first.
                await asyncio.sleep(_LOAD_PAUSE)
                patience -= 1
        except Away as error:
            self._lose(error)
        else:
            raise CountersUnavailable("others are still telling Redis what they know")

    async def _read(
        self, subject: Subject, keys: dict[Window, str], read: list[tuple[PastUse, int]], calls: Sequence[str]
    ) -> bool:
        """Puts what the records say into `read`; False where they do not answer, and Redis knows all there is."""

        async def load() -> None:
            await self._records.load(subject, keys, lambda past: read.append((past, self._owed.number)), calls)

        # Only a user's calls count for it whatever is set, so that Redis has heard of all of them.
        if subject.kind is SubjectKind.USER:
            if await self._outage.tried(load):
                return True
            if (await self._link.ask("carry", name_of(subject), *keys.values()))[0] == TAKEN:
                return False
        await load()
        return True

    async def _installed(
        self, name: str, begun: Reply, keys: Mapping[Window, str], past: PastUse, number: int, *, last: bool
    ) -> bool:
        wall, link = self._clock.time(), self._link
        # What came to the records before that is in what they said.
        began = float(begun[1]) if past.asked is None else past.asked + link.offset - link.doubt
        recent = [(max(0.0, wall - at), tokens, output) for at, tokens, output in past.recent]
        reply = await link.ask(
            "install",
            name,
            begun[2],
            f"{began:.6f}",
            link.node,
            number,
            *keys.values(),
            *(str(past.spent.get(window, 0)) for window in keys),
            msgspec.msgpack.encode(recent),
            msgspec.msgpack.encode(list(past.counted)),
            # Whoever goes on calling must not be kept waiting by others who do.
            "" if last else begun[3],
        )
        return reply[0] == TAKEN

    # With Redis, and without

    async def _together(self) -> bool:
        """Whether Redis decides."""
        while self._pause is not None:
            await asyncio.shield(self._pause)
        return self._shared

    def _apart(self) -> Shares:
        if self._shares is None:
            raise CountersUnavailable("Redis is away")
        return self._shares

    def _emptied(self) -> None:
        self._lose(Away("Redis was emptied"))

    def _lose(self, reason: Exception) -> None:
        self._news.set()
        if not self._shared:
            return
        self._shared = self._owed.flowing = False
        self.outages += 1
        processes = self._link.processes
        if not self._fail_closed:
            flying = self._owed.open()
            self._shares = Shares(self._records, self._clock, self._periods, processes, flying)
        log.warning("redis.away", reason=str(reason), serving=not self._fail_closed, share=f"1/{processes}")

    async def _keep(self) -> None:
        while True:
            pause = self._options.beat if self._shared else self._options.retry
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)
            self._news.clear()
            self._owed.note_recorded()
            try:
                if self._shared:
                    await self._link.beat("", self._owed.to_renew())
                    await self._owed.answer()
                else:
                    await self._catch_up()
                    log.info("redis.back")
            except Away as error:
                log.debug("redis.not_there", reason=str(error))
                self._lose(error)
            except Exception as error:
                # The records, for example, may be away as well.
                log.warning("redis.not_caught_up", error=type(error.__cause__ or error).__name__)
            if not self._shared:
                await asyncio.sleep(self._options.retry)

    async def _catch_up(self, unread: Sequence[str] = ()) -> None:
        """From no Redis to one that knows all that this process knows. Raises Away, and what the records raise."""
        await self._link.open()
        try:
            await asyncio.sleep(await self._link.enter())
            self._owed.entered()
            await self._tell()
            for start in range(0, len(unread), _PAGE):
                await self._link.ask("unread", *unread[start : start + _PAGE])
            await self._join()
        finally:
            # Others must not wait for a process that cannot catch up.
            await self._link.beat("release", [])

    async def _join(self) -> None:
        self._pause = asyncio.get_running_loop().create_future()
        try:
            while self._owed.behind:
                await self._tell()
            self._shared = self._owed.flowing = True
            self._shares = None
        finally:
            self._pause.set_result(None)
            self._pause = None

    async def _tell(self) -> None:
        """What the records have before others read them need not be told of; all else is."""
        await self._flush()
        self._owed.note_recorded()
        await self._owed.catch_up()

    async def _flush(self) -> None:
        async with asyncio.timeout(_FLUSH_SECONDS):
            await self._records.flush()
