"""A caller's request on its way to whichever backend takes it: untouched in its own protocol, translated in another."""

from __future__ import annotations

from sluicegate.domain.catalog import Dialect, Protocol
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.breaker import Breaker
from sluicegate.gateway.credentials import without_credentials
from sluicegate.gateway.dialects.chat import ChatCompletions
from sluicegate.gateway.dialects.messages import Messages
from sluicegate.gateway.dialects.responses import Responses
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.envelope import Envelope, fields_of
from sluicegate.gateway.headers import addressed, forwarded, rewritten
from sluicegate.gateway.providers.bedrock import is_bedrock, request_to
from sluicegate.gateway.translate import Translator
from sluicegate.gateway.translate.traits import target_of
from sluicegate.policy.compile import Route
from sluicegate.ports.upstream import KeptHeaders, Origin, RawHeaders, Timeouts, UpstreamRequest

# The embedded provider answers in process: its requests name a place nobody connects to.
_IN_PROCESS = Origin("http", "demo.invalid", 80)
_WIRES: dict[Protocol, Wire] = {
    Protocol.CHAT: ChatCompletions(),
    Protocol.MESSAGES: Messages(),
    Protocol.RESPONSES: Responses(),
}


def written_in(wire: Wire, envelope: Envelope) -> Protocol | None:
    """The protocol of a body. Cursor sends that of Responses to the path of Chat Completions."""
    if wire.protocol is Protocol.CHAT and envelope.has("input") and not envelope.has("messages"):
        return Protocol.RESPONSES
    return wire.protocol


def wire_to(route: Route, wire: Wire, written: Protocol | None) -> Wire | None:
    """The wire on which a backend takes a call: the caller's own where it can be, else one to translate to; None when
    there is none."""
    spoken = wire.dialect in route.dialects and (written is None or written in route.protocols)
    if spoken and written is wire.protocol:
        return wire
    if written is None:
        return None
    for protocol in (written, *_WIRES):
        if protocol in route.protocols:
            return _WIRES[protocol]
    return None


class Untouched:
    """What a request's head becomes on the way to backends of its own protocol; worked out once for each backend after
    the other, since those who repeat a head mostly go to the same."""

    __slots__ = ("_headers", "_known", "_query", "_wire")

    def __init__(self, request: Request, wire: Wire) -> None:
        self._wire = wire
        self._query = without_credentials(request.query)
        self._headers = forwarded(request.headers, wire.dialect)
        self._known: tuple[Route, str, KeptHeaders] | None = None

    def at(self, route: Route) -> tuple[str, KeptHeaders]:
        """Target and headers, with the backend's own credential."""
        known, wire = self._known, self._wire
        if known is None or known[0] is not route:
            target = route.target(wire.path_to(route.provider_model), self._query)
            headers = KeptHeaders(addressed(self._headers, route, wire.dialect))
            self._known = known = (route, target, headers)
        return known[1], known[2]


class Outbound:
    """`route` is the backend that was tried last and `wire` the one on which it was called; `translator` is set while
    that is not the caller's own. `sent` turns True when a provider may have seen the request; `breaker` is that of the
    backend that answered."""

    __slots__ = (
        "_caller",
        "_created",
        "_envelope",
        "_hide_usage",
        "_input_estimate",
        "_request",
        "_translator",
        "_untouched",
        "_written",
        "breaker",
        "hide_usage",
        "route",
        "sent",
        "translator",
        "wire",
    )

    def __init__(
        self,
        request: Request,
        envelope: Envelope,
        wire: Wire,
        written: Protocol | None,
        first: Route,
        *,
        created: float = 0.0,
        input_estimate: int = 0,
        untouched: Untouched | None = None,
    ) -> None:
        """`written` is the protocol of the body; `created` is in seconds since the epoch; `untouched` is for those who
        have it. Raises Refusal for a body that can't be served or metered."""
        self._request = request
        self._envelope = envelope
        self._caller = wire
        self._created = created
        self._input_estimate = input_estimate
        self._written = written
        self._hide_usage = wire.prepare(envelope)
        self._untouched = untouched
        self._translator: Translator | None = None
        self.hide_usage = self._hide_usage
        self.route = first
        self.wire = wire
        self.translator: Translator | None = None
        self.sent = False
        self.breaker: Breaker | None = None

    @property
    def request_id(self) -> str:
        return self._request.id

    @property
    def caller_headers(self) -> RawHeaders:
        return self._request.headers

    def to(self, route: Route, timeouts: Timeouts) -> UpstreamRequest:
        """Raises Refusal when the request holds what this backend cannot be told."""
        wire = wire_to(route, self._caller, self._written)
        if wire is None:
            raise ValueError("a backend that does not take this call")
        self.route, self.wire = route, wire
        if wire is self._caller:
            self.translator, self.hide_usage = None, self._hide_usage
            if is_bedrock(route):
                fields, counting = self._envelope.fields, wire.protocol is None
                return request_to(route, fields, self._request.headers, timeouts, counting=counting)
            if self._untouched is None:
                self._untouched = Untouched(self._request, wire)
            target, headers = self._untouched.at(route)
            body = self._envelope.body_for(route.provider_model)
        else:
            # The translator needs the usage that it may then keep to itself.
            self.translator, self.hide_usage = self._translation(), False
            if is_bedrock(route):
                headers = rewritten(self._request.headers, wire.dialect)
                return request_to(route, fields_of(self._translated(route, wire)), headers, timeouts)
            target = route.target(wire.path_to(route.provider_model))
            headers = addressed(rewritten(self._request.headers, wire.dialect), route, wire.dialect)
            body = self._translated(route, wire)
        return UpstreamRequest(route.origin or _IN_PROCESS, "POST", target, headers, body, timeouts)

    def _translation(self) -> Translator:
        answered, written = self._caller.protocol, self._written
        if answered is None or written is None:
            raise ValueError("a call of this kind is never translated")
        if self._translator is None:
            self._translator = Translator(
                self._envelope.whole(),
                written,
                answered,
                model=self._envelope.model,
                created=int(self._created),
                input_estimate=self._input_estimate,
                hide_usage=self._hide_usage,
            )
        return self._translator

    def _translated(self, route: Route, wire: Wire) -> bytes:
        if wire.protocol is None:
            raise ValueError("nothing is translated to a wire without a protocol")
        anthropic = wire.dialect is Dialect.ANTHROPIC
        target = target_of(
            route.kind, route.provider_model, route.max_output_tokens, route.capabilities, anthropic=anthropic
        )
        return self._translation().request(wire.protocol, target)
