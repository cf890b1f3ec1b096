"""One call from admission to the last byte.

Admitted → opened in the journal → sent to a backend → relayed → settled before the caller has the last byte. Whatever
happens on the way, the lease is settled or given back exactly once and the provider's connection is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.usage import Outcome, TokenUsage
from sluicegate.gateway.attribution import attribution_of
from sluicegate.gateway.calls import CallBody
from sluicegate.gateway.dialects.errors import error_event, id_headers
from sluicegate.gateway.headers import content_type, provider_headers, returned_headers
from sluicegate.gateway.http import RawHeaders, Receive, Scope, Send, send_whole
from sluicegate.gateway.metering import Books, MeteredCall
from sluicegate.gateway.presence import Presence
from sluicegate.gateway.routing import in_order, worth_another_try
from sluicegate.gateway.stream.meter import BYTES_PER_TOKEN, StreamMeter, whole_usage
from sluicegate.gateway.stream.unasked import UnaskedUsage
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.refusals import Refusal, invalid_request, upstream_unavailable
from sluicegate.ports.upstream import Origin, Timeouts, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse

_EVENT_STREAM = b"text/event-stream"
_MAX_ANSWER = 67_108_864
_RENEW_SECONDS = 60.0
# As nginx writes it down.
_CLIENT_CLOSED = 499
_NOWHERE = Origin("http", "demo.invalid", 80)
_OTHER = {Dialect.OPENAI: "Anthropic-style", Dialect.ANTHROPIC: "OpenAI-style"}
_OTHER_PATH = {Dialect.OPENAI: "/v1/messages", Dialect.ANTHROPIC: "/v1/chat/completions"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A metered route: `path` follows the provider's base path, `name` stands in the ledger."""

    dialect: Dialect
    path: str
    name: str


