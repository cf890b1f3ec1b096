"""One protocol, as the pipeline needs it."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import Reading
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal


class Wire(Protocol):
    """`path` follows a route's base path; `endpoint` is its name in the ledger."""

    dialect: Dialect
    path: str
    endpoint: str
    bytes_per_token: int

    def max_tokens(self, envelope: Envelope) -> int | None:
        """The caller's own bound on the answer."""
        ...

    def prepare(self, envelope: Envelope) -> bool:
        """Asks the provider to report usage; True when the caller did not and must not see it."""
        ...

    def meter(self, *, hide_usage: bool) -> StreamMeter: ...
    def read(self, body: bytes) -> Reading | None:
        """The usage in a whole answer; None when it is no JSON object."""
        ...

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:
        """The event that tells, inside a stream that began well, that it has failed."""
        ...
