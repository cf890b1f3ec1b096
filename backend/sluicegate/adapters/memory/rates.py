"""What is counted by the second, and what is left of it."""

from __future__ import annotations

from sluicegate.ports.policy import RateRoom

BUCKETS = 61


class Rate:
    """What one dimension used in each of the last 61 seconds."""

    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots = [0] * BUCKETS
        self.total = 0

    def add(self, second: int, amount: int) -> None:
        self.slots[second % BUCKETS] += amount
        self.total += amount

    def take_back(self, second: int, amount: int) -> None:
        index = second % BUCKETS
        amount = min(amount, self.slots[index])
        self.slots[index] -= amount
        self.total -= amount

    def seconds_until(self, needed: int, now: float, newest: int) -> float:
        """How long until `needed` of what is counted has left the window."""
        for second in range(newest - BUCKETS + 1, newest + 1):
            needed -= self.slots[second % BUCKETS]
            if needed <= 0:
                return second + BUCKETS - now
        return float(BUCKETS)

    def resets_in(self, now: float, newest: int) -> float:
        """How long until all that is counted has left the window."""
        if self.total:
            for second in range(newest, newest - BUCKETS, -1):
                if self.slots[second % BUCKETS]:
                    return second + BUCKETS - now
        return 0.0

    def tighter(self, known: RateRoom | None, limit: int, now: float, newest: int) -> RateRoom:
        """Of what is left here and elsewhere, the lesser."""
        remaining = limit - self.total
        if known is not None and known.remaining <= remaining:
            return known
        # Something was mostly counted just now.
        resets_in = newest + BUCKETS - now if self.slots[newest % BUCKETS] else self.resets_in(now, newest)
        return RateRoom(limit, remaining if remaining > 0 else 0, resets_in)
