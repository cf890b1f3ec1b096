"""Which backend serves a call, and which one is tried when it does not."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import ceil

import msgspec
import structlog

from sluicegate.domain.catalog import Dialect, Protocol
from sluicegate.gateway.breaker import Breaker, Breakers
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.headers import value_of
from sluicegate.gateway.providers.bedrock import authorised, is_bedrock
from sluicegate.gateway.transit import Outbound, wire_to
from sluicegate.kit.aside import beside_the_loop, in_turn
from sluicegate.kit.clock import Clock
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.refusals import Refusal, invalid_request, upstream_unavailable
from sluicegate.ports.tracing import CallTraces
from sluicegate.ports.upstream import (
    Arriving,
    Begun,
    RawHeaders,
    Timeouts,
    Upstream,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
)

_log = structlog.get_logger(__name__)
_PATHS = {
    Dialect.OPENAI: "/v1/chat/completions",
    Dialect.ANTHROPIC: "/v1/messages",
    Dialect.GEMINI: "/v1beta/models/<name>:generateContent",
}
# Statuses that a provider sends with a time after which to come back.
_WORTH_WAITING = frozenset({429, 503, 529})
_SPREAD_SECONDS = 0.25
_random = secrets.SystemRandom().random
# A number from 0 to 1 for a backend.
Draw = Callable[[Route], float]


def _by_chance(_route: Route) -> float:
    return _random()


class Unreachable(Exception):
    """No backend gave an answer. `reached` tells whether one of them may have begun to work on the call."""

    def __init__(self, refusal: Refusal, *, reached: bool) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.reached = reached


def routes_for(model: CompiledModel, wire: Wire, written: Protocol | None) -> list[Route]:
    """The backends that can take the call, translated or not; raises Refusal when there is none. `written` is the
    protocol of the body."""
    if not model.routes:
        raise upstream_unavailable(f"No enabled backend with a known price serves '{model.slug}' at present.", 503)
    fitting = [route for route in model.routes if wire_to(route, wire, written) is not None]
    if not fitting:
        where = _PATHS[model.routes[0].dialects[0]]
        message = f"No provider of the model '{model.slug}' takes calls to {wire.path}; it is called at {where}."
        raise invalid_request(message, field="model")
    return fitting


def in_order(routes: Sequence[Route], draw: Draw = _by_chance) -> list[Route]:
    """Lowest priority first; among equals each goes first in proportion to its weight."""
    # Efraimidis and Spirakis: sorting by u^(1/w) draws without putting back.
    drawn = {id(r): draw(r) ** (1 / r.weight) if r.weight > 0 else -1.0 for r in routes}
    return sorted(routes, key=lambda r: (r.priority, -drawn[id(r)]))


def _in_session(routes: list[Route], session: str | None) -> list[Route]:
    return routes if len(routes) == 1 else in_order(routes, draw_for(session))


def draw_for(session: str | None) -> Draw:
    """Numbers from 0 to 1 that are always the same for a session and a backend, so that a session's calls go where its
    prompt is cached as long as that backend takes them (weighted rendezvous hashing); without one, chance."""
    if session is None:
        return _by_chance

    def draw(route: Route) -> float:
        named = f"{session}\0{route.provider_id}\0{route.provider_model}".encode()
        return int.from_bytes(blake2b(named, digest_size=8).digest(), "big") / 2**64

    return draw


def retry_after(headers: RawHeaders) -> float | None:
    """The seconds that an answer asks to wait, None when it says nothing that can be read. Dates are not read: no
    provider of models sends them."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = value_of(headers, name)
        if value.replace(b".", b"", 1).isdigit():
            return float(value) / unit
    return None


class Attempt(msgspec.Struct):
    """A call at one backend, until `ended`. `due` are all that it may be sent to, in the order of `ordered`; `sent` is
    set when it is on its way already, `response` when its answer is here."""

    ordered: list[Route]
    due: list[Route]
    route: Route
    request: UpstreamRequest
    breaker: Breaker
    began: float
    probe: bool
    sent: Begun | None = None
    response: UpstreamResponse | None = None


