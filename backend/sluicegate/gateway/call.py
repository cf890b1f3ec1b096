"""One admitted call, from its first journal line to its settlement."""

from __future__ import annotations

import asyncio

from sluicegate.domain.usage import CallRecord, Outcome, TokenUsage, cost_of
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.attribution import attribution_of
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.routing import Outbound
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.kit.clock import Clock
from sluicegate.policy.compile import Route
from sluicegate.policy.service import Admitted, PolicyService
from sluicegate.ports.usage import UsageSink

_NOTHING = TokenUsage()
# What nginx calls a request whose caller left before an answer; nobody ever receives it.
CLIENT_CLOSED = 499


class Call:
    """Closed exactly once, whatever happens: by `settle`, by `drop`, or by `close` for all ways of breaking off.

    No method awaits, so that a cancelled task cannot stop half-way.
    """

    __slots__ = (
        "_admitted",
        "_attribution",
        "_clock",
        "_journal",
        "_opened",
        "_policy",
        "_streamed",
        "_wire",
        "closed",
        "first_byte_ms",
        "gone",
        "meter",
        "outbound",
        "renewed",
        "request",
        "sending_since",
        "since",
        "started_ms",
        "task",
        "watcher",
    )

    def __init__(
        self,
        request: Request,
        wire: Wire,
        admitted: Admitted,
        policy: PolicyService,
        journal: UsageSink,
        clock: Clock,
        *,
        streamed: bool,
    ) -> None:
        self.request = request
        self._wire = wire
        self._admitted = admitted
        self._policy = policy
        self._journal = journal
        self._clock = clock
        self._streamed = streamed
        self._attribution = attribution_of(request.headers)
        self._opened = False
        self.since = clock.monotonic()
        self.started_ms = int(clock.time() * 1000)
        self.first_byte_ms: int | None = None
        self.meter: StreamMeter | None = None
        self.outbound: Outbound | None = None
        self.closed = False
        # What the watch needs: the task to interrupt, whether the caller left, and how long a write has been stuck.
        self.task: asyncio.Task[None] | None = None
        self.watcher: asyncio.Task[None] | None = None
        self.gone = False
        self.renewed = self.since
        self.sending_since: float | None = None

    @property
    def input_estimate(self) -> int:
        return self._admitted.input_estimate

    @property
    def model_slug(self) -> str:
        return self._admitted.model.slug

    def open(self, outbound: Outbound) -> None:
        """Writes the call down with its estimates; from here on it counts even if the process dies."""
        admitted = self._admitted
        self.outbound = outbound
        usage = TokenUsage(input=admitted.input_estimate, output=admitted.output_estimate)
        record = self._record(
            outbound.route,
            status=0,
            outcome=Outcome.RECOVERED,
            usage=usage,
            cost=admitted.cost_estimate,
            estimated=True,
            finished_ms=self.started_ms,
        )
        self._journal.open(record)
        self._opened = True

    def settle(self, status: int, outcome: Outcome, usage: TokenUsage = _NOTHING, *, estimated: bool = False) -> None:
        """Replaces the estimates by what was used."""
        outbound = self.outbound
        if self.closed or outbound is None:
            return
        self.closed = True
        cost = cost_of(usage, outbound.route.prices)
        record = self._record(
            outbound.route,
            status=status,
            outcome=outcome,
            usage=usage,
            cost=cost,
            estimated=estimated,
            finished_ms=int(self._clock.time() * 1000),
        )
        try:
            self._journal.settle(record)
        finally:
            self._policy.settle(self._admitted, usage, cost)

    def drop(self) -> None:
        """The call reached no provider: it never was."""
        if self.closed:
            return
        self.closed = True
        try:
            if self._opened:
                self._journal.discard(self.request.id)
        finally:
            self._policy.cancel(self._admitted)

    def close(self) -> None:
        """Ends a call that broke off: whatever flowed is billed."""
        if self.closed:
            return
        if not self._opened:
            self.drop()
        elif self.meter is not None:
            usage, estimated = self.meter.usage(self.input_estimate)
            self.settle(200, Outcome.ABORTED, usage, estimated=estimated)
        else:
            # The provider reads the prompt as soon as it has it, and tells nothing before its answer.
            usage = TokenUsage(input=self.input_estimate)
            self.settle(CLIENT_CLOSED, Outcome.ABORTED, usage, estimated=True)

    def renew(self) -> None:
        self._policy.renew(self._admitted)

    def note_first_byte(self) -> None:
        if self.first_byte_ms is None:
            self.first_byte_ms = int((self._clock.monotonic() - self.since) * 1000)

    def _record(
        self,
        route: Route,
        *,
        status: int,
        outcome: Outcome,
        usage: TokenUsage,
        cost: int,
        estimated: bool,
        finished_ms: int,
    ) -> CallRecord:
        principal = self._admitted.principal
        attribution = self._attribution
        return CallRecord(
            call_id=self.request.id,
            started_ms=self.started_ms,
            finished_ms=finished_ms,
            user_id=principal.user.id,
            user_label=principal.user.label,
            key_id=principal.key_id,
            key_label=principal.key_label,
            group_ids=principal.group_ids,
            model_slug=self._admitted.model.slug,
            provider_id=route.provider_id,
            provider_name=route.provider_name,
            provider_model=route.provider_model,
            endpoint=self._wire.endpoint,
            stream=self._streamed,
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
            first_byte_ms=self.first_byte_ms,
            client_app=attribution.client_app,
            project=attribution.project,
            session_id=attribution.session_id,
        )
