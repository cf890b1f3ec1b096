"""Gateway refusals that somebody should hear of: a key that was taken away, or one of a suspended person, is in use."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.kit.clock import Clock
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.ports.store import Store

log = structlog.get_logger(__name__)
_GATEWAY = Actor(ActorKind.SYSTEM, "gateway")
_ACTION = "gateway.refuse"
# A forgotten program that keeps calling is told of so often.
_EVERY = timedelta(hours=1)
_MAX_REMEMBERED = 10_000


class RefusalLog:
    """Writes at most one event an hour for a key and a reason, however often it is refused and in however many
    processes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[tuple[str, str], tuple[float, int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, reason: str, public_id: str, address: str) -> None:
        """Returns at once, and what it leads to happens later: a refusal must cost nothing."""
        now = self._clock.monotonic()
        key = public_id, reason
        noted_at, calls = self._noted.pop(key, (now - _EVERY.total_seconds(), 0))
        if now - noted_at < _EVERY.total_seconds():
            self._noted[key] = noted_at, calls + 1
            return
        if len(self._noted) >= _MAX_REMEMBERED:
            self._noted.pop(next(iter(self._noted)))
        self._noted[key] = now, 0
        task = asyncio.create_task(self._write(reason, public_id, address, calls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Waits until everything that was noted is written."""
        await asyncio.gather(*self._tasks)

    async def _write(self, reason: str, public_id: str, address: str, further: int) -> None:
        try:
            async with self._store.write() as tx:
                key = await tx.keys.by_public_id(public_id)
                owner = await tx.users.locked(key.user_id) if key is not None else None
                if key is None or owner is None:
                    return
                since = self._clock.now() - _EVERY
                told = await tx.audit.page(
                    AuditFilter(action=_ACTION, target_kind="api_key", target_id=key.id, since=since), PageRequest(10)
                )
                if any(event.after.get("reason") == reason for event, _ in told.items):
                    return
                after = {"reason": reason, "owner": owner.label, "address": address, "refused_since_last": further}
                await tx.audit.record(_GATEWAY, _ACTION, "api_key", key.id, key.name, {}, after)
        except Exception as error:
            log.warning("refusal_log.unreachable", error=type(error).__name__)
