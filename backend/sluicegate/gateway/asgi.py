"""One HTTP exchange as the gateway sees it: the ASGI triple, its request id, and whole replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.kit.ids import new_id
from sluicegate.ports.upstream import RawHeaders

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


FAULT = "sluicegate.fault"
"""Among the extensions of a scope: the Refusal that answers a request which could not be read."""


class ClientGone(Exception):
    """The caller closed the connection before its request was complete."""


class Reply(msgspec.Struct):
    """A whole answer; `headers` lack `content-length` and request ids. `lines` are further ones, as they stand in a
    head, each with its end."""

    status: int
    headers: RawHeaders
    body: bytes
    lines: bytes = b""


def headers_of(lines: bytes) -> RawHeaders:
    """Lines of a head, each with its end, as fields."""
    fields = (line.partition(b": ") for line in lines.split(b"\r\n") if line)
    return [(name, value) for name, _, value in fields]


async def _nothing_more() -> Message:
    raise RuntimeError("nobody receives what is still to come of this request")


async def _nowhere(_message: Message) -> None:
    raise RuntimeError("this request has no way back to its caller")


class Request(msgspec.Struct, eq=False):
    """A caller's request. `id` is minted here and is also the id of the call in the ledger; `dialect` is the one in
    which the caller is answered, whatever the answer is."""

    method: str
    path: str
    query: bytes
    headers: RawHeaders
    address: str
    dialect: Dialect = Dialect.OPENAI
    receive: Receive = _nothing_more
    send: Send = _nowhere
    id: str = msgspec.field(default_factory=new_id)
    started: bool = False
    _fields: dict[bytes, bytes] | None = None

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> Request:
        client = scope.get("client")
        return cls(
            scope.get("method", "GET"),
            scope["path"],
            scope.get("query_string", b""),
            scope["headers"],
            client[0] if client else "",
            receive=receive,
            send=send,
        )

    def another(self) -> Request:
        """One more that says the same."""
        return Request(self.method, self.path, self.query, self.headers, self.address, self.dialect)

    @property
    def fields(self) -> dict[bytes, bytes]:
        """Headers by name, the first of each."""
        if self._fields is None:
            self._fields = dict(reversed(self.headers))
        return self._fields

    def id_lines(self) -> bytes:
        """The headers that tell it, as they stand in the head of an answer, each with its end."""
        encoded = self.id.encode()
        if self.dialect is Dialect.ANTHROPIC:
            return b"x-request-id: %b\r\nrequest-id: %b\r\n" % (encoded, encoded)
        return b"x-request-id: %b\r\n" % encoded

    def id_headers(self) -> RawHeaders:
        return headers_of(self.id_lines())

    async def start(self, status: int, headers: RawHeaders) -> None:
        """Sends the head; request ids are added here, so that no answer lacks them."""
        self.started = True
        head = {"type": "http.response.start", "status": status, "headers": [*headers, *self.id_headers()]}
        await self.send(head)

    async def reply(self, reply: Reply) -> None:
        length = (b"content-length", b"%d" % len(reply.body))
        await self.start(reply.status, [*reply.headers, *headers_of(reply.lines), length])
        await self.send({"type": "http.response.body", "body": reply.body})