class Backends:
    """Sends calls out. Nothing is tried again once any of an answer has come.

    A backend that rests is passed over. Where none gives an answer and the last one asks for no more than `patience`
    seconds, that is waited for, once; a longer wait is the caller's own to decide on."""

    def __init__(
        self,
        upstream: Upstream,
        demo: Upstream,
        timeouts: Timeouts,
        clock: Clock,
        *,
        patience: float = 0.0,
        traces: CallTraces | None = None,
    ) -> None:
        self._upstream = upstream
        self._demo = demo
        self._timeouts = timeouts
        self._clock = clock
        self._patience = patience
        self._traces = traces
        self._translating = asyncio.Semaphore()
        self.breakers = Breakers(clock)

    def begin(self, outbound: Outbound, routes: list[Route], session: str | None = None) -> Attempt | None:
        """Sends a call to its first backend, where nothing has to be waited for; None, and then nothing is sent, where
        it has. `reach` goes on from there in any case."""
        ordered = _in_session(routes, session)
        try:
            due = self._due(ordered)
            route = due[0]
            if route.origin is None or is_bedrock(route) or outbound.takes_long(route):
                return None
            request = outbound.to(route, self._timeouts)
            if self._traces is not None:
                self._traces.attempted(outbound.request_id, outbound.caller_headers, request, route)
            sent = self._upstream.begin(request)
        except (Unreachable, Refusal, UpstreamError):
            return None
        return None if sent is None else self._started(ordered, due, route, request, sent)

    def arrived(self, attempt: Attempt, outbound: Outbound) -> Arriving | None:
        """The answer to a call that was begun, if it is here and nothing keeps it from being the one to pass on."""
        response = None if attempt.sent is None else attempt.sent.arrived()
        if response is None or _in_trouble(response):
            return None
        if self._traces is not None:
            response = self._traces.arrived(outbound.request_id, response)
        self._note(attempt, outbound, response)
        return response

    @staticmethod
    def give_up(attempt: Attempt) -> None:
        """Nobody waits for a call that was begun any more."""
        if attempt.response is None:
            attempt.breaker.let_go(probe=attempt.probe)
        if attempt.sent is not None:
            attempt.sent.give_up()

    async def reach(
        self,
        outbound: Outbound,
        routes: list[Route],
        session: str | None = None,
        attempt: Attempt | None = None,
    ) -> UpstreamResponse:
        """The answer of the first backend that is neither down nor overloaded, or else of the last one; raises
        Unreachable. `attempt` is what `begin` gave."""
        ordered = _in_session(routes, session) if attempt is None else attempt.ordered
        due = self._due(ordered) if attempt is None else attempt.due
        response = await self._first_of(outbound, ordered, due, attempt)
        wait = self._short_wait(response)
        if wait is None:
            return response
        await response.aclose()
        # Calls that were refused together do not come back together.
        await asyncio.sleep(wait + _SPREAD_SECONDS * _random())
        return await self._first_of(outbound, ordered, self._due(ordered))

    def _due(self, ordered: list[Route]) -> list[Route]:
        """Those that take calls, then those that take them at need; raises Unreachable when there are none."""
        of = self.breakers.of
        if len(ordered) == 1 and of(ordered[0]).until is None:
            return ordered
        now = self._clock.monotonic()
        due = [route for route in ordered if of(route).takes(now)]
        due += [route for route in ordered if route not in due and of(route).takes_at_need(now)]
        if not due:
            refusal = upstream_unavailable("No provider of this model can be reached at present.", 503)
            refusal.retry_after = max(1, ceil(min(of(route).wait(now) for route in ordered)))
            raise Unreachable(refusal, reached=False)
        return due

    async def _first_of(
        self, outbound: Outbound, ordered: list[Route], due: list[Route], begun: Attempt | None = None
    ) -> UpstreamResponse:
        failure: UpstreamError | None = None
        refused: Refusal | None = None
        for route in due:
            try:
                attempt, begun = begun or self._started(ordered, due, route, await self._request(outbound, route)), None
            except Refusal as refusal:
                refused = refusal
                continue
            try:
                response = attempt.response or await self._answer_to(attempt, outbound)
            except UpstreamError as error:
                failure = error
                if not error.before_first_byte:
                    break
                continue
            if route is due[-1] or not _in_trouble(response):
                return response
            await response.aclose()
        raise Unreachable(_refusal(failure) if failure or refused is None else refused, reached=outbound.sent)

    async def _request(self, outbound: Outbound, route: Route) -> UpstreamRequest:
        """Raises Refusal when the call holds what this backend cannot be told."""
        if outbound.takes_long(route):
            # One after the other, so that threads that do other work are not all taken.
            request = await in_turn(self._translating, _aside, outbound, route, self._timeouts)
        else:
            request = outbound.to(route, self._timeouts)
        if is_bedrock(route):
            request = authorised(request, route, self._clock.now())
        if self._traces is not None:
            self._traces.attempted(outbound.request_id, outbound.caller_headers, request, route)
        return request

    def _started(
        self, ordered: list[Route], due: list[Route], route: Route, request: UpstreamRequest, sent: Begun | None = None
    ) -> Attempt:
        breaker = self.breakers.of(route)
        began = self._clock.monotonic()
        return Attempt(ordered, due, route, request, breaker, began, breaker.begin(began), sent)

    async def _answer_to(self, attempt: Attempt, outbound: Outbound) -> UpstreamResponse:
        route, breaker, probe = attempt.route, attempt.breaker, attempt.probe
        upstream = self._demo if route.origin is None else self._upstream
        try:
            response = await (upstream.send(attempt.request) if attempt.sent is None else attempt.sent.answer())
            if is_bedrock(route):
                response = await _unwrapped(response, attempt.request.target)
        except UpstreamError as error:
            outbound.sent = outbound.sent or error.sent
            breaker.unreached(f"{error.kind}: {error}", probe=probe)
            if self._traces is not None:
                self._traces.failed(outbound.request_id, error.kind)
            _log.warning(
                "gateway.backend_failed",
                provider=route.provider_name,
                kind=error.kind,
                error=str(error),
                request_id=outbound.request_id,
            )
            raise
        except BaseException:
            breaker.let_go(probe=probe)
            raise
        if self._traces is not None:
            response = self._traces.answered(outbound.request_id, response)
        self._note(attempt, outbound, response)
        return response

    def _note(self, attempt: Attempt, outbound: Outbound, response: UpstreamResponse) -> None:
        breaker, probe = attempt.breaker, attempt.probe
        attempt.response = response
        outbound.sent, outbound.breaker = True, breaker
        if _in_trouble(response):
            breaker.refused(response.status, retry_after(response.headers), probe=probe)
            _log.warning(
                "gateway.backend_refused",
                provider=attempt.route.provider_name,
                status=response.status,
                request_id=outbound.request_id,
            )
        else:
            breaker.answered(attempt.began, probe=probe)

    def _short_wait(self, response: UpstreamResponse) -> float | None:
        """Seconds after which the same call is worth another try here."""
        if response.status not in _WORTH_WAITING:
            return None
        wait = retry_after(response.headers)
        return wait if wait is not None and 0 <= wait <= self._patience else None


def _aside(outbound: Outbound, route: Route, timeouts: Timeouts) -> UpstreamRequest:
    with beside_the_loop():
        request = outbound.to(route, timeouts)
        outbound.shed()
        return request


async def _unwrapped(response: UpstreamResponse, target: str) -> UpstreamResponse:
    """An answer of Bedrock's in the dialect of its models; raises UpstreamError."""
    # For those who have one of its models.
    from sluicegate.gateway.providers.bedrock_answers import told

    try:
        return await told(response, target)
    except BaseException:
        await response.aclose()
        raise


def _in_trouble(response: UpstreamResponse) -> bool:
    return response.status >= 500 or response.status == 429


def _refusal(error: UpstreamError | None) -> Refusal:
    if error is not None and error.kind == "timeout":
        return upstream_unavailable("The model's provider did not answer in time.", 504)
    if error is not None and error.kind == "connect":
        return upstream_unavailable("The model's provider cannot be reached.", 502)
    return upstream_unavailable("The model's provider broke the connection off.", 502)
