"""A call to the gateway and the way back to its caller, without what ASGI costs for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.direct import App, Head
from sluicegate.ports.upstream import RawHeaders

if TYPE_CHECKING:
    from sluicegate.cli.protocol import LeanProtocol


class _Nobody:
    """Stands in for the event of an exchange for which no task waits."""

    def set(self) -> None:
        return


_NOBODY = cast("asyncio.Event", _Nobody())


class Exchange(RequestResponseCycle):
    """Implements `gateway.direct.Line`. To uvicorn it is one of its own cycles, so that all it does for callers who
    send one request after the other, for those who leave, and at shutdown holds; it gets what ASGI needs only when
    it has to."""

    waiting_for_100_continue = False
    access_log = False
    message_event = _NOBODY

    def __init__(self, protocol: LeanProtocol, head: Head) -> None:
        self._protocol = protocol
        self.scope = protocol.scope
        self.head = head
        self.content = b""
        self.disconnected = False
        self.keep_alive = not protocol.leaving
        self.more_body = True
        self.response_started = False
        self.response_complete = False

    def take(self, part: bytes) -> None:
        self.content = self.content + part if self.content else part

    # For the gateway

    def answer(self, reply: Reply, ids: RawHeaders) -> None:
        """Raises ValueError for headers that would change the shape of the answer."""
        if self.disconnected:
            return
        protocol, body = self._protocol, reply.body
        headers = [*protocol.server_state.default_headers, *reply.headers, *ids]
        if not self.keep_alive:
            headers.append((b"connection", b"close"))
        block = b"\r\n".join(map(b": ".join, headers))
        if block.count(b"\n") != len(headers) - 1 or block.count(b"\r") != len(headers) - 1:
            raise ValueError("a header of an answer holds a line break")
        self.response_started = self.response_complete = True
        protocol.write_whole(
            b"%b%b\r\ncontent-length: %d\r\n\r\n" % (STATUS_LINE[reply.status], block, len(body)), body
        )
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()

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
