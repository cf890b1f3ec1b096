"""A provider's answer on its way to the caller, and what it costs."""

from __future__ import annotations

import asyncio
import zlib

import structlog

from sluicegate.domain.usage import Outcome
from sluicegate.gateway.asgi import Reply, Request
from sluicegate.gateway.call import Call
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.headers import relayed, value_of
from sluicegate.gateway.metering import NOTHING, Reading, text_size
from sluicegate.policy.refusals import Refusal, upstream_unavailable
from sluicegate.ports.upstream import UpstreamError, UpstreamResponse

_log = structlog.get_logger(__name__)

MAX_ANSWER = 64 * 1024 * 1024
# How long an abandoned stream is still read, in the hope of its last words on usage.
_DRAIN_SECONDS = 0.5
# How long a provider may keep the connection open after it said that the stream is over.
_TAIL_SECONDS = 1.0
_GZIP = (b"gzip", b"x-gzip")


class Relay:
    """Carries one answer. Every path settles the call before the caller has the last byte."""

    __slots__ = ("_call", "_hide_usage", "_request", "_wire")

    def __init__(self, call: Call, wire: Wire, *, hide_usage: bool) -> None:
        self._call = call
        self._request: Request = call.request
        self._wire = wire
        self._hide_usage = hide_usage

    async def relay(self, response: UpstreamResponse) -> None:
        """Raises Refusal as long as nothing was sent."""
        self._call.note_first_byte()
        status = response.status
        if status >= 400:
            await self._error(response)
        elif status >= 300:
            self._refuse("The model's provider answered with a redirect, which is not followed.")
        elif value_of(response.headers, b"content-type").startswith(b"text/event-stream"):
            await self._stream(response)
        else:
            await self._whole(response)

    def _refuse(self, message: str) -> None:
        """The provider answered, but not with what was asked for: one more line in the ledger, and no money."""
        refusal = upstream_unavailable(message)
        self._call.settle(refusal.status, Outcome.UPSTREAM_ERROR, estimated=True)
        raise refusal

    async def _body(self, response: UpstreamResponse) -> bytes:
        """Raises Refusal for an answer that breaks off or has no end."""
        body = response.buffered()
        if body is not None:
            return body
        chunks: list[bytes] = []
        size = 0
        try:
            while chunk := await response.read():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_ANSWER:
                    self._refuse("The model's provider sent an answer that is too large.")
        except UpstreamError as error:
            _log.warning("gateway.answer_broken_off", kind=error.kind)
            self._refuse("The model's provider broke its answer off.")
        return b"".join(chunks)

    async def _error(self, response: UpstreamResponse) -> None:
        body = await self._body(response)
        self._call.settle(response.status, Outcome.UPSTREAM_ERROR)
        await self._request.reply(Reply(response.status, relayed(response.headers), body))

    async def _whole(self, response: UpstreamResponse) -> None:
        body = await self._body(response)
        plain = _decoded(body, value_of(response.headers, b"content-encoding"))
        # What cannot be decoded here may well be readable to the caller.
        reading: Reading | None = NOTHING if plain is None else self._wire.read(plain)
        if reading is None:
            self._refuse("The model's provider answered with something that is not JSON.")
            return
        call = self._call
        usage, estimated = reading.completed(call.input_estimate, 0 if reading.output_known else text_size(plain or b""))
        call.settle(response.status, Outcome.OK, usage, estimated=estimated)
        await self._request.reply(Reply(response.status, relayed(response.headers), body))

    # Streams

    async def _stream(self, response: UpstreamResponse) -> None:
        call, request = self._call, self._request
        meter = call.meter = self._wire.meter(hide_usage=self._hide_usage)
        coding = value_of(response.headers, b"content-encoding")
        if coding not in (b"", b"identity"):
            await self._coded_stream(response, coding)
            return
        await request.start(response.status, relayed(response.headers))
        try:
            while chunk := await response.read():
                passed = meter.feed(chunk)
                if meter.final:
                    self._settle_stream(response.status)
                    await self._send(passed)
                    await self._tail(response)
                    return
                if passed:
                    await self._send(passed)
            rest = meter.end()
        except UpstreamError as error:
            _log.warning("gateway.stream_broken_off", kind=error.kind)
            rest = b""
        except asyncio.CancelledError:
            await self._drain(response)
            raise
        if not meter.final:
            rest = self._wire.stream_error(_cut(), request.id)
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
        call.sending_since = call.since + 0.0 if call.sending_since is None else call.sending_since
        await self._request.send({"type": "http.response.body", "body": data, "more_body": True})
        call.sending_since = None

    async def _tail(self, response: UpstreamResponse) -> None:
        """Whatever follows the last event; usually nothing, and the connection is free again."""
        rest = response.buffered()
        if rest is None:
            try:
                async with asyncio.timeout(_TAIL_SECONDS):
                    while chunk := await response.read():
                        await self._send(chunk)
            except (TimeoutError, UpstreamError):
                pass
            rest = b""
        await self._request.send({"type": "http.response.body", "body": rest})

    async def _drain(self, response: UpstreamResponse) -> None:
        """The caller has left: takes what still comes within a moment, so that a nearly finished answer is billed exactly."""
        call, meter = self._call, self._call.meter
        if not call.gone or meter is None:
            return
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not meter.final and (chunk := await response.read()):
                    meter.feed(chunk)
        except (TimeoutError, UpstreamError):
            return

    async def _coded_stream(self, response: UpstreamResponse, coding: bytes) -> None:
        """A provider that compresses though it was asked not to: relayed untouched, read through a decoder on the side."""
        request, meter = self._request, self._call.meter
        decoder = zlib.decompressobj(wbits=31) if coding in _GZIP else None
        await request.start(response.status, relayed(response.headers))
        try:
            while chunk := await response.read():
                if meter is not None and decoder is not None:
                    meter.feed(decoder.decompress(chunk))
                await self._send(chunk)
            if meter is not None:
                meter.end()
        except (UpstreamError, zlib.error) as error:
            _log.warning("gateway.stream_broken_off", error=str(error))
        self._settle_stream(response.status)
        await request.send({"type": "http.response.body", "body": b""})


def _cut() -> Refusal:
    return upstream_unavailable("The model's provider broke the answer off before its end.")


def _decoded(body: bytes, coding: bytes) -> bytes | None:
    """The plain body, None when it cannot be had."""
    if coding in (b"", b"identity"):
        return body
    if coding not in _GZIP:
        return None
    decoder = zlib.decompressobj(wbits=31)
    try:
        plain = decoder.decompress(body, MAX_ANSWER)
    except zlib.error:
        return None
    return plain if decoder.eof else None
