"""The gateway's own HTTP/1.1 client: pooled connections, TLS made once, one clock for every timeout."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import inf
from os import PathLike

import msgspec

from sluicegate.adapters.upstream.addresses import ALLOW_PRIVATE_SETTING, KEPT_ALIVE, Resolver, addresses_of
from sluicegate.adapters.upstream.connection import Bounds, Connection, Http11Response, sent_whole
from sluicegate.adapters.upstream.pool import Pool
from sluicegate.adapters.upstream.wire import encode_head, host_value
from sluicegate.ports.upstream import Origin, UpstreamError, UpstreamRequest

# Deadlines are kept at most this much late, so that a thousand of them cost one timer.
_TICK = 0.1


class Http11Upstream:
    """See `ports.upstream.Upstream`. Belongs to the event loop on which it first sends.

    `max_connections` holds for each origin; a request beyond it waits up to its connect timeout. `idle_expiry` should
    stay below the keep-alive time of common servers, though a connection that closed too early costs only a retry.
    `ca_file` is trusted in addition to the system's authorities. `resolve` replaces the system's name look-up.
    `private_setting` is what a refusal of a private address names.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver | None = None,
        ca_file: str | PathLike[str] | None = None,
        max_connections: int = 10_000,
        idle_expiry: float = 30.0,
        bounds: Bounds | None = None,
        private_setting: str = ALLOW_PRIVATE_SETTING,
    ) -> None:
        self._private_setting = private_setting
        self._allow_private = allow_private
        self._resolve = resolve
        self._max_connections = max_connections
        self._idle_expiry = idle_expiry
        self._bounds = bounds or Bounds()
        self._tls = tls_context(ca_file)
        self._pools: dict[Origin, Pool] = {}
        self._connections: set[Connection] = set()
        self._sweep_at = inf
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._closed = False

    async def send(self, request: UpstreamRequest) -> Http11Response:
        pool = self._pools.get(request.origin) or self._open_pool(request.origin)
        head = encode_head(request, pool.host)
        timeouts = request.timeouts
        connection = pool.idle.pop() if pool.idle else await pool.acquire(timeouts.connect)
        reused = connection.used
        try:
            return await _exchange(connection, request, head)
        except UpstreamError as error:
            if not reused or not self._worth_another(error):
                raise
        return await self.send_again(pool, request, head)

    def begin(self, request: UpstreamRequest) -> Http11Begun | None:
        pool = self._pools.get(request.origin)
        if pool is None or not pool.idle or self._closed or not sent_whole(request.body):
            return None
        head = encode_head(request, pool.host)
        return Http11Begun(self, pool, request, head, pool.idle.pop().begin(head, request))

    def _worth_another(self, error: UpstreamError) -> bool:
        # The provider closed an idle connection while the request was on its way; it has not looked at it.
        return error.kind == "closed" and error.before_first_byte and not self._closed

    async def answer_to(self, begun: Http11Begun) -> Http11Response:
        """What `begin` leaves to be awaited."""
        try:
            return await _head_of(begun.response)
        except UpstreamError as error:
            # Only connections that were used before are idle.
            if not self._worth_another(error):
                raise
        return await self.send_again(begun.pool, begun.request, begun.head)

    async def send_again(self, pool: Pool, request: UpstreamRequest, head: bytes) -> Http11Response:
        try:
            return await _exchange(await pool.acquire(request.timeouts.connect, fresh=True), request, head)
        except UpstreamError as error:
            error.sent = True
            raise

    async def aclose(self) -> None:
        self._closed = True
        for pool in self._pools.values():
            pool.close()
        for connection in list(self._connections):
            connection.abandon()
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._connections:
            if self._emptied is None:
                self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._emptied)

    def _open_pool(self, origin: Origin) -> Pool:
        if self._closed:
            raise UpstreamError("closed", "The upstream client is closed.")
        pool = self._pools[origin] = Pool(
            host_value(origin),
            max_connections=self._max_connections,
            idle_expiry=self._idle_expiry,
            connect=partial(self._connect, origin),
            watch=self._watch,
            detached=self._detached,
        )
        return pool

    # Connecting

    async def _connect(self, origin: Origin, pool: Pool, within: float) -> Connection:
        try:
            async with asyncio.timeout(within):
                addresses = await addresses_of(
                    origin.host,
                    origin.port,
                    resolve=self._resolve,
                    allow_private=self._allow_private,
                    setting=self._private_setting,
                )
                connection = await self._connect_to_any(origin, pool, addresses, within)
        except TimeoutError:
            raise UpstreamError("timeout", f"{origin.host} did not accept a connection in time.") from None
        except OSError as error:
            raise UpstreamError("connect", f"No connection to {origin.host}: {error.strerror or error}.") from error
        if self._closed:
            connection.close()
            raise UpstreamError("closed", "The upstream client is closed.")
        return connection

    async def _connect_to_any(self, origin: Origin, pool: Pool, addresses: Sequence[str], within: float) -> Connection:
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        last = len(addresses) - 1
        for number, address in enumerate(addresses):
            # A dead first address must leave time for the others.
            share = (ends - loop.time()) / (last - number + 1)
            try:
                async with asyncio.timeout(share):
                    transport, connection = await loop.create_connection(
                        lambda: Connection(pool, self._bounds, loop),
                        address,
                        origin.port,
                        ssl=self._tls if origin.scheme == "https" else None,
                        server_hostname=origin.host if origin.scheme == "https" else None,
                    )
            except OSError:
                if number == last:
                    raise
            else:
                if not connection.closed:
                    for option in KEPT_ALIVE:
                        transport.get_extra_info("socket").setsockopt(*option)
                self._connections.add(connection)
                return connection
        raise OSError("there is no address to connect to")

    def _detached(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._emptied is not None and not self._connections and not self._emptied.done():
            self._emptied.set_result(None)

    # Timeouts

    def _watch(self, deadline: float) -> None:
        if deadline < self._sweep_at - _TICK:
            self._schedule_sweep(deadline)

    def _schedule_sweep(self, deadline: float) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        loop = asyncio.get_running_loop()
        self._sweep_at = max(deadline, loop.time() + _TICK)
        self._sweeper = loop.call_at(self._sweep_at, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        self._sweep_at = inf
        now = asyncio.get_running_loop().time()
        earliest = inf
        for connection in list(self._connections):
            if connection.deadline <= now:
                connection.expire()
            elif connection.deadline < earliest:
                earliest = connection.deadline
        if earliest < inf and not self._closed:
            self._watch(earliest)


@lru_cache(maxsize=8)
def tls_context(ca_file: str | PathLike[str] | None) -> ssl.SSLContext:
    """One for all clients that trust the same: reading the system's authorities takes 40 ms and a megabyte."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Http11Begun(msgspec.Struct, eq=False):
    """See `ports.upstream.Begun`."""

    client: Http11Upstream
    pool: Pool
    request: UpstreamRequest
    head: bytes
    response: Http11Response

    def notify(self, listener: Callable[[], None] | None) -> None:
        self.response.notify(listener)

    def arrived(self) -> Http11Response | None:
        return self.response if self.response.status else None

    async def answer(self) -> Http11Response:
        return await self.client.answer_to(self)

    def give_up(self) -> None:
        self.response.discard()


async def _exchange(connection: Connection, request: UpstreamRequest, head: bytes) -> Http11Response:
    """Send on a connection that is ours alone; whatever goes wrong, the connection is gone afterwards."""
    response = connection.begin(head, request)
    try:
        rest = connection.unsent(request.body)
        if rest is not None:
            await connection.send_rest(response, rest, first_byte=request.timeouts.first_byte)
    except BaseException:
        response.discard()
        raise
    return await _head_of(response)


async def _head_of(response: Http11Response) -> Http11Response:
    try:
        while not response.status:
            if response.error is not None:
                raise response.error
            await response.wait()
    except BaseException:
        response.discard()
        raise
    return response
