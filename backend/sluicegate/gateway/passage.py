"""What becomes of a stream between its provider and its caller, whoever carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from sluicegate.domain.usage import Outcome
from sluicegate.gateway import answers
from sluicegate.gateway.headers import relayed, translated, value_of
from sluicegate.gateway.metering import Call
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.gateway.transit import Outbound
from sluicegate.gateway.watch import JUST_NOW
from sluicegate.policy.refusals import Refusal, upstream_unavailable
from sluicegate.ports.upstream import UpstreamError, UpstreamResponse

if TYPE_CHECKING:
    from sluicegate.gateway.translate.translator import StreamTranslator

_log = structlog.get_logger(__name__)

DRAIN_SECONDS = 0.5
"""How long an abandoned stream is still read, in the hope of its last words on usage."""
TAIL_SECONDS = 1.0
"""How long a provider may keep the connection open after it said that the stream is over."""
EVENT_STREAM = b"text/event-stream"
_EVENTS = b"text/event-stream; charset=utf-8"
_BETWEEN_EVENTS = (b"\n\n", b"\n\r\n")


def is_stream(response: UpstreamResponse) -> bool:
    return value_of(response.headers, b"content-type").startswith(EVENT_STREAM)


class Passage:
    """Tells what goes on to the caller of what comes from the provider. Whoever carries the stream asks in turn for
    `feed` and, where that did not make it `over`, `end` or `broken`; before any of them gives the last bytes, the call
    is settled."""

    __slots__ = ("_call", "_feed", "_meter", "_outbound", "_status", "_translated", "headers", "lines")

    def __init__(self, call: Call, outbound: Outbound, response: UpstreamResponse) -> None:
        """`headers` are those of the answer to the caller, `lines` further ones, as they stand in a head."""
        self._call = call
        self._outbound = outbound
        self._status = response.status
        self._meter = call.meter = outbound.wire.meter(hide_usage=outbound.hide_usage)
        translator, protocol = outbound.translator, outbound.wire.protocol
        self._translated = translator is not None
        if translator is not None and protocol is not None:
            self._feed: _Feed = _TranslatedFeed(self._meter, translator.stream(protocol))
            self.headers = translated(response.headers, _EVENTS)
        else:
            self._feed = self._meter
            self.headers = relayed(response.headers)
        self.lines = call.limit_lines()
        call.quiet_since = JUST_NOW

    @property
    def over(self) -> bool:
        """Whether the stream's last event has come."""
        return self._meter.final

    def feed(self, chunk: bytes) -> bytes:
        """Whoever asks sends what this gives at once."""
        passed = self._feed.feed(chunk)
        if self._meter.final:
            self._settle()
        elif passed:
            self._call.quiet_since = JUST_NOW if passed.endswith(_BETWEEN_EVENTS) else None
        return passed

    def after(self, chunk: bytes) -> bytes:
        """What goes on of that which follows the last event."""
        return b"" if self._translated else chunk

    def end(self) -> bytes:
        """The provider has ended the stream."""
        return self._last(self._feed.end())

    def broken(self, error: UpstreamError) -> bytes:
        """The provider has broken the stream off."""
        if self._outbound.breaker is not None:
            self._outbound.breaker.broke_off(f"broke off: {error}")
        _log.warning("gateway.stream_broken_off", kind=error.kind, error=str(error), request_id=self._call.request.id)
        return self._last(b"")

    def _last(self, rest: bytes) -> bytes:
        if not self._meter.final:
            rest = self._feed.failure(_cut(), self._call.request.id)
        self._settle()
        return rest

    def _settle(self) -> None:
        call, meter = self._call, self._meter
        call.quiet_since = None
        usage, estimated = meter.usage(call.input_estimate)
        whole = meter.final and not meter.failed
        call.settle(self._status, Outcome.OK if whole else Outcome.UPSTREAM_ERROR, usage, estimated=estimated)
        if not self._translated:
            call.keep(meter.stored)


def direct_passage(call: Call, outbound: Outbound, response: UpstreamResponse) -> Passage | None:
    """That of a stream which is plain bytes; None for all other answers, and then nothing is done."""
    status = response.status
    if status >= 300 or status in answers.EMPTY or not is_stream(response):
        return None
    if answers.coding_of(response.headers) not in answers.UNCODED:
        return None
    call.note_first_byte()
    return Passage(call, outbound, response)


class _Feed(Protocol):
    def feed(self, chunk: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def failure(self, refusal: Refusal, request_id: str) -> bytes: ...


class _TranslatedFeed:
    """A meter whose whole events go through a translator."""

    __slots__ = ("_meter", "_stream")

    def __init__(self, meter: StreamMeter, stream: StreamTranslator) -> None:
        self._meter = meter
        self._stream = stream

    def feed(self, chunk: bytes) -> bytes:
        passed = self._meter.feed(chunk)
        return self._stream.feed(passed) if passed else b""

    def end(self) -> bytes:
        told = self._stream.feed(self._meter.end())
        return told + self._stream.end() if self._meter.final else told

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        return self._stream.fail(refusal.status, refusal.message, refusal.code)


def _cut() -> Refusal:
    return upstream_unavailable("The model's provider broke the answer off before its end.")
