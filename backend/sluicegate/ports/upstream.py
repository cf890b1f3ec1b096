"""The road to a model provider: one request out, one streamed answer back.

Everything the gateway sends to a provider goes through `Upstream`. Implementations keep pooled
connections and TLS contexts for their whole life; none is made per request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult

import msgspec

RawHeaders = list[tuple[bytes, bytes]]


class KeptHeaders(list[tuple[bytes, bytes]]):
    """Headers that many requests carry. They are never changed, so that a client may keep what it makes of them in
    `encoded`."""

    __slots__ = ("encoded",)

    def __init__(self, headers: RawHeaders) -> None:
        super().__init__(headers)
        self.encoded: bytes | None = None


class Origin(msgspec.Struct, frozen=True, cache_hash=True):
    """Where to connect. `host` is a name or address without brackets; `scheme` is `http` or `https`."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header names it: without a port where it is the scheme's usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @classmethod
    def of(cls, address: SplitResult) -> Origin:
        """Of an http or https address; its usual port where it names none."""
        port = address.port or (443 if address.scheme == "https" else 80)
        return cls(address.scheme, address.hostname or "", port)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` runs from the end of sending to the answer's status line, `idle` between two reads."""

    connect: float = 10.0
    first_byte: float = 600.0
    idle: float = 300.0


class UpstreamRequest(msgspec.Struct):
    """One HTTP/1.1 request. `target` is the path and query as sent on the wire.

    `headers` are sent as given, with `host` and `content-length` added by the client.
    """

    origin: Origin
    method: str
    target: str
    headers: RawHeaders
    body: bytes
    timeouts: Timeouts


class UpstreamError(Exception):
    """The provider could not be reached or broke off. `kind` is `connect`, `timeout`, `protocol` or `closed`.

    `before_first_byte` tells whether nothing of the answer had arrived, so that another backend may be tried.
    `sent` tells whether any byte of the request may have reached the provider.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        before_first_byte: bool = True,
        sent: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.before_first_byte = before_first_byte
        self.sent = sent


class UpstreamResponse(Protocol):
    """An answer whose head has arrived.

    Header names are lower-case. The body is read with `read` until it returns `b""`; each call returns what has
    arrived so far, at once when anything is buffered. `buffered` gives the rest of the body without waiting when all
    of it is here already, else None. The body is as on the wire after removing chunked framing; content codings stay.
    `aclose` must be called once the response is done with, in every case; it is idempotent and never raises. Closing
    before the end drops the connection, which is how a provider is told to stop.
    """

    status: int
    headers: RawHeaders

    def buffered(self) -> bytes | None: ...
    async def read(self) -> bytes: ...
    async def aclose(self) -> None: ...


class Arriving(UpstreamResponse, Protocol):
    """An answer that may also be taken without waiting. While it is `going_on`, nothing is left once `take` has given
    something."""

    @property
    def going_on(self) -> bool: ...
    @property
    def size(self) -> int:
        """How many bytes of the body have come and were not taken. Beyond some tens of thousands no more come."""
        ...

    def take(self) -> bytes | None:
        """What has come of the body, `b""` at its end, None while nothing has; raises UpstreamError when all that came
        before the provider broke off was taken."""
        ...

    def notify(self, listener: Callable[[], None] | None) -> None:
        """As `Begun.notify`."""
        ...

    def discard(self) -> None:
        """What `aclose` does; nobody is notified any more."""
        ...


class Begun(Protocol):
    """A request that is on its way. Exactly one of `answer` and `give_up` must be called in the end, unless `arrived`
    gave the response."""

    def notify(self, listener: Callable[[], None] | None) -> None:
        """Has it called whenever more of the answer has come, and once none will; in place of whoever was called so
        far."""
        ...

    def arrived(self) -> Arriving | None:
        """The response, once its head is here."""
        ...

    async def answer(self) -> UpstreamResponse:
        """As `Upstream.send` for a request that is not on its way yet."""
        ...

    def give_up(self) -> None: ...


class Upstream(Protocol):
    """Sends requests; raises `UpstreamError` when no answer head arrives in time."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse: ...
    def begin(self, request: UpstreamRequest) -> Begun | None:
        """Sends at once, where nothing has to be waited for; None, and then nothing is sent, where `send` has to be
        awaited."""
        ...

    async def aclose(self) -> None: ...
