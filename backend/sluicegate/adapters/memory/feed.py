"""News of policy changes inside one process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sluicegate.domain.policy import PolicyChange

Listener = Callable[[Sequence[PolicyChange]], Awaitable[None]]


class LocalFeed:
    """Implements ports.policy.ChangeFeed."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        for listener in self._listeners:
            await listener(changes)
