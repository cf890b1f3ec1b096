"""News of policy changes inside one process."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.domain.policy import PolicyChange
from sluicegate.ports.policy import ChangeListener


class LocalFeed:
    """Implements ports.policy.ChangeFeed."""

    def __init__(self) -> None:
        self._listeners: list[ChangeListener] = []

    def subscribe(self, listener: ChangeListener) -> None:
        self._listeners.append(listener)

    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        for listener in self._listeners:
            await listener(changes)
