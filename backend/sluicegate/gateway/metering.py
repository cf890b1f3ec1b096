"""One admitted call on the books: opened before the provider is called, settled exactly once."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sluicegate.domain.usage import CallRecord, Outcome, TokenUsage, cost_of
from sluicegate.gateway.attribution import Attribution
from sluicegate.kit.clock import Clock
from sluicegate.kit.money import Nanos
from sluicegate.policy.compile import Route
from sluicegate.policy.service import Admitted, PolicyService
from sluicegate.ports.usage import UsageSink


@dataclass(frozen=True, slots=True)
class Books:
    """Where a call is written down."""

    policy: PolicyService
    sink: UsageSink
    clock: Clock


class MeteredCall:
    """The first of `settle`, `fail` and `drop` counts; later ones do nothing."""

    __slots__ = ("_admitted", "_books", "_first_byte_ms", "_open", "_record", "_route", "_started")

    def __init__(
        self, books: Books, admitted: Admitted, route: Route, endpoint: str, stream: bool, source: Attribution
    ) -> None:
        self._books = books
        self._admitted = admitted
        self._route = route
        self._started = books.clock.monotonic()
        self._first_byte_ms: int | None = None
        self._open = True
        principal, now = admitted.principal, int(books.clock.time() * 1000)
        self._record = CallRecord(
            call_id=admitted.lease.id,
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
            endpoint=endpoint,
            stream=stream,
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
            client_app=source.client_app,
            project=source.project,
            session_id=source.session_id,
        )
        books.sink.open(self._record)

    @property
    def input_estimate(self) -> int:
        return self._admitted.input_estimate

    def first_byte(self) -> None:
        if self._first_byte_ms is None:
            self._first_byte_ms = self._elapsed_ms()

    def alive(self) -> None:
        self._books.policy.renew(self._admitted)

    def moved_to(self, route: Route) -> None:
        """The call goes to another backend."""
        self._route = route

    def settle(self, status: int, outcome: Outcome, usage: TokenUsage, *, estimated: bool) -> None:
        """What was used, priced by the backend that served."""
        if not self._open:
            return
        self._open = False
        cost = cost_of(usage, self._route.prices)
        self._books.policy.settle(self._admitted, usage, cost)
        self._books.sink.settle(self._finished(status, outcome, usage, cost, estimated))

    def fail(self, status: int) -> None:
        """The provider refused the call: it cost nothing, and stands in the ledger with the provider's status."""
        self.settle(status, Outcome.UPSTREAM_ERROR, TokenUsage(), estimated=False)

    def drop(self) -> None:
        """No provider took the call: everything is given back and nothing is written."""
        if not self._open:
            return
        self._open = False
        self._books.policy.cancel(self._admitted)
        self._books.sink.discard(self._record.call_id)

    def _elapsed_ms(self) -> int:
        return int((self._books.clock.monotonic() - self._started) * 1000)

    def _finished(self, status: int, outcome: Outcome, usage: TokenUsage, cost: Nanos, estimated: bool) -> CallRecord:
        return msgspec.structs.replace(
            self._record,
            finished_ms=self._record.started_ms + self._elapsed_ms(),
            provider_id=self._route.provider_id,
            provider_name=self._route.provider_name,
            provider_model=self._route.provider_model,
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
