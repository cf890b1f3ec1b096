"""Which backend serves a call, and which one is tried when it does not."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from itertools import groupby

import structlog

from sluicegate.gateway.asgi import Request
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.headers import credentials_for, forwarded
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.refusals import Refusal, invalid_request, upstream_unavailable
from sluicegate.ports.upstream import Origin, Timeouts, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse

_log = structlog.get_logger(__name__)
# The embedded provider answers in process: its requests name a place nobody connects to.
_IN_PROCESS = Origin("http", "demo.invalid", 80)
_random = secrets.SystemRandom().random


class Unreachable(Exception):
    """No backend gave an answer. `reached` tells whether one of them may have begun to work on the call."""

    def __init__(self, refusal: Refusal, *, reached: bool) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.reached = reached


def routes_for(model: CompiledModel, wire: Wire) -> list[Route]:
    """The backends that speak the caller's protocol; raises Refusal when there is none."""
    if not model.routes:
        raise upstream_unavailable(f"No enabled backend with a known price serves '{model.slug}' at present.", 503)
    fitting = [route for route in model.routes if wire.dialect in route.dialects]
    if not fitting:
        other = model.routes[0].dialects[0]
        path = "/v1/messages" if other.value == "anthropic" else "/v1/chat/completions"
        raise invalid_request(f"The model '{model.slug}' is served by {other.value} providers: call {path}.")
    return fitting


def in_order(routes: list[Route], random: Callable[[], float] = _random) -> Iterator[Route]:
    """Lowest priority first; among equals each goes first in proportion to its weight."""
    if len(routes) == 1:
        yield routes[0]
        return
    for _, equals in groupby(sorted(routes, key=lambda r: r.priority), key=lambda r: r.priority):
        # Efraimidis and Spirakis: sorting by u^(1/w) draws without putting back.
        yield from sorted(equals, key=lambda r: random() ** (1 / r.weight) if r.weight > 0 else -1.0, reverse=True)


class Outbound:
    """A caller's request on its way to whichever backend takes it. `route` is the one tried last; `sent` turns True
    when a provider may have seen the request."""

    __slots__ = ("_envelope", "_headers", "_query", "_wire", "route", "sent")

    def __init__(self, request: Request, envelope: Envelope, wire: Wire, first: Route) -> None:
        self._envelope = envelope
        self._wire = wire
        self._query = _query(request.query)
        self._headers = forwarded(request.headers, wire.dialect)
        self.route = first
        self.sent = False

    def to(self, route: Route, timeouts: Timeouts) -> UpstreamRequest:
        self.route = route
        return UpstreamRequest(
            origin=route.origin or _IN_PROCESS,
            method="POST",
            target=route.base_path + self._wire.path + self._query,
            headers=self._headers + credentials_for(route, self._wire.dialect),
            body=self._envelope.body_for(route.provider_model),
            timeouts=timeouts,
        )


def _query(query: bytes) -> str:
    """The query as the provider gets it: without `key`, in which some programs send their credential."""
    if b"key=" in query:
        query = b"&".join(part for part in query.split(b"&") if not part.startswith(b"key="))
    return "?" + query.decode("latin-1") if query else ""


class Backends:
    """Sends calls out. Nothing is tried again once any of an answer has come."""

    def __init__(self, upstream: Upstream, demo: Upstream, timeouts: Timeouts) -> None:
        self._upstream = upstream
        self._demo = demo
        self._timeouts = timeouts

    async def reach(self, outbound: Outbound, routes: list[Route]) -> UpstreamResponse:
        """The answer of the first backend that is neither down nor overloaded, or else of the last one; raises
        Unreachable."""
        left = len(routes)
        failure: UpstreamError | None = None
        for route in in_order(routes):
            left -= 1
            request = outbound.to(route, self._timeouts)
            upstream = self._demo if route.origin is None else self._upstream
            try:
                response = await upstream.send(request)
            except UpstreamError as error:
                failure = error
                outbound.sent = outbound.sent or error.sent
                _log.warning("gateway.backend_failed", provider=route.provider_name, kind=error.kind, error=str(error))
                if not error.before_first_byte:
                    break
                continue
            outbound.sent = True
            if not left or (response.status < 500 and response.status != 429):
                return response
            _log.warning("gateway.backend_refused", provider=route.provider_name, status=response.status)
            await response.aclose()
        raise Unreachable(_refusal(failure), reached=outbound.sent)


def _refusal(error: UpstreamError | None) -> Refusal:
    if error is not None and error.kind == "timeout":
        return upstream_unavailable("The model's provider did not answer in time.", 504)
    if error is not None and error.kind == "connect":
        return upstream_unavailable("The model's provider cannot be reached.", 502)
    return upstream_unavailable("The model's provider broke the connection off.", 502)
