"""A call that was let in, as this process knows it and as scripts are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sluicegate.adapters.memory.uses import MemoryLease
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import Ask, LimitSet

_encoder = msgspec.msgpack.Encoder()
_MAX_PACKED = 100_000
_GREAT = 10**15


def name_of(subject: Subject) -> str:
    return f"{subject.kind}:{subject.id}"


def subject_of(name: str) -> Subject:
    kind, _, subject_id = name.partition(":")
    return Subject(SubjectKind(kind), subject_id)


def _values(limits: LimitSet) -> tuple[object, ...]:
    rates = (limits.requests, limits.input_tokens, limits.output_tokens, limits.concurrent_requests)
    # Great amounts as text: Lua's numbers are exact up to 2^53 alone.
    caps = (limits.day, limits.week, limits.month)
    return (
        name_of(limits.subject),
        *(False if value is None else value for value in rates),
        *(False if cap is None else cap if cap < _GREAT else str(cap) for cap in caps),
    )


class Packed:
    """The subjects of asks as scripts take them, made once for a tuple of limits, which callers keep for many calls."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[tuple[LimitSet, ...], tuple[Subject, ...], bytes]] = {}

    def of(self, ask: Ask) -> bytes:
        key = id(ask.limits), id(ask.counted)
        found = self._known.get(key)
        if found is not None and found[0] is ask.limits and found[1] is ask.counted:
            return found[2]
        packed = _encoder.encode(([_values(limits) for limits in ask.limits], [name_of(s) for s in ask.counted]))
        if len(self._known) >= _MAX_PACKED:
            self._known.clear()
        self._known[key] = (ask.limits, ask.counted, packed)
        return packed


class RedisLease:
    """Implements ports.policy.Lease. `epoch` is where Redis has it, empty for a call that was let in without Redis;
    then `local` holds it. `ended` is how it ended: input and output tokens and cost; `told` whether Redis knows that,
    and `call_id` is what the records know it by.
    `mark` counts the calls that the records have once this one is among them, and `recorded` is since when they do.
    `at` is in seconds since the epoch, other times are of the monotonic clock."""

    __slots__ = (
        "ask",
        "at",
        "call_id",
        "cancelled",
        "ended",
        "epoch",
        "id",
        "local",
        "mark",
        "number",
        "open",
        "periods",
        "recorded",
        "renewed",
        "since",
        "subjects",
        "told",
        "touched",
    )

    def __init__(
        self,
        lease_id: str,
        ask: Ask,
        subjects: bytes,
        at: float,
        periods: Mapping[Window, Period],
        epoch: str,
        now: float,
    ) -> None:
        self.id = lease_id
        self.ask = ask
        self.subjects = subjects
        self.at = at
        self.periods = tuple(periods[window].key for window in Window)
        self.epoch = epoch
        self.local: MemoryLease | None = None
        self.since = self.touched = self.renewed = now
        self.open = True
        self.cancelled = self.told = False
        self.call_id = ""
        self.recorded: float | None = None
        self.ended: tuple[int, int, int] = (0, 0, 0)
        self.mark = self.number = 0

    def _head(self, offset: float) -> tuple[object, ...]:
        """`offset` takes the monotonic clock to that of Redis."""
        ask = self.ask
        return (int(self.since + offset), ask.input_tokens, ask.output_tokens, str(ask.cost), *self.periods)

    def announcement(self, offset: float) -> bytes:
        return _encoder.encode((self.id, self._head(offset), msgspec.Raw(self.subjects)))

    def end(self) -> bytes:
        """As far as it counts for what is spent."""
        told = (self.number, str(self.ended[2]), self.call_id, *self.periods)
        return _encoder.encode((*told, msgspec.Raw(self.subjects)))

    def settlement(self, epoch: str, offset: float, doubt: float = 0.0) -> bytes:
        """For a Redis of the given epoch; one of another than the lease's hears all of the call. `offset` may be wrong
        by `doubt`."""
        input_tokens, output_tokens, cost = self.ended
        told = (self.id, self.epoch, self.number, self.cancelled, input_tokens, output_tokens, str(cost), self.call_id)
        if self.epoch == epoch or self.cancelled:
            return _encoder.encode(told)
        since = False if self.recorded is None else self.recorded + offset + doubt
        return _encoder.encode((*told, since, self._head(offset), msgspec.Raw(self.subjects)))


def merged(leases: Iterable[RedisLease]) -> list[RedisLease]:
    """Ended calls that are in the records and that no rate counts any more, as few that cost the same: one for all with
    the same subjects and periods."""
    sums: dict[tuple[bytes, tuple[str, ...]], RedisLease] = {}
    for lease in leases:
        whole = sums.setdefault((lease.subjects, lease.periods), lease)
        if whole is not lease:
            whole.ended = (0, 0, whole.ended[2] + lease.ended[2])
            whole.recorded = max(whole.recorded or 0.0, lease.recorded or 0.0)
    return list(sums.values())
