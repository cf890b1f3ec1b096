"""What scripts answer, as the values that the rest of the server knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluicegate.adapters.memory.rates import BUCKETS
from sluicegate.adapters.memory.uses import Cell, Use
from sluicegate.adapters.redis.leases import subject_of
from sluicegate.domain.policy import Subject, Window
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import ActiveUse, Ask, CapRoom, Counts, LimitSet, RateRoom, Room, tighter_cap

_MAX_SEEN = 100_000


class Pictured(Use):
    """All that is counted for a subject, as a script found it."""

    __slots__ = ("_concurrent",)

    def __init__(self, picture: Sequence[Any], periods: Mapping[Window, Period]) -> None:
        second, concurrent, lasting, *money, slots = picture
        super().__init__(second)
        self._concurrent = concurrent
        self.lasting = float(lasting)
        self.periods = periods
        for number, window in enumerate(Window):
            cell = self.cells[window] = Cell(int(money[number]))
            cell.reserved = int(money[number + 3])
        for number, rate in enumerate((self.requests, self.input, self.output)):
            rate.slots = [int(value or 0) for value in slots[number::3]]
            rate.total = sum(rate.slots)

    @property
    def concurrent(self) -> int:
        return self._concurrent


def active_use(found: Sequence[Any]) -> ActiveUse:
    name, concurrent, *counts = found
    minute, second = Counts(*map(int, counts[:3])), Counts(*map(int, counts[3:]))
    return ActiveUse(subject_of(name.decode()), minute, second, concurrent)


class _Seen:
    """What was last told of a subject: sums over the last 61 seconds, and in which second each grew last."""

    __slots__ = ("grew", "spent", "sums")

    def __init__(self, sums: list[int], grew: list[int], spent: list[int]) -> None:
        self.sums = sums
        self.grew = grew
        self.spent = spent

    def rate(self, known: RateRoom | None, limit: int, index: int, now: float) -> RateRoom:
        left = self.grew[index] + BUCKETS - now
        total = self.sums[index] if left > 0 else 0
        remaining = limit - total
        if known is not None and known.remaining <= remaining:
            return known
        return RateRoom(limit, max(0, remaining), left if total else 0.0)


class Rooms:
    """What is left for callers, from the latest answers: asked for with every call, and told without asking anybody."""

    def __init__(self) -> None:
        self._seen: dict[Subject, _Seen] = {}

    def admitted(self, ask: Ask, now: float, figures: Sequence[Any]) -> None:
        second, taken = int(now), (1, ask.input_tokens, ask.output_tokens)
        for number, limits in enumerate(ask.limits):
            r, i, o, *spent = (int(value) for value in figures[6 * number : 6 * number + 6])
            before = self._seen.get(limits.subject)
            grew = [second if amount or before is None else before.grew[index] for index, amount in enumerate(taken)]
            self._note(limits.subject, _Seen([r, i, o], grew, spent))

    def pictured(self, subject: Subject, use: Pictured, now: float) -> None:
        rates = (use.requests, use.input, use.output)
        grew = [int(now + rate.resets_in(now, use.second)) - BUCKETS for rate in rates]
        spent = [cell.spent for cell in use.cells.values()]
        self._note(subject, _Seen([rate.total for rate in rates], grew, spent))

    def _note(self, subject: Subject, seen: _Seen) -> None:
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        self._seen[subject] = seen

    def settled(self, ask: Ask, input_tokens: int, output_tokens: int, cost: int, now: float) -> None:
        """What the script will do, so that nobody has to wait for its word."""
        for limits in ask.limits:
            seen = self._seen.get(limits.subject)
            if seen is None:
                continue
            for index, reserved, limit, actual in (
                (1, ask.input_tokens, limits.input_tokens, input_tokens),
                (2, ask.output_tokens, limits.output_tokens, output_tokens),
            ):
                more = actual - (reserved if limit is None else min(reserved, limit))
                seen.sums[index] = max(0, seen.sums[index] + more)
                if more > 0:
                    seen.grew[index] = int(now)
            seen.spent = [spent + cost for spent in seen.spent]

    def of(self, limits: Iterable[LimitSet], periods: Mapping[Window, Period], now: float, *, caps: bool) -> Room:
        requests = tokens_in = tokens_out = cap = None
        for values in limits:
            seen = self._seen.get(values.subject)
            if seen is None:
                continue
            if (limit := values.requests) is not None:
                requests = seen.rate(requests, limit, 0, now)
            if (limit := values.input_tokens) is not None:
                tokens_in = seen.rate(tokens_in, limit, 1, now)
            if (limit := values.output_tokens) is not None:
                tokens_out = seen.rate(tokens_out, limit, 2, now)
            if not caps:
                continue
            for window, spent in zip(Window, seen.spent, strict=True):
                most: int | None = getattr(values, window.value)
                if most is not None:
                    cap = tighter_cap(cap, CapRoom(window, most, spent, periods[window].end))
        return Room(requests, tokens_in, tokens_out, cap)
