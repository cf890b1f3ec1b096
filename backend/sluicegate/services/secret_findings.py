"""What secret rules found, on its way to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from sluicegate.domain.secret_rule import SecretFinding
from sluicegate.ports.store import Store

log = structlog.get_logger(__name__)
_AT_ONCE = 500
# While the database is away, so many wait for it.
_MAX_WAITING = 20_000
_RETRY_SECONDS = 5.0


class FindingLog:
    """Written soon after the call, many at a time: no call waits for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[SecretFinding] = []
        self._task: asyncio.Task[None] | None = None
        self._dropped = 0
        self._writing = asyncio.Lock()

    def note(self, findings: Sequence[SecretFinding]) -> None:
        """Returns at once."""
        room = _MAX_WAITING - len(self._waiting)
        self._waiting.extend(findings[:room])
        self._dropped += max(0, len(findings) - room)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def settle(self) -> None:
        """Waits until everything that was noted is written, or could not be."""
        while self._waiting and await self._write_some():
            continue
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            log.error("secret_findings.lost", findings=len(self._waiting))

    async def _write(self) -> None:
        while self._waiting:
            if not await self._write_some():
                await asyncio.sleep(_RETRY_SECONDS)
        if self._dropped:
            log.error("secret_findings.lost", findings=self._dropped)
            self._dropped = 0

    async def _write_some(self) -> bool:
        async with self._writing:
            batch = self._waiting[:_AT_ONCE]
            try:
                async with self._store.write() as tx:
                    await tx.secret_rules.add_findings(batch)
            except Exception as error:
                log.warning("secret_findings.unreachable", error=type(error).__name__)
                return False
            del self._waiting[: len(batch)]
            return True
