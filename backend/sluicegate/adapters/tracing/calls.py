"""Follows calls while they go on, as lightly as it gets: spans are made of them later, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread

import structlog

from sluicegate.adapters.tracing.overheard import Overheard, OverheardArriving
from sluicegate.adapters.tracing.spans import Attempt, Refused, Spans, Trace
from sluicegate.domain.usage import CallCourse, CallFacts, record_of
from sluicegate.kit.clock import Clock
from sluicegate.ports.tracing import Tried
from sluicegate.ports.upstream import Arriving, RawHeaders, UpstreamRequest, UpstreamResponse
from sluicegate.ports.usage import UsageSink

log = structlog.get_logger()

_TICK_SECONDS = 0.5
# Ended calls of which no spans are made yet.
_MOST_WAITING = 20_000
# How long the last spans may take to be sent when the server stops.
_FLUSH_SECONDS = 5.0
_TRACEPARENT = b"traceparent"


class FollowedCalls:
    """Implements ports.tracing.CallTraces.

    A call that has ended waits for a tick or two before spans are made of it: what its caller is told may come after
    its settlement.
    """

    def __init__(self, clock: Clock, spans: Spans) -> None:
        self._clock = clock
        self._spans = spans
        # None as long as the call was sent nowhere.
        self._open: dict[str, Trace | None] = {}
        self._ended: dict[str, Trace] = {}
        self._before: dict[str, Trace] = {}
        self._task: asyncio.Task[None] | None = None
        self._left_out = 0

    @property
    def sent(self) -> int:
        """Spans that were taken by whoever collects them, since the start."""
        return self._spans.sent

    @property
    def dropped(self) -> int:
        """Spans that were not, because they were too many or nobody took them."""
        return self._spans.dropped + self._left_out

    async def start(self) -> None:
        self._task = asyncio.create_task(self._make_always())

    async def close(self) -> None:
        """Sends what is left, unless that takes too long."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        # A thread that nobody waits for at the end of the process.
        last = Thread(target=self._finish, name="last-spans", daemon=True)
        last.start()
        await asyncio.to_thread(last.join, _FLUSH_SECONDS)
        if last.is_alive():
            log.warning("traces.not_sent", advice="look after the collector at OTEL_EXPORTER_OTLP_ENDPOINT")

    def forget(self) -> None:
        """Leaves out what was heard so far."""
        self._open.clear()
        self._ended.clear()
        self._before.clear()

    # Hearing

    def over(self, sink: UsageSink) -> UsageSink:
        return _Followed(sink, self._opened, self._settled, self._discarded)

    def attempted(self, call_id: str, headers: RawHeaders, request: UpstreamRequest, backend: Tried) -> None:
        if call_id not in self._open:
            return
        trace = self._open[call_id]
        if trace is None:
            trace = self._open[call_id] = self._spans.begun(call_id, headers)
        if not trace.sampled:
            return
        # One that was prepared and came to nothing was never sent.
        if trace.attempts and trace.attempts[-1].open:
            trace.attempts.pop()
        attempt = Attempt(self._now(), self._spans.new_span_id(), backend, request.origin)
        trace.attempts.append(attempt)
        # A new list: the one that is there may belong to other requests as well.
        request.headers = [header for header in request.headers if header[0] != _TRACEPARENT]
        request.headers.append((_TRACEPARENT, trace.traceparent(attempt)))

    def answered(self, call_id: str, response: UpstreamResponse) -> UpstreamResponse:
        attempt = self._answered(call_id, response.status)
        return response if attempt is None else Overheard(response, attempt)

    def arrived(self, call_id: str, response: Arriving) -> Arriving:
        attempt = self._answered(call_id, response.status)
        return response if attempt is None else OverheardArriving(response, attempt)

    def _answered(self, call_id: str, status: int) -> Attempt | None:
        """The attempt whose answer is to be heard."""
        attempt = self._attempt_of(call_id)
        if attempt is None:
            return None
        attempt.answered_ns = self._now()
        attempt.status = status
        if status >= 500 or status == 429:
            attempt.ended_ns = attempt.answered_ns
        return attempt if status < 300 else None

    def failed(self, call_id: str, kind: str) -> None:
        if attempt := self._attempt_of(call_id):
            attempt.error, attempt.ended_ns = kind, self._now()

    def refused(
        self, request_id: str, path: str, headers: RawHeaders, model: str | None, code: str, status: int
    ) -> None:
        trace = self._ended.get(request_id) or self._before.get(request_id) or self._open.get(request_id)
        if trace is None:
            trace = self._spans.begun(request_id, headers)
            self._end(request_id, trace)
        trace.refused = Refused(path, model, code, status, self._now())

    def _opened(self, call_id: str) -> None:
        self._open[call_id] = None

    def _settled(self, facts: CallFacts, course: CallCourse) -> None:
        trace = self._open.pop(course.call_id, None)
        if trace is not None:
            trace.record = record_of(facts, course)
            self._end(course.call_id, trace)

    def _discarded(self, call_id: str) -> None:
        # It is told of if its caller is told something.
        trace = self._open.pop(call_id, None)
        if trace is not None:
            self._end(call_id, trace)

    def _end(self, call_id: str, trace: Trace) -> None:
        if not trace.sampled:
            return
        if len(self._ended) + len(self._before) >= _MOST_WAITING:
            self._left_out += 1
        else:
            self._ended[call_id] = trace

    def _attempt_of(self, call_id: str) -> Attempt | None:
        trace = self._open.get(call_id)
        return trace.attempts[-1] if trace is not None and trace.attempts else None

    def _now(self) -> int:
        return int(self._clock.time() * 1e9)

    # Telling

    async def _make_always(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            ready, self._before, self._ended = self._before, self._ended, {}
            if ready:
                await asyncio.to_thread(self._make, ready)

    def _make(self, ready: dict[str, Trace]) -> None:
        for call_id, trace in ready.items():
            try:
                self._spans.make(call_id, trace)
            except Exception as error:
                self._left_out += 1
                log.warning("traces.not_made", error=type(error).__name__, request_id=call_id)

    def _finish(self) -> None:
        self._make(self._before | self._ended)
        self._spans.close()


class _Followed:
    """Implements ports.usage.UsageSink over another one."""

    def __init__(
        self,
        sink: UsageSink,
        opened: Callable[[str], None],
        settled: Callable[[CallFacts, CallCourse], None],
        discarded: Callable[[str], None],
    ) -> None:
        self._sink = sink
        self._opened = opened
        self._settled = settled
        self._discarded = discarded

    def open(self, facts: CallFacts, course: CallCourse) -> None:
        self._sink.open(facts, course)
        self._opened(course.call_id)

    def settle(self, facts: CallFacts, course: CallCourse) -> None:
        self._settled(facts, course)
        self._sink.settle(facts, course)

    def discard(self, call_id: str) -> None:
        self._discarded(call_id)
        self._sink.discard(call_id)
