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


class Reply(msgspec.Struct, frozen=True):
    """A whole answer; `headers` lack `content-length` and request ids."""

    status: int
    headers: RawHeaders
    body: bytes


class Request:
    """A caller's request. `id` is minted here and is also the id of the call in the ledger."""

    __slots__ = (
        "address",
        "dialect",
        "fields",
        "headers",
        "id",
        "method",
        "path",
        "query",
        "receive",
        "send",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers: RawHeaders = scope["headers"]
        # By name, the first of each.
        self.fields = dict(reversed(self.headers))
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.query: bytes = scope.get("query_string", b"")
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.receive = receive
        self.send = send
        self.id = new_id()
        # In which the caller is answered, whatever the answer is.
        self.dialect = Dialect.OPENAI
        self.started = False

    def id_headers(self) -> RawHeaders:
        encoded = self.id.encode()
        if self.dialect is Dialect.ANTHROPIC:
            return [(b"x-request-id", encoded), (b"request-id", encoded)]
        return [(b"x-request-id", encoded)]

    async def start(self, status: int, headers: RawHeaders) -> None:
        """Sends the head; request ids are added here, so that no answer lacks them."""
        self.started = True
        head = {"type": "http.response.start", "status": status, "headers": [*headers, *self.id_headers()]}
        await self.send(head)

    async def reply(self, reply: Reply) -> None:
        length = (b"content-length", b"%d" % len(reply.body))
        await self.start(reply.status, [*reply.headers, length])
        await self.send({"type": "http.response.body", "body": reply.body})
