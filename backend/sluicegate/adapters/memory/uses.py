"""What is counted for one subject, and what each call has taken of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sluicegate.adapters.memory.rates import BUCKETS, Rate
from sluicegate.domain.policy import Dimension, Subject, Window
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import ActiveUse, Ask, Counts, LimitSet, SubjectUse

_DAY, _WEEK, _MONTH = Window.DAY, Window.WEEK, Window.MONTH


class Cell:
    """Money of one subject in one period, in nano-dollars."""

    __slots__ = ("reserved", "spent")

    def __init__(self, spent: int) -> None:
        self.spent = spent
        self.reserved = 0


class Use:
    """All that is counted for one subject."""

    __slots__ = (
        "cells",
        "input",
        "lasting",
        "leases",
        "open_cells",
        "output",
        "periods",
        "requests",
        "searched",
        "second",
        "touched",
    )

    def __init__(self, second: int) -> None:
        self.second = second
        self.requests, self.input, self.output = Rate(), Rate(), Rate()
        self.leases: set[MemoryLease] = set()
        self.cells: dict[Window, Cell] = {}
        # The same in the order day, week, month, as each lease keeps them.
        self.open_cells: tuple[Cell, ...] = ()
        self.periods: Mapping[Window, Period] = {}
        self.touched = 0.0
        # The second in which dead leases were looked for last.
        self.searched = second - 1
        # How long calls take from admission to settlement, in seconds; follows the latest.
        self.lasting = 4.0

    @property
    def concurrent(self) -> int:
        """How many calls are in flight."""
        return len(self.leases)

    def has_room(self, ask: Ask, limits: LimitSet) -> bool:
        """Whether nothing at all stands in the way, which is so for nearly every call. Dead leases still count here."""
        requests, inputs, outputs, slots, by_day, by_week, by_month = limits.bounds
        day, week, month = self.open_cells
        cost = ask.cost
        return (
            self.requests.total < requests
            and self.input.total + (ask.input_tokens or 1) <= inputs
            and self.output.total + (ask.output_tokens or 1) <= outputs
            and len(self.leases) < slots
            and day.spent + day.reserved + cost <= by_day
            and week.spent + week.reserved + cost <= by_week
            and month.spent + month.reserved + cost <= by_month
        )

    def advance(self, now: float) -> None:
        """Forgets what has left the window; nothing is done before the next `second`."""
        second = int(now)
        gone = second - self.second
        if gone <= 0:
            return
        self.second = second
        for rate in (self.requests, self.input, self.output):
            if not rate.total:
                continue
            for passed in range(second - min(gone, BUCKETS) + 1, second + 1):
                index = passed % BUCKETS
                rate.total -= rate.slots[index]
                rate.slots[index] = 0

    def at(self, subject: Subject) -> ActiveUse:
        """As of the last `advance`."""
        rates = (self.requests, self.input, self.output)
        last = (self.second - 1) % BUCKETS
        minute, second = Counts(*(rate.total for rate in rates)), Counts(*(rate.slots[last] for rate in rates))
        return ActiveUse(subject, minute, second, self.concurrent)

    def told(self, now: float) -> SubjectUse:
        """All of it, as of the last `advance`; `now` in seconds of the clock that it counts by."""
        rates = {
            Dimension.REQUESTS: self.requests,
            Dimension.INPUT_TOKENS: self.input,
            Dimension.OUTPUT_TOKENS: self.output,
        }
        return SubjectUse(
            used={dimension: rate.total for dimension, rate in rates.items()}
            | {Dimension.CONCURRENT_REQUESTS: self.concurrent},
            resets_in={dimension: rate.resets_in(now, self.second) for dimension, rate in rates.items()},
            spent={window: Nanos(cell.spent) for window, cell in self.cells.items()},
            reserved={window: Nanos(cell.reserved) for window, cell in self.cells.items()},
        )


class Share(msgspec.Struct, frozen=True, eq=False):
    """What one lease took from one subject."""

    use: Use
    input: int
    output: int
    cost: int
    cells: tuple[Cell, ...]


class MemoryLease(msgspec.Struct, eq=False):
    """An admitted call; `held` is False once its slot and reservation are given back, `open` once it is settled. `at`
    is in seconds since the epoch, other times are of the monotonic clock."""

    at: float
    second: int
    touched: float
    counted: tuple[Subject, ...]
    shares: list[Share] = []
    held: bool = True
    open: bool = True
