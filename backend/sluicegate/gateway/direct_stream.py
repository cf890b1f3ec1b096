"""Streams that are carried from the provider's callback to the caller's transport without a task."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from sluicegate.gateway.metering import Call
from sluicegate.gateway.passage import DRAIN_SECONDS, TAIL_SECONDS, Passage
from sluicegate.gateway.watch import Watch
from sluicegate.ports.upstream import Arriving, RawHeaders, UpstreamError

_log = structlog.get_logger(__name__)


class Reader(Protocol):
    """What hears of the caller of an answer that comes in parts."""

    def pause(self) -> None:
        """The caller takes what is written more slowly than it comes."""
        ...

    def resume(self) -> None:
        """The caller has taken most of what was written."""
        ...

    def leave(self) -> None:
        """The caller has left."""
        ...


class StreamLine(Protocol):
    """The way back to a caller for an answer in parts."""

    disconnected: bool

    def start(self, status: int, headers: RawHeaders, lines: bytes, ids: bytes, reader: Reader) -> None:
        """`lines` and `ids` are further header lines. The head leaves with what is written next, or with `flush`."""
        ...

    def flush(self) -> None: ...
    def write(self, data: bytes) -> None:
        """Some bytes, at least one."""
        ...

    def finish(self, data: bytes) -> None:
        """The last bytes, if any."""
        ...

    def cut(self) -> None:
        """Ends the connection in the middle of the answer."""
        ...


class DirectStream:
    """One stream until its last byte is out. Implements `Flight` and `Reader`.

    As long as the caller's side is full nothing is taken from the provider, whose connection stops reading when too
    much has come.
    """

    __slots__ = ("_call", "_full", "_line", "_passage", "_response", "_timer", "_watch")

    def __init__(self, call: Call, line: StreamLine, passage: Passage, response: Arriving, watch: Watch) -> None:
        self._call = call
        self._line = line
        self._passage = passage
        self._response = response
        self._watch = watch
        self._full = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Raises ValueError, and then nothing is done, for headers that would change the shape of the answer."""
        call, line = self._call, self._line
        passage = self._passage
        if line.disconnected:
            # A connection that is closed takes no bytes, and the watch looks for those who left four times a second.
            call.flight = self
            self.leave()
            return
        line.start(self._response.status, passage.headers, passage.lines, call.request.id_lines(), self)
        call.flight = self
        self._response.notify(self._pump)
        self._pump()
        if call.flight is self:
            line.flush()

    def _pump(self) -> None:
        """Passes on what has come, and what that is the end of."""
        passage, response = self._passage, self._response
        try:
            while not self._full:
                try:
                    chunk = response.take()
                except UpstreamError as error:
                    self._finish(b"" if passage.over else passage.broken(error))
                    return
                if chunk is None:
                    return
                if passage.over:
                    passed = passage.after(chunk)
                elif chunk:
                    passed = passage.feed(chunk)
                    if passage.over:
                        self._begin_tail(passed)
                        return
                else:
                    passed = passage.end()
                if not chunk:
                    self._finish(passed)
                    return
                if passed:
                    self._line.write(passed)
                if response.going_on:
                    return
        except Exception:
            _log.exception("gateway.failed", request_id=self._call.request.id)
            self.break_off()

    def _begin_tail(self, last: bytes) -> None:
        """Whatever follows the last event; usually nothing, and the connection is free again."""
        passage = self._passage
        rest = self._response.buffered()
        if rest is not None:
            self._finish(last + passage.after(rest))
            return
        if last:
            self._line.write(last)
        self._timer = asyncio.get_running_loop().call_later(TAIL_SECONDS, self._finish, b"")
        self._pump()

    def _finish(self, last: bytes) -> None:
        self._end()
        self._line.finish(last)

    def _end(self) -> None:
        call = self._call
        call.flight = None
        if self._timer is not None:
            self._timer.cancel()
        self._response.discard()
        self._watch.leave(call)
        call.close()

    # The caller

    def pause(self) -> None:
        self._full = True
        self._call.sending_since = self._call.clock.monotonic()

    def resume(self) -> None:
        self._full = False
        if not self._call.gone:
            self._call.sending_since = None
            self._pump()

    @property
    def abandoned(self) -> bool:
        return self._line.disconnected

    def leave(self) -> None:
        call = self._call
        if call.gone:
            return
        call.gone = True
        call.quiet_since = call.sending_since = None
        if call.closed:
            self.break_off()
            return
        self._timer = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self.break_off)
        self._response.notify(self._drain)
        self._drain()

    def _drain(self) -> None:
        """Takes what comes within a moment, so that a nearly finished answer is billed exactly."""
        meter, response = self._call.meter, self._response
        try:
            while meter is not None and not meter.final:
                chunk = response.take()
                if chunk is None:
                    return
                if not chunk:
                    break
                meter.feed(chunk)
        except UpstreamError:
            pass
        except Exception:
            _log.exception("gateway.failed", request_id=self._call.request.id)
        self.break_off()

    def break_off(self) -> None:
        self._end()
        self._line.cut()

    def beat(self, comment: bytes) -> None:
        if not self._full:
            self._line.write(comment)
