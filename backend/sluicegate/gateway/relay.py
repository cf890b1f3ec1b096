"""A provider's answer on its way to the caller, and what it costs."""

from __future__ import annotations

import asyncio

import structlog

from sluicegate.domain.usage import Outcome
from sluicegate.gateway import answers
from sluicegate.gateway.answers import UnfitAnswer
from sluicegate.gateway.asgi import Reply, Request
from sluicegate.gateway.headers import relayed, translated, value_of
from sluicegate.gateway.metering import Call
from sluicegate.gateway.reading import text_size
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.gateway.transit import Outbound
from sluicegate.gateway.translate import StreamTranslator
from sluicegate.policy.refusals import Refusal, upstream_unavailable
from sluicegate.ports.upstream import UpstreamError, UpstreamResponse

_log = structlog.get_logger(__name__)

# How long an abandoned stream is still read, in the hope of its last words on usage.
_DRAIN_SECONDS = 0.5
# How long a provider may keep the connection open after it said that the stream is over.
_TAIL_SECONDS = 1.0
_JSON = b"application/json"
_EVENT_STREAM = b"text/event-stream"
_EVENTS = b"text/event-stream; charset=utf-8"
_BETWEEN_EVENTS = (b"\n\n", b"\n\r\n")


class Relay:
    """Carries one answer. Every path settles the call before the caller has the last byte."""

    __slots__ = ("_call", "_outbound", "_request", "_translator", "_wire")

    def __init__(self, call: Call, outbound: Outbound) -> None:
        """`outbound` has reached its backend."""
        self._call = call
        self._request: Request = call.request
        self._outbound = outbound
        self._wire = outbound.wire
        self._translator = outbound.translator

    def at_once(self, response: UpstreamResponse) -> Reply | None:
        """The reply to a call whose answer is here, whole and good, and then the call is settled; None for all else,
        and then nothing is done. Raises Refusal."""
        if response.status >= 300 or value_of(response.headers, b"content-type").startswith(_EVENT_STREAM):
            return None
        coding = answers.coding_of(response.headers)
        body = response.buffered() if coding in answers.PLAIN else None
        if body is None:
            return None
        self._call.note_first_byte()
        try:
            return self._settled(response, body, answers.plain(body, coding))
        except UnfitAnswer as unfit:
            raise self._refused(unfit) from None

    async def relay(self, response: UpstreamResponse) -> None:
        """Raises Refusal as long as nothing was sent."""
        self._call.note_first_byte()
        try:
            answers.check(response)
            if response.status >= 400:
                await self._error(response)
            elif value_of(response.headers, b"content-type").startswith(_EVENT_STREAM):
                await self._stream(answers.readable(response))
            else:
                body = await answers.whole(response)
                plain = answers.plain(body, answers.coding_of(response.headers))
                await self._request.reply(self._settled(response, body, plain))
        except UnfitAnswer as unfit:
            raise self._refused(unfit) from None

    def _refused(self, unfit: UnfitAnswer) -> Refusal:
        """One more line in the ledger, and no money."""
        _log.warning("gateway.answer_unfit", reason=str(unfit), request_id=self._request.id)
        if unfit.broke_off is not None:
            self._note_break(unfit.broke_off)
        refusal = upstream_unavailable(str(unfit))
        self._call.settle(refusal.status, Outcome.UPSTREAM_ERROR, estimated=True)
        return refusal

    def _note_break(self, error: Exception) -> None:
        if self._outbound.breaker is not None:
            self._outbound.breaker.broke_off(f"broke off: {error}")

    async def _error(self, response: UpstreamResponse) -> None:
        body = await answers.whole(response)
        self._call.settle(response.status, Outcome.UPSTREAM_ERROR)
        if self._translator is None:
            await self._reply(Reply(response.status, relayed(response.headers), body))
            return
        plain = answers.plain(body, answers.coding_of(response.headers)) or b""
        told = self._translator.error(response.status, plain)
        await self._reply(Reply(response.status, translated(response.headers, _JSON), told))

    def _settled(self, response: UpstreamResponse, body: bytes, plain: bytes | None) -> Reply:
        """`plain` is the body without its coding. Raises UnfitAnswer, and then nothing is settled."""
        reading = None if plain is None else self._wire.read(plain)
        if plain is None or reading is None:
            raise UnfitAnswer("The model's provider answered with something that is not JSON.")
        reply = self._reply_to(response, body, plain)
        call = self._call
        usage, estimated = reading.completed(call.input_estimate, 0 if reading.output_known else text_size(plain))
        call.settle(response.status, Outcome.OK, usage, estimated=estimated)
        if self._translator is None:
            call.keep(reading.stored)
        reply.headers.extend(call.limit_headers())
        return reply

    async def _reply(self, reply: Reply) -> None:
        reply.headers.extend(self._call.limit_headers())
        await self._request.reply(reply)

    def _reply_to(self, response: UpstreamResponse, body: bytes, plain: bytes) -> Reply:
        """The answer as the caller gets it; raises UnfitAnswer when it does not say what its protocol asks for."""
        translator, protocol = self._translator, self._wire.protocol
        if translator is None or protocol is None:
            return Reply(response.status, relayed(response.headers), body)
        told = translator.answer(protocol, plain)
        if told is None:
            raise UnfitAnswer("The model's provider answered with something that is no answer to the call.")
        return Reply(response.status, translated(response.headers, _JSON), told)

    # Streams

    async def _stream(self, response: UpstreamResponse) -> None:
        call, request = self._call, self._request
        meter = call.meter = self._wire.meter(hide_usage=self._outbound.hide_usage)
        translator, protocol = self._translator, self._wire.protocol
        feed: StreamMeter | _TranslatedFeed = meter
        headers = relayed(response.headers)
        if translator is not None and protocol is not None:
            feed = _TranslatedFeed(meter, translator.stream(protocol))
            headers = translated(response.headers, _EVENTS)
        await request.start(response.status, headers + call.limit_headers())
        call.quiet_since = call.clock.monotonic()
        try:
            while chunk := await response.read():
                passed = feed.feed(chunk)
                if meter.final:
                    self._settle_stream(response.status)
                    await self._send(passed)
                    await self._tail(response)
                    return
                if passed:
                    await self._send(passed)
                    call.quiet_since = call.clock.monotonic() if passed.endswith(_BETWEEN_EVENTS) else None
            rest = feed.end()
        except UpstreamError as error:
            self._note_break(error)
            _log.warning("gateway.stream_broken_off", kind=error.kind, error=str(error), request_id=request.id)
            rest = b""
        except asyncio.CancelledError:
            await self._drain(response)
            raise
        if not meter.final:
            rest = feed.failure(_cut(), request.id)
        self._settle_stream(response.status)
        await request.send({"type": "http.response.body", "body": rest})

    def _settle_stream(self, status: int) -> None:
        call, meter = self._call, self._call.meter
        if meter is None:
            return
        call.quiet_since = None
        usage, estimated = meter.usage(call.input_estimate)
        whole = meter.final and not meter.failed
        call.settle(status, Outcome.OK if whole else Outcome.UPSTREAM_ERROR, usage, estimated=estimated)
        if self._translator is None:
            call.keep(meter.stored)

    async def _send(self, data: bytes) -> None:
        call = self._call
        call.sending_since = call.clock.monotonic()
        await self._request.send({"type": "http.response.body", "body": data, "more_body": True})
        call.sending_since = None

    async def _tail(self, response: UpstreamResponse) -> None:
        """Whatever follows the last event; usually nothing, and the connection is free again."""
        rest = response.buffered()
        if rest is None:
            try:
                async with asyncio.timeout(_TAIL_SECONDS):
                    while chunk := await response.read():
                        if self._translator is None:
                            await self._send(chunk)
            except (TimeoutError, UpstreamError):
                pass
            rest = b""
        last = rest if self._translator is None else b""
        await self._request.send({"type": "http.response.body", "body": last})

    async def _drain(self, response: UpstreamResponse) -> None:
        """The caller has left: takes what comes within a moment, so that a nearly finished answer is billed exactly."""
        call, meter = self._call, self._call.meter
        if not call.gone or call.closed or meter is None:
            return
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not meter.final and (chunk := await response.read()):
                    meter.feed(chunk)
        except (TimeoutError, UpstreamError):
            return


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

    def failure(self, refusal: Refusal, _request_id: str) -> bytes:
        return self._stream.fail(refusal.status, refusal.message, refusal.code)


def _cut() -> Refusal:
    return upstream_unavailable("The model's provider broke the answer off before its end.")
