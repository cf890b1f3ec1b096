"""Notices a caller who hangs up, without a task for calls that are answered quickly."""

from __future__ import annotations

import asyncio
from types import TracebackType

from sluicegate.gateway.http import Receive

# Most small answers are there sooner, and then nothing has to be watched.
_GRACE_SECONDS = 0.2


class Presence:
    """Cancels the current task when the caller disconnects; `gone` then tells why it was cancelled.

    To be used once the request body has been read: from then on ASGI's `receive` gives nothing but the disconnect.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watch", "gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self.gone = False

    def __enter__(self) -> Presence:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _start(self) -> None:
        self._watch = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
        self.gone = True
        if self._task is not None:
            self._task.cancel()
