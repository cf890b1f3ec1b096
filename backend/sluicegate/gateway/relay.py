"""A provider's answer on its way to the caller, and what it costs."""

from __future__ import annotations

import asyncio
import zlib

import structlog

from sluicegate.domain.usage import Outcome
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

MAX_ANSWER = 64 * 1024 * 1024
# How long an abandoned stream is still read, in the hope of its last words on usage.
_DRAIN_SECONDS = 0.5
# How long a provider may keep the connection open after it said that the stream is over.
_TAIL_SECONDS = 1.0
_GZIP = (b"gzip", b"x-gzip")
_READABLE = (b"", b"identity", *_GZIP)
_DECODE_STEP = 1024 * 1024
_JSON = b"application/json"
_EVENT_STREAM = b"text/event-stream"
_EVENTS = b"text/event-stream; charset=utf-8"


class Relay:
    """Carries one answer. Every path settles the call before the caller has the last byte."""

    __slots__ = ("_call", "_coding", "_outbound", "_request", "_translator", "_wire")

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
        if response.status >= 300:
            return None
        self._coding = value_of(response.headers, b"content-encoding")
        if self._coding not in _READABLE or value_of(response.headers, b"content-type").startswith(_EVENT_STREAM):
            return None
        body = response.buffered()
        if body is None:
            return None
        self._call.note_first_byte()
        return self._settled(response, body)

    async def relay(self, response: UpstreamResponse) -> None:
        """Raises Refusal as long as nothing was sent."""
        self._call.note_first_byte()
        self._coding = value_of(response.headers, b"content-encoding")
        status = response.status
        if status >= 400:
            await self._error(response)
        elif status >= 300:
            raise self._refused("The model's provider answered with a redirect, which is not followed.")
        elif self._coding not in _READABLE:
            raise self._refused("The model's provider answered in a coding that it was not asked for.")
        elif value_of(response.headers, b"content-type").startswith(_EVENT_STREAM):
            await self._stream(response)
        else:
            await self._whole(response)

    def _refused(self, message: str) -> Refusal:
        """The provider answered, but not with what was asked for: one more line in the ledger, and no money."""
        refusal = upstream_unavailable(message)
        self._call.settle(refusal.status, Outcome.UPSTREAM_ERROR, estimated=True)
        return refusal

    def _note_break(self, error: Exception) -> None:
        if self._outbound.breaker is not None:
            self._outbound.breaker.broke_off(f"broke off: {error}")

    async def _body(self, response: UpstreamResponse) -> bytes:
        """Raises Refusal for an answer that breaks off or has no end."""
        chunks: list[bytes] = []
        size = 0
        try:
            while chunk := await response.read():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_ANSWER:
                    raise self._refused("The model's provider sent an answer that is too large.")
        except UpstreamError as error:
            self._note_break(error)
            _log.warning("gateway.answer_broken_off", kind=error.kind)
            raise self._refused("The model's provider broke its answer off.") from None
        return b"".join(chunks)

    async def _error(self, response: UpstreamResponse) -> None:
        body = await self._body(response)
        self._call.settle(response.status, Outcome.UPSTREAM_ERROR)
        if self._translator is None:
            await self._reply(Reply(response.status, relayed(response.headers), body))
            return
        plain = _decoded(body, self._coding) or b""
        told = self._translator.error(response.status, plain)
        await self._reply(Reply(response.status, translated(response.headers, _JSON), told))

    async def _whole(self, response: UpstreamResponse) -> None:
        body = response.buffered()
        if body is None:
            body = await self._body(response)
        await self._request.reply(self._settled(response, body))

    def _settled(self, response: UpstreamResponse, body: bytes) -> Reply:
        plain = _decoded(body, self._coding)
        reading = None if plain is None else self._wire.read(plain)
        if plain is None or reading is None:
            raise self._refused("The model's provider answered with something that is not JSON.")
        reply = self._reply_to(response, body, plain)
        call = self._call
        usage, estimated = reading.completed(call.input_estimate, 0 if reading.output_known else text_size(plain))
        call.settle(response.status, Outcome.OK, usage, estimated=estimated)
        reply.headers.extend(call.limit_headers())
        return reply

    async def _reply(self, reply: Reply) -> None:
        reply.headers.extend(self._call.limit_headers())
        await self._request.reply(reply)

    def _reply_to(self, response: UpstreamResponse, body: bytes, plain: bytes) -> Reply:
        """The answer as the caller gets it; raises Refusal when it does not say what its protocol asks for."""
        translator, protocol = self._translator, self._wire.protocol
        if translator is None or protocol is None:
            return Reply(response.status, relayed(response.headers), body)
        told = translator.answer(protocol, plain)
        if told is None:
            raise self._refused("The model's provider answered with something that is no answer to the call.")
        return Reply(response.status, translated(response.headers, _JSON), told)

    # Streams

    async def _stream(self, response: UpstreamResponse) -> None:
        call, request = self._call, self._request
        meter = call.meter = self._wire.meter(hide_usage=self._outbound.hide_usage)
        coded = self._coding in _GZIP
        translator, protocol = self._translator, self._wire.protocol
        feed: StreamMeter | _TranslatedFeed = meter
        headers = relayed(response.headers)
        if translator is not None and protocol is not None:
            if coded:
                raise self._refused("The model's provider compressed a stream though it was asked not to.")
            feed = _TranslatedFeed(meter, translator.stream(protocol))
            headers = translated(response.headers, _EVENTS)
        elif coded:
            await self._coded_stream(response)
            return
        await request.start(response.status, headers + call.limit_headers())
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
            rest = feed.end()
        except UpstreamError as error:
            self._note_break(error)
            _log.warning("gateway.stream_broken_off", kind=error.kind)
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
        usage, estimated = meter.usage(call.input_estimate)
        whole = meter.final and not meter.failed
        call.settle(status, Outcome.OK if whole else Outcome.UPSTREAM_ERROR, usage, estimated=estimated)

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

    async def _coded_stream(self, response: UpstreamResponse) -> None:
        """A provider that compresses though it was asked not to: relayed untouched, read on the side."""
        call, meter = self._call, self._call.meter
        if meter is None:
            return
        gunzipped = _GunzippedFeed(meter)
        await self._request.start(response.status, relayed(response.headers) + call.limit_headers())
        try:
            while chunk := await response.read():
                gunzipped.feed(chunk)
                if meter.final and not call.closed:
                    self._settle_stream(response.status)
                await self._send(chunk)
            meter.end()
        except (UpstreamError, zlib.error) as error:
            self._note_break(error)
            _log.warning("gateway.stream_broken_off", error=str(error))
        self._settle_stream(response.status)
        await self._request.send({"type": "http.response.body", "body": b""})


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


class _GunzippedFeed:
    """Feeds a meter in small steps: a few bytes can stand for gigabytes."""

    __slots__ = ("_decoder", "_meter")

    def __init__(self, meter: StreamMeter) -> None:
        self._meter = meter
        self._decoder = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> None:
        """Raises zlib.error."""
        while chunk:
            self._meter.feed(self._decoder.decompress(chunk, _DECODE_STEP))
            chunk = self._decoder.unconsumed_tail


def _cut() -> Refusal:
    return upstream_unavailable("The model's provider broke the answer off before its end.")


def _decoded(body: bytes, coding: bytes) -> bytes | None:
    """The plain body, None when it cannot be had."""
    if coding not in _GZIP:
        return body
    decoder = zlib.decompressobj(wbits=31)
    try:
        plain = decoder.decompress(body, MAX_ANSWER)
    except zlib.error:
        return None
    return plain if decoder.eof else None
