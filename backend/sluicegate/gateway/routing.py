"""Which backend serves a call, and which one is tried when it does not."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from itertools import groupby

import structlog

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.transit import Outbound, wire_to, written_in
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.refusals import Refusal, invalid_request, upstream_unavailable
from sluicegate.ports.upstream import Timeouts, Upstream, UpstreamError, UpstreamResponse

_log = structlog.get_logger(__name__)
_PATHS = {
    Dialect.OPENAI: "/v1/chat/completions",
    Dialect.ANTHROPIC: "/v1/messages",
    Dialect.GEMINI: "/v1beta/models/<name>:generateContent",
}
_random = secrets.SystemRandom().random


class Unreachable(Exception):
    """No backend gave an answer. `reached` tells whether one of them may have begun to work on the call."""

    def __init__(self, refusal: Refusal, *, reached: bool) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.reached = reached


def routes_for(model: CompiledModel, wire: Wire, envelope: Envelope) -> list[Route]:
    """The backends that can take the call, translated or not; raises Refusal when there is none."""
    if not model.routes:
        raise upstream_unavailable(f"No enabled backend with a known price serves '{model.slug}' at present.", 503)
    written = written_in(wire, envelope)
    fitting = [route for route in model.routes if wire_to(route, wire, written) is not None]
    if not fitting:
        where = _PATHS[model.routes[0].dialects[0]]
        message = f"No provider of the model '{model.slug}' takes calls to {wire.path}; it is called at {where}."
        raise invalid_request(message, field="model")
    return fitting


def in_order(routes: list[Route], random: Callable[[], float] = _random) -> Iterator[Route]:
    """Lowest priority first; among equals each goes first in proportion to its weight."""
    if len(routes) == 1:
        yield routes[0]
        return
    for _, equals in groupby(sorted(routes, key=lambda r: r.priority), key=lambda r: r.priority):
        # Efraimidis and Spirakis: sorting by u^(1/w) draws without putting back.
        yield from sorted(equals, key=lambda r: random() ** (1 / r.weight) if r.weight > 0 else -1.0, reverse=True)


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
        refused: Refusal | None = None
        for route in in_order(routes):
            left -= 1
            try:
                request = outbound.to(route, self._timeouts)
            except Refusal as refusal:
                refused = refusal
                continue
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
        raise Unreachable(_refusal(failure) if failure or refused is None else refused, reached=outbound.sent)


def _refusal(error: UpstreamError | None) -> Refusal:
    if error is not None and error.kind == "timeout":
        return upstream_unavailable("The model's provider did not answer in time.", 504)
    if error is not None and error.kind == "connect":
        return upstream_unavailable("The model's provider cannot be reached.", 502)
    return upstream_unavailable("The model's provider broke the connection off.", 502)
