"""The server side of one HTTP/1.1 connection, with a hand on every byte that leaves."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.client import responses

import httptools

from sluicegate.ports.upstream import RawHeaders

Serve = Callable[["Connection", str, str, RawHeaders, bytes], Awaitable[None]]


class Connection(asyncio.Protocol):
    """Calls `serve` for each complete request, one after another, and cancels it when the client goes away."""

    def __init__(self, number: int, serve: Serve, lost: Callable[[Connection], None]) -> None:
        self.number = number
        self._serve = serve
        self._lost = lost
        self._parser = httptools.HttpRequestParser(self)
        self._requests: asyncio.Queue[tuple[str, str, RawHeaders, bytes]] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()
        self._chunked = False
        self._held = b""
        self._gone = asyncio.Event()

    async def send_head(
        self, status: int, headers: RawHeaders, *, length: int | None, chunked: bool, alone: bool = True
    ) -> None:
        """A head that is not `alone` leaves in one write with what is sent next."""
        self._chunked = chunked
        reason = responses.get(status, "Unknown")
        lines = [f"HTTP/1.1 {status} {reason}".encode(), *(b"%s: %s" % header for header in headers)]
        if chunked:
            lines.append(b"transfer-encoding: chunked")
        elif length is not None:
            lines.append(b"content-length: %d" % length)
        else:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if alone:
            await self.write(head)
        else:
            self._held = head

    async def send(self, data: bytes, *, only: int) -> None:
        """Sends as much of `data` as `only` allows; a chunk that is cut still announces its whole size."""
        if not self._chunked:
            await self.write(data[:only])
        elif data:
            framed = b"%x\r\n%s\r\n" % (len(data), data)
            cut = len(framed) - 2 - len(data) + only
            await self.write(framed if only >= len(data) else framed[:cut])

    async def finish(self, *, keep_open: bool) -> None:
        if self._chunked:
            await self.write(b"0\r\n\r\n")
        if not keep_open:
            self.close()

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def close(self, *, reset: bool = False) -> None:
        """Ends the connection after what was written, or at once by RST."""
        if reset:
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    async def drop(self) -> None:
        self._transport.abort()
        await self._gone.wait()
        await asyncio.wait([self._worker])

    async def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError
        data, self._held = self._held + data, b""
        self._transport.write(data)
        # A turn of the loop for each write keeps neighbouring writes from being read as one.
        await asyncio.sleep(0)
        await self._writable.wait()

    async def _work(self) -> None:
        try:
            with suppress(ConnectionError):
                while True:
                    await self._serve(self, *await self._requests.get())
        finally:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._transport = transport
        self._worker = asyncio.get_running_loop().create_task(self._work())
        self._worker.add_done_callback(_report)

    def data_received(self, data: bytes) -> None:
        try:
            with suppress(httptools.HttpParserUpgrade):
                self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        self._worker.cancel()
        self._lost(self)
        self._gone.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: RawHeaders = []
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        self._requests.put_nowait((method, self._target.decode("latin-1"), self._headers, b"".join(self._body)))


def _report(worker: asyncio.Task[None]) -> None:
    """A mistake in the fake itself must be seen, not only end the connection."""
    if not worker.cancelled():
        worker.result()
