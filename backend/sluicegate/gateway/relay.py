"""A provider's answer on its way to the caller, and what it costs."""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from sluicegate.domain.usage import Outcome
from sluicegate.gateway import answers
from sluicegate.gateway.answers import UnfitAnswer
from sluicegate.gateway.asgi import Reply, headers_of
from sluicegate.gateway.headers import relayed, secrets_of, translated
from sluicegate.gateway.metering import Call
from sluicegate.gateway.passage import DRAIN_SECONDS, TAIL_SECONDS, Passage, is_stream
from sluicegate.gateway.reading import text_size
from sluicegate.gateway.transit import Outbound
from sluicegate.policy.compile import Route
from sluicegate.policy.refusals import Refusal, upstream_unavailable
from sluicegate.ports.upstream import UpstreamError, UpstreamResponse

_log = structlog.get_logger(__name__)

_JSON = b"application/json"


def as_it_came(response: UpstreamResponse, body: bytes, route: Route) -> Reply:
    """An answer that is passed on untouched, but for the provider's credential in it."""
    headers = relayed(response.headers)
    if response.status >= 400:
        plain = answers.plain(body, answers.coding_of(response.headers)) or b""
        hidden = _without_secrets(plain, route)
        if hidden != plain:
            headers, body = answers.uncoded(headers), hidden
    return Reply(response.status, headers, body)


def _without_secrets(error: bytes, route: Route) -> bytes:
    """Some providers repeat in an error the key that they were sent."""
    for secret in secrets_of(route):
        error = error.replace(secret, b"***")
    return error


class Relay(msgspec.Struct, frozen=True, eq=False):
    """Carries one answer; `outbound` has reached its backend. Every path settles the call before the caller has the
    last byte."""

    call: Call
    outbound: Outbound

    def at_once(self, response: UpstreamResponse) -> Reply | None:
        """The reply to a call whose answer is here, whole and good, and then the call is settled; None for all else,
        and then nothing is done. Raises Refusal."""
        if response.status >= 300 or is_stream(response):
            return None
        coding = answers.coding_of(response.headers)
        body = response.buffered() if coding in answers.PLAIN else None
        if body is None:
            return None
        self.call.note_first_byte()
        try:
            return self._settled(response, body, answers.plain(body, coding))
        except UnfitAnswer as unfit:
            raise self._refused(unfit) from None

    async def relay(self, response: UpstreamResponse) -> None:
        """Raises Refusal as long as nothing was sent."""
        self.call.note_first_byte()
        try:
            answers.check(response)
            if response.status >= 400:
                await self._error(response)
            elif is_stream(response):
                await self._stream(answers.readable(response))
            else:
                body = await answers.whole(response)
                plain = answers.plain(body, answers.coding_of(response.headers))
                await self.call.request.reply(self._settled(response, body, plain))
        except UnfitAnswer as unfit:
            raise self._refused(unfit) from None

    def _refused(self, unfit: UnfitAnswer) -> Refusal:
        """One more line in the ledger, and no money."""
        _log.warning("gateway.answer_unfit", reason=str(unfit), request_id=self.call.request.id)
        if unfit.broke_off is not None:
            self._note_break(unfit.broke_off)
        refusal = upstream_unavailable(str(unfit))
        self.call.settle(refusal.status, Outcome.UPSTREAM_ERROR, estimated=True)
        return refusal

    def _note_break(self, error: Exception) -> None:
        if self.outbound.breaker is not None:
            self.outbound.breaker.broke_off(f"broke off: {error}")

    async def _error(self, response: UpstreamResponse) -> None:
        body = await answers.whole(response)
        self.call.settle(response.status, Outcome.UPSTREAM_ERROR)
        if self.outbound.translator is None:
            await self._reply(as_it_came(response, body, self.outbound.route))
            return
        plain = answers.plain(body, answers.coding_of(response.headers)) or b""
        hidden = _without_secrets(plain, self.outbound.route)
        told = self.outbound.translator.error(response.status, hidden, self.call.request.id)
        await self._reply(Reply(response.status, translated(response.headers, _JSON), told))

    def _settled(self, response: UpstreamResponse, body: bytes, plain: bytes | None) -> Reply:
        """`plain` is the body without its coding. Raises UnfitAnswer, and then nothing is settled."""
        reading = None if plain is None else self.outbound.wire.read(plain)
        if plain is None or reading is None:
            raise UnfitAnswer("The model's provider answered with something that is not JSON.")
        reply = self._reply_to(response, body, plain)
        call = self.call
        usage, estimated = reading.completed(call.input_estimate, 0 if reading.output_known else text_size(plain))
        call.settle(response.status, Outcome.OK, usage, estimated=estimated)
        if self.outbound.translator is None:
            call.keep(reading.stored)
        reply.lines = call.limit_lines()
        return reply

    async def _reply(self, reply: Reply) -> None:
        reply.lines = self.call.limit_lines()
        await self.call.request.reply(reply)

    def _reply_to(self, response: UpstreamResponse, body: bytes, plain: bytes) -> Reply:
        """The answer as the caller gets it; raises UnfitAnswer when it does not say what its protocol asks for."""
        translator, protocol = self.outbound.translator, self.outbound.wire.protocol
        if translator is None or protocol is None:
            return Reply(response.status, relayed(response.headers), body)
        told = translator.answer(protocol, plain)
        if told is None:
            raise UnfitAnswer("The model's provider answered with something that is no answer to the call.")
        return Reply(response.status, translated(response.headers, _JSON), told)

    # Streams

    async def _stream(self, response: UpstreamResponse) -> None:
        call, request = self.call, self.call.request
        passage = Passage(call, self.outbound, response)
        await request.start(response.status, [*passage.headers, *headers_of(passage.lines)])
        try:
            while chunk := await response.read():
                passed = passage.feed(chunk)
                if passage.over:
                    await self._send(passed)
                    await self._tail(passage, response)
                    return
                if passed:
                    await self._send(passed)
            rest = passage.end()
        except UpstreamError as error:
            rest = passage.broken(error)
        except asyncio.CancelledError:
            await self._drain(response)
            raise
        await request.send({"type": "http.response.body", "body": rest})

    async def _send(self, data: bytes) -> None:
        call = self.call
        call.sending_since = call.clock.monotonic()
        await self.call.request.send({"type": "http.response.body", "body": data, "more_body": True})
        call.sending_since = None

    async def _tail(self, passage: Passage, response: UpstreamResponse) -> None:
        """Whatever follows the last event; usually nothing, and the connection is free again."""
        rest = response.buffered()
        if rest is None:
            try:
                async with asyncio.timeout(TAIL_SECONDS):
                    while chunk := await response.read():
                        if told := passage.after(chunk):
                            await self._send(told)
            except (TimeoutError, UpstreamError):
                pass
            rest = b""
        await self.call.request.send({"type": "http.response.body", "body": passage.after(rest)})

    async def _drain(self, response: UpstreamResponse) -> None:
        """The caller has left: takes what comes within a moment, so that a nearly finished answer is billed exactly."""
        call, meter = self.call, self.call.meter
        if not call.gone or call.closed or meter is None:
            return
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not meter.final and (chunk := await response.read()):
                    meter.feed(chunk)
        except (TimeoutError, UpstreamError):
            return
