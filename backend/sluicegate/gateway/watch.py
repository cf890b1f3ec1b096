"""Looks after calls that take longer than a moment.

Most calls are over before anyone could hang up, so none gets a task or a timer of its own at first. One tick for all
gives those that last a watcher, which waits for the caller to leave, and says something in streams that stand still.
"""

from __future__ import annotations

import asyncio
import heapq
from contextlib import suppress
from math import inf

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.metering import Call
from sluicegate.kit.clock import Clock
from sluicegate.ports.live import CallInFlight

TICK = 0.25
# Since when a stream stands still of which something has just passed: the tick tells the time, and not each event.
JUST_NOW = -inf
_RENEW_SECONDS = 60.0
# A comment: no event, but bytes for whoever cuts connections that are idle. Gemini's programs take it for broken JSON.
_HEARTBEAT = b": keep-alive\n\n"
_BEARING = (Dialect.OPENAI, Dialect.ANTHROPIC)


class Watch:
    """Interrupts the task of a call whose caller has left, or has taken nothing for `stalled` seconds. Streams in which
    nothing came for `heartbeat` seconds get a heartbeat, where callers bear it; 0 gives none."""

    def __init__(self, clock: Clock, stalled: float, heartbeat: float) -> None:
        self._clock = clock
        self._stalled = stalled
        self._heartbeat = heartbeat
        self._calls: set[Call] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def calls(self) -> int:
        """How many calls are in flight."""
        return len(self._calls)

    def seen(self, user_id: str | None, most: int) -> tuple[int, list[CallInFlight]]:
        """How many calls are in flight, of everybody or of one user, and those that began first."""
        calls = [call for call in self._calls if user_id is None or call.principal.user.id == user_id]
        return len(calls), [call.seen() for call in heapq.nsmallest(most, calls, key=lambda call: call.since)]

    def enter(self, call: Call) -> None:
        self._calls.add(call)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def break_off(self) -> None:
        """Ends the calls that no task carries."""
        for call in tuple(self._calls):
            if call.flight is not None:
                call.flight.break_off()

    def leave(self, call: Call) -> None:
        self._calls.discard(call)
        # What ends a task refers to its call, which would refer to the task: nothing of it would be freed at once.
        if call.watcher is not None:
            call.watcher.cancel()
            call.watcher = None
        if call.beat is not None:
            call.beat.cancel()
            call.beat = None

    def _tick(self) -> None:
        self._timer = None
        if not self._calls:
            return
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)
        now = self._clock.monotonic()
        for call in tuple(self._calls):
            if now - call.since < TICK:
                continue
            if call.flight is not None:
                if call.flight.abandoned:
                    call.interrupt()
                    continue
            elif call.watcher is None:
                call.watcher = asyncio.create_task(self._await_departure(call))
            if now - call.renewed >= _RENEW_SECONDS:
                call.renewed = now
                call.renew()
            if call.quiet_since == JUST_NOW:
                call.quiet_since = now - TICK
            if call.sending_since is not None and now - call.sending_since > self._stalled:
                call.interrupt()
            elif self._heartbeat and call.quiet_since is not None and now - call.quiet_since >= self._heartbeat:
                call.quiet_since = now
                if call.request.dialect not in _BEARING:
                    continue
                if call.flight is not None:
                    call.flight.beat(_HEARTBEAT)
                else:
                    call.beat = asyncio.create_task(self._beat(call))

    async def _beat(self, call: Call) -> None:
        # Something may have come since the tick.
        if call.quiet_since is None or call.sending_since is not None:
            return
        call.sending_since = self._clock.monotonic()
        with suppress(OSError):
            await call.request.send({"type": "http.response.body", "body": _HEARTBEAT, "more_body": True})
        call.sending_since = None

    @staticmethod
    async def _await_departure(call: Call) -> None:
        while (await call.request.receive())["type"] != "http.disconnect":
            pass
        # A call that is closed has its last byte on the way: that its caller leaves now is how calls end.
        if not call.closed:
            call.interrupt()
