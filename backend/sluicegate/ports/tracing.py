"""What becomes of calls, for whoever follows them through several systems."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.catalog import ProviderKind
from sluicegate.ports.upstream import Arriving, RawHeaders, UpstreamRequest, UpstreamResponse
from sluicegate.ports.usage import UsageSink


class Tried(Protocol):
    """A backend of a model."""

    @property
    def provider_name(self) -> str: ...
    @property
    def provider_model(self) -> str: ...
    @property
    def kind(self) -> ProviderKind: ...


class CallTraces(Protocol):
    """Hears of calls, and tells of them later. Nothing here waits or raises."""

    def over(self, sink: UsageSink) -> UsageSink:
        """The sink for calls that are to be heard of: what is opened there is followed until it is settled or
        discarded."""
        ...

    def attempted(self, call_id: str, headers: RawHeaders, request: UpstreamRequest, backend: Tried) -> None:
        """An opened call is about to be sent to a backend; `headers` are its caller's. The request is changed so that
        the backend can go on with the trace."""
        ...

    def answered(self, call_id: str, response: UpstreamResponse) -> UpstreamResponse:
        """The backend tried last has answered; from 500 on, and with 429, that is the end of the attempt. Gives the
        response to go on with, which holds the same."""
        ...

    def arrived(self, call_id: str, response: Arriving) -> Arriving:
        """As `answered`, for a response that may be taken without waiting."""
        ...

    def failed(self, call_id: str, kind: str) -> None:
        """The backend tried last gave no answer; `kind` is that of an UpstreamError."""
        ...

    def refused(
        self, request_id: str, path: str, headers: RawHeaders, model: str | None, code: str, status: int
    ) -> None:
        """A request by POST was answered by the gateway itself; it may have been a call before. `model` is what it
        named."""
        ...
