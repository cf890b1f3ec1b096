"""A way to a server that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from sqlalchemy.engine import make_url


class Link:
    """Forwards connections on loopback. While it is cut, those that are open break and new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @classmethod
    async def to(cls, host: str, port: int) -> Self:
        link = cls(host, port)
        await link._listen()
        return link

    def url(self, url: str) -> str:
        """The same database by way of the link."""
        return make_url(url).set(host="127.0.0.1", port=self.port).render_as_string(hide_password=False)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        self.close()
        try:
            yield
        finally:
            await self._listen()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, away = await asyncio.open_connection(*self._target)
            self._open |= {writer, away}
            await asyncio.gather(_copy(reader, away), _copy(there, writer))
            self._open -= {writer, away}


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
