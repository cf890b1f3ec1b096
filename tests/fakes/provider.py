"""A model provider on a real socket that can be told what to do wrong, and remembers what it was asked.

    async with Provider() as provider:
        provider.next(Step(status=429, headers={"retry-after": "1"}, times=2), Step(cut_after=100))
        ... calls to provider.url ...
        assert provider.log[0].json["model"] == "gpt-test"

By hand: `python -m tests.fakes.provider --port 9100`.
"""

from __future__ import annotations

import argparse
import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

import msgspec

from sluicegate.ports.upstream import RawHeaders

from .answers import Reply, reply_to, spoil_usage
from .http_server import Connection
from .script import Step, UsageFault

_HEARTBEAT = b": keep-alive\n\n"
_HEARTBEAT_PAUSE = 0.05
_ENDLESS_PAUSE = 0.005


class Outcome(Enum):
    """How an exchange ended, as the provider saw it."""

    OPEN = auto()
    COMPLETE = auto()
    CUT = auto()
    DISCONNECTED = auto()


@dataclass(slots=True)
class Exchange:
    """One request as it arrived and what became of its answer. `sent` counts bytes of the body before any framing."""

    method: str
    target: str
    headers: RawHeaders
    body: bytes
    connection: int
    status: int = 0
    sent: int = 0
    outcome: Outcome = Outcome.OPEN
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def disconnected(self) -> bool:
        """Whether the client was gone before the end of the answer."""
        return self.outcome is Outcome.DISCONNECTED

    def header(self, name: str) -> str | None:
        """The last header of that name; None when there is none."""
        values = [value.decode("latin-1") for key, value in self.headers if key == name.lower().encode()]
        return values[-1] if values else None

    async def ended(self, seconds: float = 5.0) -> Outcome:
        await asyncio.wait_for(self._ended.wait(), seconds)
        return self.outcome

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._ended.set()


Answer = Callable[[Connection, Exchange], Awaitable[None]]
"""Writes an answer by itself, for what no step can say; it is cancelled when the client leaves."""


class Provider:
    """Serves on loopback. `log` has every complete request in order of arrival, `connections` counts accepted ones."""

    def __init__(self, port: int = 0) -> None:
        self.log: list[Exchange] = []
        self.connections = 0
        self._port = port
        self._steps: deque[Step | Answer] = deque()
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drops what is open. A later `start` listens on the same port again; until then connections are refused."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            await connection.drop()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def next(self, *steps: Step | Answer) -> None:
        """Scripts the next calls, in order, each as often as its `times` says. Any request takes a step."""
        for step in steps:
            self._steps.extend([replace(step, times=1)] * step.times if isinstance(step, Step) else [step])

    def reset(self) -> None:
        """Forgets log and script."""
        self.log.clear()
        self._steps.clear()

    def _connect(self) -> Connection:
        self.connections += 1
        connection = Connection(self.connections, self._serve, self._open.discard)
        self._open.add(connection)
        return connection

    async def _serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        exchange = Exchange(method, target, headers, body, connection.number)
        self.log.append(exchange)
        step = self._steps.popleft() if self._steps else Step()
        try:
            exchange.end(await _answer(connection, exchange, step))
        except (asyncio.CancelledError, ConnectionError):
            exchange.end(Outcome.DISCONNECTED)
            raise


async def _answer(connection: Connection, exchange: Exchange, step: Step | Answer) -> Outcome:
    if not isinstance(step, Step):
        await step(connection, exchange)
        return Outcome.CUT if connection.closing else Outcome.COMPLETE
    if step.stall_before:
        await asyncio.sleep(step.stall_before)
    if step.hang_up:
        connection.close(reset=step.reset)
        return Outcome.CUT
    reply = reply_to(exchange.method, exchange.target, exchange.headers, exchange.body, step)
    if isinstance(step.usage, UsageFault):
        reply = replace(reply, answer=replace(reply.answer, frames=spoil_usage(reply.answer.frames, step.usage)))
    whole = step.endless is None and (step.body is not None or not reply.answer.streamed)
    body = step.body if step.body is not None else reply.answer.body
    if whole and step.gzip:
        body = _gzip(body)
    chunked = step.framing == "chunked" or (step.framing == "usual" and not whole)
    length = len(body) if whole and step.framing in ("usual", "length") else None
    exchange.status = reply.answer.status if step.body is None else step.status
    # As providers send what they have whole: which loop runs here must not tell in how many reads it is taken.
    alone = not length or bool(step.stall_after or step.split)
    await connection.send_head(exchange.status, _headers(reply, step), length=length, chunked=chunked, alone=alone)
    if step.stall_after:
        await asyncio.sleep(step.stall_after)
    pieces = _once(body) if whole else _stream(reply, step)
    if not await _send(connection, exchange, step, pieces) or reply.script.cut:
        connection.close(reset=step.reset)
        return Outcome.CUT
    await connection.finish(keep_open=chunked or length is not None)
    return Outcome.COMPLETE


def _headers(reply: Reply, step: Step) -> RawHeaders:
    changed = {name.lower().encode(): value.encode("latin-1") for name, value in step.headers.items()}
    if step.gzip:
        changed[b"content-encoding"] = b"gzip"
    framing = (b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in reply.answer.headers if name not in changed and name not in framing]
    return [*kept, *changed.items()]


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _stream(reply: Reply, step: Step) -> AsyncIterator[bytes]:
    deflate = zlib.compressobj(wbits=31)

    def coded(data: bytes) -> bytes:
        data = data.replace(b"\n", b"\r\n") if step.crlf else data
        return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH) if step.gzip else data

    for _ in range(reply.script.heartbeats):
        yield coded(_HEARTBEAT)
        await asyncio.sleep(_HEARTBEAT_PAUSE)
    content = [frame for frame in reply.answer.frames if frame.tokens]
    for frame in reply.answer.frames:
        yield coded(frame.data)
        if frame.tokens and reply.script.delay:
            await asyncio.sleep(reply.script.delay)
        if step.endless and frame is content[-1]:
            async for more in _endless(frame.data, step):
                yield coded(more)
    if step.gzip:
        yield deflate.flush()


async def _endless(event: bytes, step: Step) -> AsyncIterator[bytes]:
    if step.endless == "line":
        yield b"data: "
        event = b"x" * 4096
    while True:
        yield event
        await asyncio.sleep(_ENDLESS_PAUSE)


async def _send(connection: Connection, exchange: Exchange, step: Step, pieces: AsyncIterator[bytes]) -> bool:
    """False when the script cut the body short."""
    async for piece in pieces:
        for part in _split(piece, step.split):
            room = len(part) if step.cut_after is None else step.cut_after - exchange.sent
            await connection.send(part, only=room)
            exchange.sent += min(len(part), room)
            if room < len(part) or exchange.sent == step.cut_after:
                return False
    return True


def _split(piece: bytes, size: int | None) -> Iterator[bytes]:
    for start in range(0, len(piece), size or max(len(piece), 1)):
        yield piece[start : start + size] if size else piece


def _gzip(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(body) + deflate.flush()


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A scripted model provider on loopback.")
    parser.add_argument("--port", type=int, default=9100)
    async with Provider(parser.parse_args().port) as provider:
        print(provider.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
