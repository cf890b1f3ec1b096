"""One protocol, as the pipeline needs it."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.catalog import Dialect, ModelKind
from sluicegate.domain.catalog import Protocol as CallProtocol
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import Reading
from sluicegate.gateway.stream.meter import StreamMeter


class Wire(Protocol):
    """`path` follows a route's base path; `endpoint` is its name in the ledger; `kind` is what it can call.
    `protocol` is None where nothing is translated."""

    dialect: Dialect
    kind: ModelKind
    path: str
    endpoint: str
    bytes_per_token: int

    @property
    def protocol(self) -> CallProtocol | None: ...

    def max_tokens(self, envelope: Envelope) -> int | None:
        """The caller's own bound on the answer; 0 where the protocol generates nothing."""
        ...

    def prepare(self, envelope: Envelope) -> bool:
        """Asks the provider to report usage; True when the caller did not and must not see it.

        Raises Refusal for a body that can't be served or metered.
        """
        ...

    def meter(self, *, hide_usage: bool) -> StreamMeter: ...
    def read(self, body: bytes) -> Reading | None:
        """The usage in a whole answer; None when it is no JSON object."""
        ...
