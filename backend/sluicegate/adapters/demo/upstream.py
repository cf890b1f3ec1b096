"""The demo provider behind the `Upstream` protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sluicegate.kit.clock import Clock, SystemClock
from sluicegate.kit.first_use import OnFirstUse
from sluicegate.ports.upstream import RawHeaders, Timeouts, UpstreamError, UpstreamRequest

if TYPE_CHECKING:
    from sluicegate.adapters.demo.provider import DemoProvider
    from sluicegate.adapters.demo.wire import Answer

# What a caller waits at any pace above zero before the first event, as with a real provider.
_GREETING_TOKENS = 12


class DemoUpstream:
    """Answers in process. `tokens_per_second` is the pace of a stream; zero answers without pauses."""

    def __init__(self, *, tokens_per_second: float = 80.0, clock: Clock | None = None) -> None:
        self._provider = OnFirstUse(lambda: _provider(clock or SystemClock()))
        self._seconds_per_token = 1.0 / tokens_per_second if tokens_per_second > 0 else 0.0
        self._closed = False

    async def send(self, request: UpstreamRequest) -> DemoResponse:
        """The origin is ignored. An answer that is no stream arrives whole, after the time it takes to make."""
        if self._closed:
            raise UpstreamError("closed", "the demo provider is closed")
        provider = await self._provider()
        answer = provider.answer(request.method, request.target, request.headers, request.body)
        wait = self._head_wait(answer)
        if wait > request.timeouts.first_byte:
            await asyncio.sleep(request.timeouts.first_byte)
            raise UpstreamError("timeout", "the demo provider did not answer in time", sent=True)
        if wait:
            await asyncio.sleep(wait)
        return DemoResponse(answer, self._seconds_per_token, request.timeouts)

    def begin(self, request: UpstreamRequest) -> None:
        """Every answer takes its time."""
        return

    async def aclose(self) -> None:
        self._closed = True

    def _head_wait(self, answer: Answer) -> float:
        if answer.streamed:
            return _GREETING_TOKENS * self._seconds_per_token
        return sum(frame.tokens for frame in answer.frames) * self._seconds_per_token


def _provider(clock: Clock) -> DemoProvider:
    # Of real providers' servers none needs it.
    from sluicegate.adapters.demo.provider import DemoProvider

    return DemoProvider(clock)


class DemoResponse:
    """An answer of the demo provider: a stream arrives frame by frame, anything else is here at once."""

    def __init__(self, answer: Answer, seconds_per_token: float, timeouts: Timeouts) -> None:
        self.status: int = answer.status
        self.headers: RawHeaders = answer.headers
        self._frames = answer.frames
        self._next = 0
        self._streamed = answer.streamed
        self._seconds_per_token = seconds_per_token
        self._idle = timeouts.idle
        self._closed = asyncio.Event()

    def buffered(self) -> bytes | None:
        if self._closed.is_set() or (self._streamed and self._next < len(self._frames)):
            return None
        rest = b"".join(frame.data for frame in self._frames[self._next :])
        self._next = len(self._frames)
        return rest

    async def read(self) -> bytes:
        if self._closed.is_set():
            raise _broken_off()
        if self._next == len(self._frames):
            return b""
        frame = self._frames[self._next]
        if self._streamed:
            await self._pause(frame.tokens * self._seconds_per_token)
        self._next += 1
        return frame.data

    async def aclose(self) -> None:
        self._closed.set()

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            # A stream without pauses must still let others run, as a socket would.
            await asyncio.sleep(0)
        else:
            await self._wait(min(seconds, self._idle))
        if self._closed.is_set():
            raise _broken_off()
        if seconds > self._idle:
            message = "the demo provider fell silent"
            raise UpstreamError("timeout", message, before_first_byte=False, sent=True)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return


def _broken_off() -> UpstreamError:
    return UpstreamError("closed", "the answer was closed before its end", before_first_byte=False, sent=True)
