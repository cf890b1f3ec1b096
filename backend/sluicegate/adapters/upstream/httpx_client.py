"""The second implementation: the same promises kept on httpcore, the engine inside httpx.

It costs many times the processor time of `Http11Upstream` and is there to be switched to should a provider's server
ever disagree with the own client. httpcore is used without httpx around it because httpx hides which address is
connected to, and whether any byte went out or came back.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

import httpcore
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sluicegate.adapters.upstream.addresses import KEPT_ALIVE, Resolver, addresses_of
from sluicegate.adapters.upstream.client import tls_context
from sluicegate.adapters.upstream.wire import check_request, host_value, needs_length
from sluicegate.ports.upstream import Origin, RawHeaders, Timeouts, UpstreamError, UpstreamRequest

_SocketOptions = Iterable[Any]
_MAX_HEAD = 128 * 1024


@dataclass(slots=True)
class _Exchange:
    """What happened on the wire for one try at one request."""

    timeouts: Timeouts
    connected: bool = False
    sent: bool = False
    received: bool = False
    ended: bool = False
    head_due: float | None = None
    head_size: int = 0
    in_body: bool = False
    head_only: bool = False


# httpcore calls the streams below from the task that sends or reads, which is how they know for whom they work.
_exchange: ContextVar[_Exchange] = ContextVar("upstream_exchange")


class HttpxResponse:
    """See `ports.upstream.UpstreamResponse`."""

    def __init__(self, response: httpcore.Response, exchange: _Exchange) -> None:
        self.status = response.status
        self.headers: RawHeaders = [(name.lower(), value) for name, value in response.headers]
        self._response = response
        self._exchange = exchange
        self._body = aiter(cast("AsyncIterable[bytes]", response.stream))
        self._complete = False
        self._error: UpstreamError | None = None

    def buffered(self) -> bytes | None:
        # httpcore can't be asked what it holds, so only a body that was read to its end counts as here.
        return b"" if self._complete else None

    async def read(self) -> bytes:
        if self._error is not None:
            raise self._error
        token = _exchange.set(self._exchange)
        try:
            while not self._complete:
                if chunk := await anext(self._body):
                    return chunk
        except StopAsyncIteration:
            self._complete = True
        except Exception as error:
            self._error = _translated(error, self._exchange)
            raise self._error from error
        finally:
            _exchange.reset(token)
        return b""

    async def aclose(self) -> None:
        if not self._complete and self._error is None:
            self._error = UpstreamError(
                "closed",
                "The answer was given up by its reader.",
                before_first_byte=False,
                sent=True,
            )
        # The port promises that closing never raises; a connection that fails to close is gone all the same.
        with suppress(Exception):
            await self._response.aclose()


class HttpxUpstream:
    """See `ports.upstream.Upstream`; the arguments are those of `Http11Upstream`."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver | None = None,
        ca_file: str | PathLike[str] | None = None,
        max_connections: int = 10_000,
        idle_expiry: float = 30.0,
    ) -> None:
        self._network = _Network(allow_private, resolve)
        self._tls = tls_context(ca_file)
        self._max_connections = max_connections
        self._idle_expiry = idle_expiry
        self._pools: dict[Origin, httpcore.AsyncConnectionPool] = {}
        self._closed = False

    async def send(self, request: UpstreamRequest) -> HttpxResponse:
        if self._closed:
            raise UpstreamError("closed", "The upstream client is closed.")
        check_request(request)
        host = host_value(request.origin)
        pool = self._pools.get(request.origin) or self._open_pool(request.origin)
        exchange = _Exchange(request.timeouts, head_only=request.method == "HEAD")
        try:
            return await self._try(pool, request, host, exchange)
        except UpstreamError as error:
            reused = error.sent and not exchange.connected
            if not (reused and error.kind == "closed" and error.before_first_byte) or self._closed:
                raise
        try:
            return await self._try(pool, request, host, _Exchange(request.timeouts, head_only=request.method == "HEAD"))
        except UpstreamError as error:
            error.sent = True
            raise

    def begin(self, request: UpstreamRequest) -> None:
        """httpx's engine sends from a task."""
        return

    async def aclose(self) -> None:
        self._closed = True
        for pool in self._pools.values():
            await pool.aclose()

    def _open_pool(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        # One for each origin, because httpcore bounds connections for a whole pool.
        pool = self._pools[origin] = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=self._max_connections,
            keepalive_expiry=self._idle_expiry,
            network_backend=self._network,
        )
        return pool

    async def _try(
        self,
        pool: httpcore.AsyncConnectionPool,
        request: UpstreamRequest,
        host: bytes,
        exchange: _Exchange,
    ) -> HttpxResponse:
        origin = request.origin
        headers: RawHeaders = [(b"Host", host), *request.headers]
        if needs_length(request):
            headers.append((b"Content-Length", str(len(request.body)).encode()))
        connect = request.timeouts.connect
        token = _exchange.set(exchange)
        try:
            response = await pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=origin.scheme.encode(),
                        host=origin.host.encode(),
                        port=origin.port,
                        target=request.target.encode(),
                    ),
                    headers=headers,
                    content=request.body,
                    extensions={"timeout": {"connect": connect, "pool": connect}},
                )
            )
        except UpstreamError:
            raise
        except Exception as error:
            raise _translated(error, exchange) from error
        finally:
            _exchange.reset(token)
        exchange.in_body = True
        answer = HttpxResponse(response, exchange)
        fault = None
        if not 200 <= answer.status <= 599:
            fault = f"unexpected status {answer.status}"
        elif {b"content-length", b"transfer-encoding"} <= {name for name, _ in answer.headers}:
            fault = "the body's length is told in two ways"
        if fault is not None:
            await answer.aclose()
            raise UpstreamError("protocol", fault, before_first_byte=False, sent=True)
        return answer


