"""A caller's request on its way to whichever backend takes it: untouched in its own protocol, translated in another."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from sluicegate.domain.catalog import Dialect, Protocol
from sluicegate.domain.usage import CallFacts
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
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.principals import Principal
from sluicegate.ports.upstream import KeptHeaders, Origin, RawHeaders, Timeouts, UpstreamRequest

if TYPE_CHECKING:
    from sluicegate.gateway.translate.translator import Translator

# The embedded provider answers in process: its requests name a place nobody connects to.
_IN_PROCESS = Origin("http", "demo.invalid", 80)
# Bodies of fewer bytes, or of fewer objects, are translated within a few milliseconds.
_SHORT_BODY, _FEW_OBJECTS = 16_384, 1_000
_WIRES: dict[Protocol, Wire] = {
    Protocol.CHAT: ChatCompletions(),
    Protocol.MESSAGES: Messages(),
    Protocol.RESPONSES: Responses(),
}


@cache
def _translator() -> type[Translator]:
    """Two dozen modules, which many servers never need."""
    from sluicegate.gateway.translate.translator import Translator

    return Translator


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


class NamedCall(msgspec.Struct, frozen=True):
    """What the ledger knows of calls of this principal to this model at this backend."""

    principal: Principal
    model: CompiledModel
    route: Route
    facts: CallFacts


class _Known(msgspec.Struct, frozen=True):
    """What a head becomes for one backend, and `written`, the protocol of the bodies for which that holds."""

    route: Route
    written: Protocol | None
    target: str
    headers: KeptHeaders


class Untouched:
    """What a request's head becomes on the way to backends of its own protocol; worked out once for each backend after
    the other, since those who repeat a head mostly go to the same. `routes` are those of the model that was called
    last, with the protocol that its body was written in, and `named` what the ledger knew of the last call."""

    __slots__ = ("_headers", "_query", "_wire", "known", "named", "routes")

    def __init__(self, request: Request, wire: Wire) -> None:
        self._wire = wire
        self._query = without_credentials(request.query)
        self._headers = forwarded(request.headers, wire.dialect)
        self.known: _Known | None = None
        self.routes: tuple[CompiledModel, Protocol | None, list[Route]] | None = None
        self.named: NamedCall | None = None

    def at(self, route: Route, written: Protocol | None) -> _Known:
        """With the backend's own credential."""
        wire = self._wire
        target = route.target(wire.path_to(route.provider_model), self._query)
        self.known = _Known(route, written, target, KeptHeaders(addressed(self._headers, route, wire.dialect)))
        return self.known


class Outbound(msgspec.Struct, eq=False):
    """`route` is the backend that was tried last and `wire` the one on which it was called; `translator` is set while
    that is not the caller's own. `sent` turns True when a provider may have seen the request; `breaker` is that of the
    backend that answered."""

    _request: Request
    _envelope: Envelope
    _caller: Wire
    _written: Protocol | None
    route: Route
    wire: Wire
    _created: float
    _input_estimate: int
    untouched: Untouched | None
    _hide_usage: bool
    hide_usage: bool
    translator: Translator | None = None
    _translator: Translator | None = None
    sent: bool = False
    breaker: Breaker | None = None

    @classmethod
    def of(
        cls,
        request: Request,
        envelope: Envelope,
        wire: Wire,
        written: Protocol | None,
        first: Route,
        created: float = 0.0,
        input_estimate: int = 0,
        untouched: Untouched | None = None,
    ) -> Outbound:
        """`written` is the protocol of the body; `created` is in seconds since the epoch; `untouched` is for those who
        have it. Raises Refusal for a body that can't be served or metered."""
        hide = wire.prepare(envelope)
        return cls(request, envelope, wire, written, first, wire, created, input_estimate, untouched, hide, hide)

    @property
    def request_id(self) -> str:
        return self._request.id

    @property
    def caller_headers(self) -> RawHeaders:
        return self._request.headers

    def takes_long(self, route: Route) -> bool:
        """Whether `to` translates so much that others should not wait for it, or is the first to translate anything. It
        is the number of objects that takes time; braces in a text only make it look like more."""
        if self._known_at(route) is not None:
            return False
        if wire_to(route, self._caller, self._written) is self._caller:
            return False
        raw = self._envelope.raw
        if len(raw) > _SHORT_BODY and raw.count(b"{") > _FEW_OBJECTS:
            return True
        return not _translator.cache_info().currsize

    def to(self, route: Route, timeouts: Timeouts) -> UpstreamRequest:
        """Raises Refusal when the request holds what this backend cannot be told."""
        known = self._known_at(route)
        if known is not None:
            return self._as_it_came(known, timeouts)
        wire = wire_to(route, self._caller, self._written)
        if wire is None:
            raise ValueError("a backend that does not take this call")
        self.route, self.wire = route, wire
        if wire is self._caller:
            self.translator, self.hide_usage = None, self._hide_usage
            if is_bedrock(route):
                fields, counting = self._envelope.fields, wire.protocol is None
                return request_to(route, fields, self._request.headers, timeouts, counting=counting)
            if self.untouched is None:
                self.untouched = Untouched(self._request, wire)
            return self._as_it_came(self.untouched.at(route, self._written), timeouts)
        # The translator needs the usage that it may then keep to itself.
        self.translator, self.hide_usage = self._translation(), False
        headers = rewritten(self._request.headers, wire.dialect)
        if is_bedrock(route):
            return request_to(route, fields_of(self._translated(route, wire)), headers, timeouts)
        target, headers = route.target(wire.path_to(route.provider_model)), addressed(headers, route, wire.dialect)
        return UpstreamRequest(
            route.origin or _IN_PROCESS, "POST", target, headers, self._translated(route, wire), timeouts
        )

    def shed(self) -> None:
        """Lets go of a translation but for what the answer is written with; for another backend it is made anew."""
        if self._translator is not None:
            self._translator.shed()
            self._translator = None

    def _known_at(self, route: Route) -> _Known | None:
        """What the head becomes for this backend, where that was worked out for the last call."""
        known = None if self.untouched is None else self.untouched.known
        return known if known is not None and known.route is route and known.written is self._written else None

    def _as_it_came(self, known: _Known, timeouts: Timeouts) -> UpstreamRequest:
        route = known.route
        self.route, self.wire = route, self._caller
        self.translator, self.hide_usage = None, self._hide_usage
        body = self._envelope.body_for(route.provider_model)
        return UpstreamRequest(route.origin or _IN_PROCESS, "POST", known.target, known.headers, body, timeouts)

    def _translation(self) -> Translator:
        answered, written = self._caller.protocol, self._written
        if answered is None or written is None:
            raise ValueError("a call of this kind is never translated")
        if self._translator is None:
            self._translator = _translator()(
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
        from sluicegate.gateway.translate.traits import target_of

        anthropic = wire.dialect is Dialect.ANTHROPIC
        target = target_of(
            route.kind, route.provider_model, route.max_output_tokens, route.capabilities, anthropic=anthropic
        )
        return self._translation().request(wire.protocol, target)
