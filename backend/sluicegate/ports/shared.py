"""What processes share beside policy and limits: with others through Redis, or with nobody."""

from __future__ import annotations

from typing import Protocol

from sluicegate.kit.tallies import Tallies
from sluicegate.ports.kept import KeptOwners
from sluicegate.ports.live import LiveExchange


class Shared(Protocol):
    """Lives as long as the process; `close` at the end."""

    @property
    def kept(self) -> KeptOwners: ...
    @property
    def live(self) -> LiveExchange | None:
        """None for a process that is alone."""
        ...

    def tallies(self, purpose: str) -> Tallies:
        """Counts that all have for a purpose, apart from those for others."""
        ...

    async def close(self) -> None: ...