class _Network(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that were checked, and lets no name be looked up a second time."""

    def __init__(self, allow_private: bool, resolve: Resolver | None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await addresses_of(host, port, resolve=self._resolve, allow_private=self._allow_private)
                for left in range(len(addresses), 0, -1):
                    try:
                        stream = await self._inner.connect_tcp(
                            addresses[-left],
                            port,
                            timeout and timeout / left,
                            local_address,
                            [*(socket_options or ()), *KEPT_ALIVE],
                        )
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        if left == 1:
                            raise
                    else:
                        _exchange.get().connected = True
                        return _Stream(stream)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        raise httpcore.ConnectError("there is no address to connect to")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Overrun:
    """Reads along where an answer ends. httpcore would take bytes behind that for the answer to the next request."""

    __slots__ = ("_complete", "_parser", "seen")

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._complete = False
        self.seen = False

    def feed(self, data: bytes) -> None:
        if self.seen:
            return
        if self._complete:
            self.seen = True
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.seen = True

    def on_message_begin(self) -> None:
        self.seen = self.seen or self._complete

    def on_message_complete(self) -> None:
        self._complete = self._parser.get_status_code() >= 200


class _Stream(httpcore.AsyncNetworkStream):
    """Notes what passes, and keeps the port's timeouts, which are finer than httpcore's."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._exchange: _Exchange | None = None
        self._overrun = _Overrun()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> bytes:
        exchange = _exchange.get()
        if exchange.head_size > _MAX_HEAD and not exchange.in_body:
            # h11 bounds one head, but not how many interim ones may come before it.
            raise httpcore.RemoteProtocolError("the header fields are too large")
        data = await self._inner.read(max_bytes, _time_left(exchange))
        exchange.head_size += 0 if exchange.in_body else len(data)
        if data:
            exchange.received = True
            self._overrun.feed(data)
        else:
            exchange.ended = True
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> None:
        exchange = _exchange.get()
        exchange.sent = True
        if exchange is not self._exchange:
            self._exchange, self._overrun = exchange, _Overrun()
        await self._inner.write(buffer, exchange.timeouts.idle)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        # By this httpcore tells whether a connection may serve another request. The parser does not know of HEAD.
        spoilt = self._overrun.seen and self._exchange is not None and not self._exchange.head_only
        return True if info == "is_readable" and spoilt else self._inner.get_extra_info(info)


def _time_left(exchange: _Exchange) -> float:
    if exchange.in_body:
        return exchange.timeouts.idle
    now = asyncio.get_running_loop().time()
    if exchange.head_due is None:
        exchange.head_due = now + exchange.timeouts.first_byte
    return max(exchange.head_due - now, 0.0)


def _translated(error: Exception, exchange: _Exchange) -> UpstreamError:
    if isinstance(error, httpcore.TimeoutException):
        kind = "timeout"
    elif isinstance(error, httpcore.ConnectError):
        kind = "connect"
    elif isinstance(error, httpcore.NetworkError) or exchange.ended:
        kind = "closed"
    else:
        kind = "protocol"
    message = str(error) or type(error).__name__
    return UpstreamError(kind, message, before_first_byte=not exchange.received, sent=exchange.sent)
