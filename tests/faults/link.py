"""A way to a server that can be cut, be slow, hang, and lead elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from sqlalchemy.engine import make_url


class Link:
    """Forwards connections on loopback. While it is cut, those that are open break and new ones are refused; while it
    hangs, they stay and nothing comes through. `delay` is how many seconds what comes through is late, each way. What
    holds one of `unanswered` comes through, but no answer of the connection from then on, once for each."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.delay = 0.0
        self.unanswered: list[bytes] = []
        self.port = 0

    @classmethod
    async def to(cls, host: str, port: int) -> Self:
        link = cls(host, port)
        await link._listen()
        return link

    @classmethod
    async def to_database(cls, database: str) -> Self:
        url = make_url(database)
        return await cls.to(url.host or "127.0.0.1", url.port or 5432)

    def url(self, url: str) -> str:
        """The same server by way of the link."""
        return make_url(url).set(host="127.0.0.1", port=self.port).render_as_string(hide_password=False)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        self.close()
        try:
            yield
        finally:
            await self._listen()

    @asynccontextmanager
    async def hanging(self) -> AsyncIterator[None]:
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    def move(self, host: str, port: int) -> None:
        """Leads to another server from now on; connections to the old one break."""
        self._target = (host, port)
        self._break_off()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flows.set()
        self._break_off()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _break_off(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._flows.wait()
            there, away = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
        else:
            self._open.add(away)
            mute = asyncio.Event()
            await asyncio.gather(self._copy(reader, away, asked=mute), self._copy(there, writer, mute=mute))
            self._open.discard(away)
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _copy(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        asked: asyncio.Event | None = None,
        mute: asyncio.Event | None = None,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                if mute is not None and mute.is_set():
                    continue
                if asked is not None:
                    for words in [words for words in self.unanswered if words in data]:
                        self.unanswered.remove(words)
                        asked.set()
                sink.write(data)
                await sink.drain()
        sink.close()
