"""The hot path: authenticate, read, admit, send, relay, settle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from sluicegate.domain.catalog import ModelKind, Protocol
from sluicegate.domain.secret_rule import SecretFinding
from sluicegate.domain.usage import Outcome
from sluicegate.gateway import answers
from sluicegate.gateway.answers import UnfitAnswer
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.attribution import attribution_of
from sluicegate.gateway.body import read_body
from sluicegate.gateway.credentials import credential_of
from sluicegate.gateway.dialects.wire import CountingWire, Wire
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.metering import Books, Call
from sluicegate.gateway.providers.bedrock import cannot_count, counts
from sluicegate.gateway.reading import loaded
from sluicegate.gateway.relay import Relay, as_it_came
from sluicegate.gateway.routing import Attempt, Backends, Unreachable, routes_for
from sluicegate.gateway.secrets import Guard
from sluicegate.gateway.transit import Outbound, Untouched, written_in
from sluicegate.gateway.watch import Watch
from sluicegate.kit.errors import Unavailable
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import Refusal, invalid_request, undecided, upstream_unavailable
from sluicegate.ports.policy import CountersUnavailable
from sluicegate.ports.tracing import CallTraces
from sluicegate.ports.upstream import Timeouts

_log = structlog.get_logger(__name__)
_RETRY_SECONDS = 5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """`max_body_bytes` bounds request bodies, as sent and decoded; `budget_status` answers calls over budget;
    `patience_seconds` is the longest wait that a backend may ask for before the gateway itself asks again;
    `stalled_seconds` is how long a caller may leave a stream unread, and `heartbeat_seconds` how long a stream may
    stand still before the gateway says that it lives, 0 for ever; `refused` hears of good keys that may not call: the
    reason, the key's public id, the caller's address; `found` of what secret rules matched; `counted` of every
    refusal: the reason, and the user and the user's groups where the key is known; `traces` of whatever becomes of a
    call."""

    max_body_bytes: int = 10 * 1024 * 1024
    timeouts: Timeouts = field(default_factory=Timeouts)
    patience_seconds: float = 0.0
    budget_status: int = 402
    stalled_seconds: float = 300.0
    heartbeat_seconds: float = 15.0
    refused: Callable[[str, str, str], None] = lambda *_: None
    found: Callable[[Sequence[SecretFinding]], None] = lambda _: None
    counted: Callable[[str, str | None, Collection[str]], None] = lambda *_: None
    traces: CallTraces | None = None


class Pipeline:
    """Carries calls from admission to settlement. Raises Refusal as long as nothing was sent to the caller."""

    def __init__(self, books: Books, backends: Backends, options: GatewayOptions) -> None:
        self.books = books
        self.policy = books.policy
        self.backends = backends
        self.max_body = options.max_body_bytes
        self._guard = Guard(books.policy, options.found, books.clock)
        self.watch = Watch(books.clock, options.stalled_seconds, options.heartbeat_seconds)

    async def identify(self, request: Request) -> Principal:
        """Whose key it is; raises Refusal."""
        return await self._identify(credential_of(request), request)

    async def _identify(self, credential: str, request: Request) -> Principal:
        known = self.policy.known(credential)
        return known or await decided(self.policy.authenticate(credential, request.address), request)

    async def call(self, request: Request, wire: Wire, named: str = "") -> None:
        """A call that costs: everything from the key to the ledger. `named` is a model that stands in the path."""
        credential = credential_of(request)
        principal = await self._identify(credential, request)
        envelope = wire.open(await read_body(request, self.max_body), named)
        input_estimate = envelope.input_estimate(wire.bytes_per_token)
        max_tokens = wire.max_tokens(envelope)
        try:
            admitted = await decided(
                self.policy.admit(credential, request.address, envelope.model, input_estimate, max_tokens, principal),
                request,
            )
        except Refusal as refusal:
            refusal.model = envelope.model
            raise
        call = Call.of(self.books, request, admitted, attribution_of(request.headers))
        self.watch.enter(call)

        async def serve() -> None:
            if self.policy.secrets is not None:
                _check_kind(admitted.model, wire)
                await decided(self._guard.clear(envelope, call.principal, admitted.model.slug, request.id), request)
            if self.books.kept.shared and self.must_learn(wire, envelope):
                await self.books.kept.learn(envelope, call.principal.user.id)
            outbound, routes = self.prepare(call, wire, envelope)
            await self._serve(call, outbound, routes)

        await self._carry(call, serve())

    def must_learn(self, wire: Wire, envelope: Envelope) -> bool:
        """Whether other processes may know what a call refers to."""
        return written_in(wire, envelope) is Protocol.RESPONSES and self.books.kept.may_refer(envelope)

    async def go_on(self, call: Call, outbound: Outbound, routes: list[Route], attempt: Attempt | None) -> None:
        """Carries a call that was prepared, and may be on its way, to its end."""
        await self._carry(call, self._serve(call, outbound, routes, attempt))

    async def _carry(self, call: Call, work: Coroutine[None, None, None]) -> None:
        task = asyncio.current_task()
        call.carried_by(task)
        try:
            await work
        except Refusal as refusal:
            refusal.model = call.model.slug
            raise
        except asyncio.CancelledError:
            if not call.gone or task is None:
                raise
            task.uncancel()
        finally:
            self.watch.leave(call)
            call.close()

    def prepare(
        self, call: Call, wire: Wire, envelope: Envelope, untouched: Untouched | None = None
    ) -> tuple[Outbound, list[Route]]:
        """Writes the call down, ready to be sent to one of the backends; `untouched` as `Outbound` takes it. Raises
        Refusal."""
        model, written = call.model, written_in(wire, envelope)
        known = None if untouched is None else untouched.routes
        if known is not None and known[0] is model and known[1] is written:
            routes = known[2]
        else:
            _check_kind(model, wire)
            routes = routes_for(model, wire, written)
            if untouched is not None:
                untouched.routes = (model, written, routes)
        if written is Protocol.RESPONSES:
            self.books.kept.check_response(envelope, call.principal.user.id)
        elif written is Protocol.MESSAGES:
            self.books.kept.check_message(envelope)
        outbound = Outbound.of(
            call.request,
            envelope,
            wire,
            written,
            routes[0],
            call.clock.time(),
            call.input_estimate,
            untouched,
        )
        try:
            call.open(outbound, wire, streamed=envelope.stream)
        except OSError as error:
            _log.error("gateway.journal_refused", error=str(error), request_id=call.request.id)
            raise _undecided("The gateway cannot write calls down at the moment, so it serves none.") from None
        return outbound, routes

    async def _serve(self, call: Call, outbound: Outbound, routes: list[Route], attempt: Attempt | None = None) -> None:
        try:
            response = await self.backends.reach(outbound, routes, call.session_id, attempt)
        except Unreachable as unreachable:
            if unreachable.reached:
                call.settle(unreachable.refusal.status, Outcome.UNREACHABLE, estimated=True)
            else:
                call.drop()
            raise unreachable.refusal from None
        try:
            await Relay(call, outbound).relay(response)
        finally:
            await response.aclose()

    async def count_tokens(self, request: Request, wire: CountingWire, named: str = "") -> None:
        """Needs a grant, uses up nothing and leaves no trace in the ledger."""
        principal = await self.identify(request)
        envelope = wire.open(await read_body(request, self.max_body), named)
        try:
            await self._count(request, wire, envelope, principal)
        except Refusal as refusal:
            refusal.model = envelope.model
            raise

    async def _count(self, request: Request, wire: CountingWire, envelope: Envelope, principal: Principal) -> None:
        model = await decided(self.policy.check_access(principal, envelope.model), request)
        estimate = wire.estimated(envelope.input_estimate(wire.bytes_per_token))
        if model.routes and not any(wire.dialect in route.dialects and counts(route) for route in model.routes):
            # Nobody behind this model counts in this protocol, and clients only want to know about how much it is.
            await request.reply(estimate)
            return
        if self.policy.secrets is not None:
            await decided(self._guard.clear(envelope, principal, model.slug, request.id), request)
        written = written_in(wire, envelope)
        routes = [route for route in routes_for(model, wire, written) if counts(route)]
        outbound = Outbound.of(request, envelope, wire, written, routes[0])
        try:
            response = await self.backends.reach(outbound, routes)
        except Unreachable as unreachable:
            raise unreachable.refusal from None
        try:
            answers.check(response)
            body = await answers.whole(response)
            plain = answers.plain(body, answers.coding_of(response.headers))
            if response.status < 300 and (plain is None or not isinstance(loaded(plain), dict)):
                raise UnfitAnswer("The model's provider answered with something that is not JSON.")
        except UnfitAnswer as unfit:
            raise upstream_unavailable(str(unfit)) from None
        finally:
            await response.aclose()
        if cannot_count(outbound.route, response.status):
            await request.reply(estimate)
            return
        await request.reply(as_it_came(response, body, outbound.route))


def _check_kind(model: CompiledModel, wire: Wire) -> None:
    if model.kind is not wire.kind:
        fitting = "chat" if model.kind is ModelKind.CHAT else "embeddings"
        raise invalid_request(f"'{model.slug}' is a model for {fitting}, which {wire.path} is not.", field="model")


async def decided(decision: Awaitable[T], request: Request) -> T:
    """Whatever keeps the policy from deciding, such as a database that is away, is no verdict on the call."""
    try:
        return await decision
    except Refusal:
        raise
    except CountersUnavailable:
        # Said once where it began, and not for every call.
        raise _undecided("The gateway cannot count calls at the moment, so it serves none.") from None
    except Unavailable as error:
        # A line for each call, but no stack, which takes milliseconds and tells no more.
        _log.error("gateway.policy_unavailable", error=type(error).__name__, request_id=request.id)
        raise _undecided("The gateway cannot decide on calls at the moment.") from None
    except Exception as error:
        _log.exception("gateway.policy_unavailable", error=type(error).__name__, request_id=request.id)
        raise _undecided("The gateway cannot decide on calls at the moment.") from None


def _undecided(message: str) -> Refusal:
    return undecided(message, _RETRY_SECONDS)
