"""What a process has for itself that no other one shares."""

from __future__ import annotations

from sluicegate.adapters.memory.kept import MemoryKept
from sluicegate.kit.clock import Clock
from sluicegate.kit.tallies import LocalTallies, Tallies


class MemoryShared:
    """Implements ports.shared.Shared for a process that is alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.kept = MemoryKept(clock)

    @property
    def live(self) -> None:
        """There is nobody to meet."""

    def tallies(self, purpose: str) -> Tallies:
        return LocalTallies(self._clock)

    async def close(self) -> None:
        return
