"""One admitted call on the books, from its first journal line to its settlement."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.usage import CallCourse, CallFacts, Outcome, TokenUsage, cost_of
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.attribution import Attribution
from sluicegate.gateway.dialects.limits import limit_lines
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.kept import KeptAnswers
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.gateway.transit import NamedCall, Outbound, Untouched
from sluicegate.kit.clock import Clock
from sluicegate.kit.money import Nanos
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.compile import CompiledModel, Route
from sluicegate.policy.principals import Principal
from sluicegate.policy.service import PolicyService
from sluicegate.ports.live import CallInFlight
from sluicegate.ports.usage import UsageSink

_NOTHING = TokenUsage()
_RECOVERED = Outcome.RECOVERED.value
# What nginx calls a request whose caller left before an answer; nobody ever receives it.
CLIENT_CLOSED = 499


@dataclass(frozen=True, slots=True)
class Books:
    """Where calls are decided and written down, and what their providers keep."""

    policy: PolicyService
    journal: UsageSink
    clock: Clock
    kept: KeptAnswers


class Flight(Protocol):
    """What carries a call that has no task of its own."""

    @property
    def abandoned(self) -> bool:
        """Whether the caller has left."""
        ...

    def leave(self) -> None:
        """Nobody takes the answer any more: ends the call, though what comes within a moment may still count."""
        ...

    def break_off(self) -> None:
        """Ends the call at once."""
        ...

    def beat(self, comment: bytes) -> None:
        """Says something in a stream that stands still."""
        ...


class Call(msgspec.Struct, eq=False):
    """Closed exactly once, whatever happens: by `settle`, by `drop`, or by `close` for all ways of breaking off.

    None of them awaits, so that a cancelled task cannot stop half-way.
    """

    _policy: PolicyService
    _sink: UsageSink
    _kept: KeptAnswers
    clock: Clock
    request: Request
    _admitted: Admitted
    model: CompiledModel
    input_estimate: int
    _attribution: Attribution
    since: float
    # For the watch: when the lease was last renewed, who carries the call while no task does, whether the caller left,
    # since when a write is stuck, since when a stream stands still between two events.
    renewed: float
    _task: asyncio.Task[None] | None = None
    flight: Flight | None = None
    watcher: asyncio.Task[None] | None = None
    gone: bool = False
    sending_since: float | None = None
    quiet_since: float | None = None
    beat: asyncio.Task[None] | None = None
    # Set once the call is written down, with what the ledger knows of it there.
    _outbound: Outbound | None = None
    _endpoint: str = ""
    _streamed: bool = False
    _started_ms: int = 0
    _route: Route | None = None
    _facts: CallFacts | None = None
    _first_byte_ms: int | None = None
    meter: StreamMeter | None = None
    closed: bool = False

    @classmethod
    def of(cls, books: Books, request: Request, admitted: Admitted, attribution: Attribution) -> Call:
        """`attribution` is what the request's headers tell."""
        clock = books.clock
        now = clock.monotonic()
        return cls(
            books.policy,
            books.journal,
            books.kept,
            clock,
            request,
            admitted,
            admitted.model,
            admitted.input_estimate,
            attribution,
            now,
            now,
        )

    @property
    def principal(self) -> Principal:
        return self._admitted.principal

    @property
    def session_id(self) -> str | None:
        return self._attribution.session_id

    def seen(self) -> CallInFlight:
        """The call as somebody who watches sees it."""
        user_id, user, key_id, key, _ = self._admitted.principal.named
        outbound, meter, attribution = self._outbound, self.meter, self._attribution
        usage = meter.usage(self.input_estimate)[0] if meter is not None else TokenUsage(input=self.input_estimate)
        began = self.clock.time() - (self.clock.monotonic() - self.since)
        if outbound is not None:
            began = self._started_ms / 1000
        return CallInFlight(
            id=self.request.id,
            user_id=user_id,
            user=user,
            key_id=key_id,
            key=key,
            model=self.model.slug,
            provider=outbound.route.provider_name if outbound is not None else None,
            provider_model=outbound.route.provider_model if outbound is not None else None,
            client_app=attribution.client_app,
            project=attribution.project,
            started_at=datetime.fromtimestamp(began, UTC),
            streamed=outbound is not None and self._streamed,
            input_tokens=usage.total_input,
            output_tokens=usage.output if meter is not None else None,
        )

    def open(self, outbound: Outbound, wire: Wire, *, streamed: bool) -> None:
        """Writes the call down with its estimates, which count if the process dies. Raises OSError when that cannot be,
        and then the call must not go on."""
        self._endpoint = wire.endpoint
        self._streamed = streamed
        # Of the periods in which counters have the call, not of those in which it is written down.
        self._started_ms = int(self._admitted.lease.at * 1000)
        now = int(self.clock.time() * 1000)
        self._route = route = outbound.route
        self._facts = facts = self._facts_at(route, outbound.untouched)
        admitted = self._admitted
        estimate = TokenUsage(admitted.input_estimate, 0, 0, 0, admitted.output_estimate)
        self._sink.open(facts, self._course(now, 0, _RECOVERED, estimate, admitted.cost_estimate, True))
        self._outbound = outbound

    def settle(self, status: int, outcome: Outcome, usage: TokenUsage = _NOTHING, *, estimated: bool = False) -> None:
        """Replaces the estimates by what was used."""
        outbound = self._outbound
        if self.closed or outbound is None:
            return
        self.closed = True
        route = outbound.route
        cost = cost_of(usage, route.prices)
        now = int(self.clock.time() * 1000)
        try:
            facts = self._facts
            if facts is None or route is not self._route:
                facts = self._facts_at(route, outbound.untouched)
            self._sink.settle(facts, self._course(now, status, outcome.value, usage, cost, estimated))
        finally:
            self._policy.settle(self._admitted, usage, cost, self.request.id)

    def drop(self) -> None:
        """The call reached no provider: it never was."""
        if self.closed:
            return
        self.closed = True
        try:
            if self._outbound is not None:
                self._sink.discard(self.request.id)
        finally:
            self._policy.cancel(self._admitted)

    def close(self) -> None:
        """Ends a call that broke off: whatever flowed is billed."""
        if self.closed:
            return
        if self._outbound is None:
            self.drop()
        elif self.meter is not None:
            usage, estimated = self.meter.usage(self.input_estimate)
            self.settle(200, Outcome.ABORTED, usage, estimated=estimated)
        else:
            # The provider reads the prompt as soon as it has it, and tells nothing before its answer.
            usage = TokenUsage(input=self.input_estimate)
            self.settle(CLIENT_CLOSED, Outcome.ABORTED, usage, estimated=True)

    def _facts_at(self, route: Route, untouched: Untouched | None) -> CallFacts:
        """Those of the last call with the same head, where it went the same way."""
        principal, model = self._admitted.principal, self.model
        named = None if untouched is None else untouched.named
        if (
            named is not None
            and named.route is route
            and named.principal is principal
            and named.model is model
            and named.facts.stream is self._streamed
        ):
            return named.facts
        facts = CallFacts(
            *principal.named,
            model.slug,
            route.provider_id,
            route.provider_name,
            route.provider_model,
            self._endpoint,
            self._streamed,
            *self._attribution,
            route.price_list_id,
        )
        if untouched is not None:
            untouched.named = NamedCall(principal, model, route, facts)
        return facts

    def _course(
        self, now: int, status: int, outcome: str, usage: TokenUsage, cost: Nanos, estimated: bool
    ) -> CallCourse:
        # By position, in the order of the fields: by name it would cost ten times as much.
        return CallCourse(
            self.request.id,
            self._started_ms,
            now,
            status,
            outcome,
            usage.input,
            usage.cache_read,
            usage.cache_write_5m,
            usage.cache_write_1h,
            usage.output,
            usage.reasoning,
            cost,
            estimated,
            self._first_byte_ms,
        )

    def carried_by(self, task: asyncio.Task[None] | None) -> None:
        """From here on a task does the waiting."""
        self._task = task
        self.flight = None

    def interrupt(self) -> None:
        """Nobody takes the answer any more: breaks off whatever the call waits for."""
        if self.gone:
            return
        if self._task is not None:
            self.gone = True
            self._task.cancel()
        elif self.flight is not None:
            self.flight.leave()

    def limit_lines(self) -> bytes:
        """What is left of the caller's own limits, for the head of the answer."""
        dialect, now = self.request.dialect, self.clock.time()
        # Only the headers of one dialect know of money.
        room = self._policy.room_of(self._admitted, now, caps=dialect is Dialect.ANTHROPIC)
        return limit_lines(room, dialect, now)

    def keep(self, ids: tuple[str, ...]) -> None:
        """Remembers that the provider keeps these for the caller."""
        if ids:
            self._kept.note(self.principal.user.id, ids)

    def renew(self) -> None:
        self._policy.renew(self._admitted)

    def note_first_byte(self) -> None:
        if self._first_byte_ms is None:
            self._first_byte_ms = int((self.clock.monotonic() - self.since) * 1000)
