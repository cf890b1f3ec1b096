"""Somebody else's endpoint, on a free port of loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fakes.http_server import Connection
from sluicegate.ports.upstream import RawHeaders


@dataclass(frozen=True)
class Received:
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with the statuses in turn, the last of them for ever."""

    statuses: list[int] = field(default_factory=lambda: [204])
    port: int = 0
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/budget?team=a%20b"

    async def serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        named = {name.decode(): value.decode() for name, value in headers}
        self.received.append(Received(f"{method} {target}", named, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await connection.send_head(status, [(b"location", b"/elsewhere")], length=0, chunked=False)
        await connection.finish(keep_open=False)


@asynccontextmanager
async def webhook_receiver(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(statuses) or [204])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(0, receiver.serve, lambda _: None), "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
