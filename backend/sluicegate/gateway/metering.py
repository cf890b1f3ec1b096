"""One admitted call on the books, from its first journal line to its settlement."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from msgspec.structs import replace

from sluicegate.domain.usage import CallRecord, Outcome, TokenUsage, cost_of
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.attribution import attribution_of
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.gateway.transit import Outbound
from sluicegate.kit.clock import Clock
from sluicegate.policy.compile import Route
from sluicegate.policy.service import Admitted, PolicyService
from sluicegate.ports.usage import UsageSink

_NOTHING = TokenUsage()
# What nginx calls a request whose caller left before an answer; nobody ever receives it.
CLIENT_CLOSED = 499


@dataclass(frozen=True, slots=True)
class Books:
    """Where calls are decided and written down."""

    policy: PolicyService
    journal: UsageSink
    clock: Clock


class Call:
    """Closed exactly once, whatever happens: by `settle`, by `drop`, or by `close` for all ways of breaking off.

    None of them awaits, so that a cancelled task cannot stop half-way.
    """

    __slots__ = (
        "_admitted",
        "_first_byte_ms",
        "_outbound",
        "_policy",
        "_record",
        "_sink",
        "_task",
        "clock",
        "closed",
        "gone",
        "meter",
        "renewed",
        "request",
        "sending_since",
        "since",
        "watcher",
    )

    def __init__(self, books: Books, request: Request, admitted: Admitted) -> None:
        self._policy = books.policy
        self._sink = books.journal
        self.clock = books.clock
        self.request = request
        self._admitted = admitted
        self._record: CallRecord | None = None
        self._outbound: Outbound | None = None
        self._first_byte_ms: int | None = None
        self.since = self.clock.monotonic()
        self.meter: StreamMeter | None = None
        self.closed = False
        # For the watch: whether the caller left, since when a write is stuck, when the lease was last renewed.
        self._task = asyncio.current_task()
        self.watcher: asyncio.Task[None] | None = None
        self.gone = False
        self.sending_since: float | None = None
        self.renewed = self.since

    @property
    def input_estimate(self) -> int:
        return self._admitted.input_estimate

    def open(self, outbound: Outbound, wire: Wire, *, streamed: bool) -> None:
        """Writes the call down with its estimates, which count if the process dies. Raises OSError when that cannot be,
        and then the call must not go on."""
        record = _opening_record(self.request, self._admitted, outbound.route, wire, streamed, self.clock)
        self._sink.open(record)
        self._record, self._outbound = record, outbound

    def settle(self, status: int, outcome: Outcome, usage: TokenUsage = _NOTHING, *, estimated: bool = False) -> None:
        """Replaces the estimates by what was used."""
        if self.closed or self._record is None or self._outbound is None:
            return
        self.closed = True
        route = self._outbound.route
        cost = cost_of(usage, route.prices)
        record = replace(
            self._record,
            finished_ms=int(self.clock.time() * 1000),
            provider_id=route.provider_id,
            provider_name=route.provider_name,
            provider_model=route.provider_model,
            status=status,
            outcome=outcome.value,
            input_tokens=usage.input,
            cache_read_tokens=usage.cache_read,
            cache_write_5m_tokens=usage.cache_write_5m,
            cache_write_1h_tokens=usage.cache_write_1h,
            output_tokens=usage.output,
            reasoning_tokens=usage.reasoning,
            cost_nanos=cost,
            estimated=estimated,
            first_byte_ms=self._first_byte_ms,
        )
        try:
            self._sink.settle(record)
        finally:
            self._policy.settle(self._admitted, usage, cost)

    def drop(self) -> None:
        """The call reached no provider: it never was."""
        if self.closed:
            return
        self.closed = True
        try:
            if self._record is not None:
                self._sink.discard(self._record.call_id)
        finally:
            self._policy.cancel(self._admitted)

    def close(self) -> None:
        """Ends a call that broke off: whatever flowed is billed."""
        if self.closed:
            return
        if self._record is None:
            self.drop()
        elif self.meter is not None:
            usage, estimated = self.meter.usage(self.input_estimate)
            self.settle(200, Outcome.ABORTED, usage, estimated=estimated)
        else:
            # The provider reads the prompt as soon as it has it, and tells nothing before its answer.
            usage = TokenUsage(input=self.input_estimate)
            self.settle(CLIENT_CLOSED, Outcome.ABORTED, usage, estimated=True)

    def interrupt(self) -> None:
        """Nobody takes the answer any more: breaks off whatever the call waits for."""
        if self._task is not None and not self.gone:
            self.gone = True
            self._task.cancel()

    def renew(self) -> None:
        self._policy.renew(self._admitted)

    def note_first_byte(self) -> None:
        if self._first_byte_ms is None:
            self._first_byte_ms = int((self.clock.monotonic() - self.since) * 1000)


def _opening_record(
    request: Request, admitted: Admitted, route: Route, wire: Wire, streamed: bool, clock: Clock
) -> CallRecord:
    principal = admitted.principal
    attribution = attribution_of(request.headers)
    now = int(clock.time() * 1000)
    return CallRecord(
        call_id=request.id,
        started_ms=now,
        finished_ms=now,
        user_id=principal.user.id,
        user_label=principal.user.label,
        key_id=principal.key_id,
        key_label=principal.key_label,
        group_ids=principal.group_ids,
        model_slug=admitted.model.slug,
        provider_id=route.provider_id,
        provider_name=route.provider_name,
        provider_model=route.provider_model,
        endpoint=wire.endpoint,
        stream=streamed,
        status=0,
        outcome=Outcome.RECOVERED.value,
        input_tokens=admitted.input_estimate,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=admitted.output_estimate,
        reasoning_tokens=0,
        cost_nanos=admitted.cost_estimate,
        estimated=True,
        first_byte_ms=None,
        client_app=attribution.client_app,
        project=attribution.project,
        session_id=attribution.session_id,
    )
