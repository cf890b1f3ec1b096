"""Counts that end: how often something was done in a span of time."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sluicegate.kit.clock import Clock

_MOST = 20_000


class Tally(NamedTuple):
    """At most `most` in a span of `seconds`, which begins with the first."""

    name: str
    most: int
    seconds: float


class Count(NamedTuple):
    """How many there are, and for how many seconds still."""

    number: int
    left: float


class Tallies(Protocol):
    """Bounded in number: those that are over go first, then those that counted least. Of one process, or of all that
    share them; as long as that cannot be, of one process."""

    async def take(self, *tallies: Tally) -> float | None:
        """Counts one in each, in one step; or in none, and gives the seconds until the first that is full begins
        anew."""
        ...

    async def counts(self, *names: str) -> list[Count]: ...
    async def give_back(self, name: str, *, whole: bool = False) -> None:
        """As if the last of a count, or the whole of it, had not been."""
        ...


class LocalTallies:
    """Implements Tallies in the memory of this process."""

    def __init__(self, clock: Clock, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        # How many, and when the span ends.
        self._counts: dict[str, tuple[int, float]] = {}

    async def take(self, *tallies: Tally) -> float | None:
        now = self._clock.monotonic()
        for tally in tallies:
            number, ends = self._of(tally.name, now)
            if number >= tally.most:
                return ends - now
        for tally in tallies:
            number, ends = self._of(tally.name, now)
            if tally.name not in self._counts and len(self._counts) >= self._most:
                self._make_room(now)
            self._counts[tally.name] = number + 1, ends if number else now + tally.seconds
        return None

    async def counts(self, *names: str) -> list[Count]:
        now = self._clock.monotonic()
        return [Count(number, ends - now) for number, ends in (self._of(name, now) for name in names)]

    async def give_back(self, name: str, *, whole: bool = False) -> None:
        number, ends = self._of(name, self._clock.monotonic())
        if whole or number <= 1:
            self._counts.pop(name, None)
        else:
            self._counts[name] = number - 1, ends

    def _of(self, name: str, now: float) -> tuple[int, float]:
        number, ends = self._counts.get(name, (0, now))
        return (number, ends) if ends > now else (0, now)

    def _make_room(self, now: float) -> None:
        """A flood of invented names must not wash away the counts that stop somebody."""
        over = [name for name, (_, ends) in self._counts.items() if ends <= now]
        for name in over or sorted(self._counts, key=lambda name: self._counts[name][0])[: max(1, self._most // 10)]:
            del self._counts[name]