@dataclass(slots=True)
class Call:
    """What is known of one request once its body is read."""

    endpoint: Endpoint
    scope: Scope
    body: CallBody
    credential: str
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The roads to providers; `demo` is taken by routes without an origin."""

    network: Upstream
    demo: Upstream
    timeouts: Timeouts


class Pipeline:
    """Runs calls; holds no state of its own between them."""

    def __init__(self, books: Books, upstreams: Upstreams) -> None:
        self._books = books
        self._policy = books.policy
        self._upstreams = upstreams

    async def run(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers the call; raises Refusal as long as nothing was sent."""
        body = call.body
        admitted = await self._policy.admit(
            call.credential, call.address, body.model, body.input_estimate, body.max_tokens
        )
        try:
            routes = list(in_order(admitted.model.routes, call.endpoint.dialect))
            if not routes:
                raise no_route(admitted.model, call.endpoint.dialect)
            source = attribution_of(call.scope["headers"])
            metered = MeteredCall(self._books, admitted, routes[0], call.endpoint.name, body.stream, source)
        except OSError as error:
            self._policy.cancel(admitted)
            raise upstream_unavailable("The gateway cannot write calls down at the moment.", 503) from error
        except BaseException:
            self._policy.cancel(admitted)
            raise
        with Presence(receive) as presence:
            try:
                await self._serve(call, routes, metered, send)
            except asyncio.CancelledError:
                # The provider may have worked on the prompt; a stream that had begun is settled already.
                usage = TokenUsage(input=metered.input_estimate)
                metered.settle(_CLIENT_CLOSED, Outcome.ABORTED, usage, estimated=True)
                if not presence.gone:
                    raise
                if task := asyncio.current_task():
                    task.uncancel()
            finally:
                metered.drop()

    async def count_tokens(self, call: Call, send: Send) -> None:
        """The provider's own count, which uses up no limit; an estimate where the provider cannot count."""
        principal = await self._policy.authenticate(call.credential, call.address)
        model = await self._policy.check_access(principal, call.body.model)
        route = next(in_order(model.routes, Dialect.ANTHROPIC), None)
        if route is None:
            answer = msgspec.json.encode({"input_tokens": call.body.input_estimate})
            headers = [(b"content-type", b"application/json"), *id_headers(Dialect.ANTHROPIC, call.request_id)]
            await send_whole(send, 200, headers, answer)
            return
        try:
            response = await self._upstream(route).send(self._request(call, route, ask_usage=False))
        except UpstreamError as error:
            raise unreachable(error) from error
        try:
            content = await _whole(response)
        except UpstreamError as error:
            raise unreachable(error) from error
        finally:
            await response.aclose()
        await send_whole(send, response.status, self._returned(response, call), content)

    async def _serve(self, call: Call, routes: list[Route], metered: MeteredCall, send: Send) -> None:
        ask_usage = call.body.stream and call.endpoint.dialect is Dialect.OPENAI and not call.body.asks_usage
        response = await self._first_answer(call, routes, metered, ask_usage)
        try:
            if response.status >= 400:
                await self._relay_error(call, response, metered, send)
            elif call.body.stream and content_type(response.headers) == _EVENT_STREAM:
                relay = StreamRelay(call, response, metered, UnaskedUsage() if ask_usage else None)
                await relay.run(send, self._returned(response, call))
            else:
                await self._relay_whole(call, response, metered, send)
        finally:
            await response.aclose()

    async def _first_answer(
        self, call: Call, routes: list[Route], metered: MeteredCall, ask_usage: bool
    ) -> UpstreamResponse:
        """The first answer worth relaying; the last one when no backend gives any better."""
        failure: UpstreamError | None = None
        for turn, route in enumerate(routes, 1):
            metered.moved_to(route)
            try:
                response = await self._upstream(route).send(self._request(call, route, ask_usage=ask_usage))
            except UpstreamError as error:
                failure = error
                continue
            if turn == len(routes) or not worth_another_try(response.status):
                return response
            await response.aclose()
        if failure is None:
            raise upstream_unavailable("No backend answered.", 502)
        raise unreachable(failure) from failure

    def _upstream(self, route: Route) -> Upstream:
        return self._upstreams.network if route.origin else self._upstreams.demo

    def _request(self, call: Call, route: Route, *, ask_usage: bool) -> UpstreamRequest:
        query: bytes = call.scope.get("query_string", b"")
        target = route.base_path + call.endpoint.path
        return UpstreamRequest(
            origin=route.origin or _NOWHERE,
            method="POST",
            target=f"{target}?{query.decode('latin-1')}" if query else target,
            headers=provider_headers(route, call.endpoint.dialect, call.scope["headers"]),
            body=call.body.for_provider(route.provider_model, ask_usage=ask_usage),
            timeouts=self._upstreams.timeouts,
        )

    @staticmethod
    def _returned(response: UpstreamResponse, call: Call) -> RawHeaders:
        return returned_headers(response.headers, call.request_id.encode())

    async def _relay_error(self, call: Call, response: UpstreamResponse, metered: MeteredCall, send: Send) -> None:
        """A provider's refusal, byte for byte: clients act on its wording."""
        try:
            content = await _whole(response)
        except UpstreamError as error:
            raise unreachable(error) from error
        metered.fail(response.status)
        await send_whole(send, response.status, self._returned(response, call), content)

    async def _relay_whole(self, call: Call, response: UpstreamResponse, metered: MeteredCall, send: Send) -> None:
        content = response.buffered()
        if content is None:
            try:
                content = await _whole(response)
            except UpstreamError as error:
                # The provider did the work and may charge for it, but the caller has nothing of it.
                metered.fail(502)
                raise upstream_unavailable("The provider broke off its answer.") from error
        metered.first_byte()
        try:
            usage = whole_usage(content, call.endpoint.dialect)
        except (msgspec.DecodeError, UnicodeDecodeError):
            metered.fail(502)
            kind = content_type(response.headers).decode("latin-1")[:60] or "no content type"
            raise upstream_unavailable(f"The provider answered with {kind} that is not JSON.") from None
        estimated = usage is None
        if usage is None:
            usage = TokenUsage(input=metered.input_estimate, output=-(-len(content) // BYTES_PER_TOKEN))
        metered.settle(response.status, Outcome.OK, usage, estimated=estimated)
        await send_whole(send, response.status, self._returned(response, call), content)


class StreamRelay:
    """Passes a stream on chunk by chunk, with the meter looking at it from the side."""

    __slots__ = ("_call", "_filter", "_meter", "_metered", "_response", "_status")

    def __init__(
        self, call: Call, response: UpstreamResponse, metered: MeteredCall, unasked: UnaskedUsage | None
    ) -> None:
        self._call = call
        self._response = response
        self._metered = metered
        self._filter = unasked
        self._meter = StreamMeter(call.endpoint.dialect)
        self._status = response.status

    async def run(self, send: Send, headers: RawHeaders) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        try:
            tail = await self._relay(send)
        except BaseException:
            # The caller is gone, or the server is stopping: what flowed is billed.
            self._settle(Outcome.ABORTED)
            raise
        await send({"type": "http.response.body", "body": tail})

    async def _relay(self, send: Send) -> bytes:
        """Relays to the end; returns the bytes that go out last, when everything is settled."""
        read, meter, loop = self._response.read, self._meter, asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            try:
                chunk = await read()
            except UpstreamError as error:
                return self._broken(f"The provider broke off its answer: {error}")
            if not chunk:
                break
            meter.feed(chunk)
            self._metered.first_byte()
            if meter.complete:
                self._settle(Outcome.OK)
            elif loop.time() - renewed > _RENEW_SECONDS:
                renewed = loop.time()
                self._metered.alive()
            if self._filter is not None:
                chunk = self._filter.feed(chunk)
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        rest = self._filter.rest() if self._filter is not None else b""
        if meter.complete or meter.finished:
            self._settle(Outcome.OK)
            return rest
        return rest + self._broken("The provider ended its answer too early.")

    def _broken(self, message: str) -> bytes:
        self._settle(Outcome.UPSTREAM_ERROR)
        if self._meter.complete:
            return b""
        # The event before may have been cut in its middle.
        return b"\n\n" + error_event(upstream_unavailable(message), self._call.endpoint.dialect, self._call.request_id)

    def _settle(self, outcome: Outcome) -> None:
        reported, meter = self._meter.usage, self._meter
        if reported is not None and (meter.complete or meter.finished):
            self._metered.settle(self._status, outcome, reported, estimated=False)
            return
        flowed = meter.text_tokens
        if reported is None:
            usage = TokenUsage(input=self._metered.input_estimate, output=flowed)
        else:
            usage = replace(reported, output=max(reported.output, flowed))
        self._metered.settle(self._status, outcome, usage, estimated=True)


async def _whole(response: UpstreamResponse) -> bytes:
    content = response.buffered()
    if content is not None:
        return content
    parts: list[bytes] = []
    size = 0
    while part := await response.read():
        size += len(part)
        if size > _MAX_ANSWER:
            raise UpstreamError("protocol", "the answer is too large", before_first_byte=False, sent=True)
        parts.append(part)
    return b"".join(parts)


def unreachable(error: UpstreamError) -> Refusal:
    """No provider answered: 504 when it took too long, else 502."""
    if error.kind == "timeout":
        return upstream_unavailable(f"The provider did not answer in time: {error}", 504)
    return upstream_unavailable(f"The provider could not be reached: {error}", 502)


def no_route(model: CompiledModel, dialect: Dialect) -> Refusal:
    """Why a granted model cannot be served here."""
    if model.routes:
        return invalid_request(
            f"'{model.slug}' is served by an {_OTHER[dialect]} provider; call it through {_OTHER_PATH[dialect]}.",
            field="model",
        )
    return upstream_unavailable(f"No enabled backend with a known price serves '{model.slug}'.", 503)


def endpoints() -> Mapping[str, Endpoint]:
    """The metered routes by path."""
    chat = Endpoint(Dialect.OPENAI, "/chat/completions", "chat.completions")
    messages = Endpoint(Dialect.ANTHROPIC, "/messages", "messages")
    return {
        "/gateway/openai/v1/chat/completions": chat,
        "/v1/chat/completions": chat,
        "/gateway/anthropic/v1/messages": messages,
        "/v1/messages": messages,
    }
