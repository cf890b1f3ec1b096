"""A call to the gateway and the way back to its caller, without what ASGI costs for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.direct import App, Head
from sluicegate.gateway.direct_stream import Reader
from sluicegate.ports.upstream import RawHeaders

if TYPE_CHECKING:
    from sluicegate.cli.protocol import LeanProtocol


_default: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")


def _lines_of(default: list[tuple[bytes, bytes]]) -> bytes:
    """The server's own headers. It makes a new list of them once a second, and keeps it for all answers until then."""
    global _default
    if default is not _default[0]:
        _default = (default, b"".join(b"%b: %b\r\n" % header for header in default))
    return _default[1]


class _Nobody:
    """Stands in for the event of an exchange for which no task waits."""

    def set(self) -> None:
        return


_NOBODY = cast("asyncio.Event", _Nobody())


class Exchange(RequestResponseCycle):
    """Implements `gateway.direct.Line`. To uvicorn it is one of its own cycles, so that all it does for callers who
    send one request after the other, for those who leave, and at shutdown holds; it gets what ASGI needs only when
    it has to."""

    # As each one begins.
    waiting_for_100_continue = False
    access_log = False
    message_event = _NOBODY
    content = b""
    disconnected = response_started = response_complete = False
    more_body = True
    # Of a request that comes in several, those after the first.
    _parts: list[bytes] | None = None
    # The head of an answer in parts, until the first of them leaves with it.
    _unsent = b""

    def __init__(self, protocol: LeanProtocol, head: Head) -> None:
        self._protocol = protocol
        self.scope = protocol.scope
        self.head = head
        self.keep_alive = not protocol.leaving

    def take(self, part: bytes) -> None:
        if not self.content:
            self.content = part
        elif self._parts is None:
            self._parts = [part]
        else:
            self._parts.append(part)

    def complete(self) -> None:
        """All of the request is here."""
        self.more_body = False
        if self._parts is not None:
            self.content = b"".join((self.content, *self._parts))
            self._parts = None

    # For the gateway

    def answer(self, reply: Reply, ids: bytes) -> None:
        """Raises ValueError for headers that would change the shape of the answer."""
        if self.disconnected:
            return
        protocol, body = self._protocol, reply.body
        head = self._head_of(reply.status, reply.headers, reply.lines, ids)
        self.response_started = self.response_complete = True
        protocol.joining.write_whole(b"%bcontent-length: %d\r\n\r\n" % (head, len(body)), body)
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()

    def _head_of(self, status: int, headers: RawHeaders, lines: bytes, ids: bytes) -> bytes:
        """Without what tells where the body ends, and without the empty line."""
        block = b"\r\n".join(map(b": ".join, headers))
        breaks = len(headers) - 1 if headers else 0
        if block.count(b"\n") != breaks or block.count(b"\r") != breaks:
            raise ValueError("a header of an answer holds a line break")
        return b"%b%b%b%b%b%b%b" % (
            STATUS_LINE[status],
            _lines_of(self._protocol.server_state.default_headers),
            block,
            b"\r\n" if block else b"",
            lines,
            ids,
            b"" if self.keep_alive else b"connection: close\r\n",
        )

    def start(self, status: int, headers: RawHeaders, lines: bytes, ids: bytes, reader: Reader) -> None:
        """Raises ValueError as `answer` does."""
        self._unsent = self._head_of(status, headers, lines, ids) + b"transfer-encoding: chunked\r\n\r\n"
        self.response_started = True
        self._protocol.reader = reader

    def flush(self) -> None:
        if self._unsent:
            head, self._unsent = self._unsent, b""
            self._protocol.joining.plain.write(head)

    def write(self, data: bytes) -> None:
        head, self._unsent = self._unsent, b""
        self._protocol.joining.plain.write(b"%b%x\r\n%b\r\n" % (head, len(data), data))

    def finish(self, data: bytes) -> None:
        protocol, head = self._protocol, self._unsent
        protocol.reader = None
        self._unsent = b""
        self.response_complete = True
        if data:
            protocol.joining.plain.write(b"%b%x\r\n%b\r\n0\r\n\r\n" % (head, len(data), data))
        else:
            protocol.joining.plain.write(head + b"0\r\n\r\n")
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()

    def cut(self) -> None:
        protocol = self._protocol
        protocol.reader = None
        if not protocol.transport.is_closing():
            protocol.transport.close()

    def resume(self, app: App) -> None:
        self._become_whole()
        self._protocol.start_task(self, app)

    def hand_over(self) -> None:
        """To the application, as if nobody had looked at it."""
        self._become_whole()
        self.body += self.content
        self.message_event.set()
        self._protocol.start_task(self, cast("App", self._protocol.app))

    def _become_whole(self) -> None:
        protocol, left, event = self._protocol, self.disconnected, asyncio.Event()
        super().__init__(
            scope=protocol.completed(self.scope, self.head, len(self.content)),
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=protocol.access_log,
            default_headers=protocol.server_state.default_headers,
            message_event=event,
            expect_100_continue=False,
            keep_alive=self.keep_alive,
            on_response=protocol.on_response_complete,
        )
        self.more_body = False
        self.disconnected = left
        if left:
            event.set()
