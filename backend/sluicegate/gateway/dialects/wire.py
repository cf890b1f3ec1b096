"""One protocol, as the pipeline needs it."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.catalog import Dialect, ModelKind
from sluicegate.domain.catalog import Protocol as CallProtocol
from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.envelope import Envelope, open_envelope
from sluicegate.gateway.reading import Reading
from sluicegate.gateway.stream.meter import StreamMeter


class Wire(Protocol):
    """`path` is where callers find it; `endpoint` is its name in the ledger; `kind` is what it can call.
    `protocol` is None where nothing is translated."""

    dialect: Dialect
    kind: ModelKind
    path: str
    endpoint: str
    bytes_per_token: int

    @property
    def protocol(self) -> CallProtocol | None: ...

    def open(self, body: bytes, named: str = "") -> Envelope:
        """Takes a body apart; `named` is the model in the caller's path, where the protocol has it there.

        Raises Refusal `invalid_request`.
        """
        ...

    def path_to(self, provider_model: str) -> str:
        """Where a provider has it, behind the base path of its route."""
        ...

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


class CountingWire(Wire, Protocol):
    """Counts a prompt's tokens instead of answering it."""

    def estimated(self, tokens: int) -> Reply:
        """An answer without a provider."""
        ...


class ModelInBody:
    """What most protocols share: the body names the model, and every provider has one path for all of them."""

    path: str

    def open(self, body: bytes, named: str = "") -> Envelope:
        return open_envelope(body)

    def path_to(self, provider_model: str) -> str:
        return self.path
