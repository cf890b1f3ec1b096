"""What callers see of the protocol that `serve` listens with: the answers of uvicorn, in fewer packets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

import pytest
import uvicorn
import uvloop

from sluicegate.cli.joining import Joining
from sluicegate.cli.protocol import LeanProtocol
from sluicegate.gateway.asgi import FAULT
from sluicegate.policy.refusals import Refusal

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n"
IDLE = 0.6


class App:
    """Answers by path; a slow body waits until it is let go."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if FAULT in scope.get("extensions", ()):
            await self.refuse(scope["extensions"][FAULT], send)
            return
        bodies = {"/small": b"hello", "/large": b"x" * 1_000_000, "/empty": b"", "/slow": b"late", "/parts": b"end"}
        body = bodies[scope["path"]]
        length = (b"content-length", str(len(body)).encode())
        if scope["path"] == "/parts":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one ", b"", b"two ", b"x" * 100_000):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": body})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        if scope["path"] == "/slow":
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal, send: Any) -> None:
        body = refusal.message.encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": refusal.status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(app: App, **options: Any) -> AsyncIterator[int]:
    options = {"timeout_keep_alive": 30, "lifespan": "off", "access_log": False, **options}
    config = uvicorn.Config(app, port=0, loop="none", ws="none", log_level="error", http=LeanProtocol, **options)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    await server.listening.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_000_000)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def until_refused(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.close()


async def answer(stream: Stream, path: bytes, method: bytes = b"GET") -> tuple[bytes, bytes]:
    reader, writer = stream
    writer.write(method + (GET % path)[3:])
    return await read_answer(reader, with_body=method != b"HEAD")


async def read_answer(reader: asyncio.StreamReader, *, with_body: bool = True) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length if with_body else 0)


async def test_a_whole_answer_comes_in_one_piece() -> None:
    def pieces(port: int) -> list[bytes]:
        # In a thread of its own, which would see the head alone if it came alone.
        with socket.create_connection(("127.0.0.1", port)) as caller:
            return [exchange(caller) for _ in range(200)]

    def exchange(caller: socket.socket) -> bytes:
        caller.sendall(GET % b"/small")
        return caller.recv(100_000)

    async with serving(App()) as port:
        for piece in await asyncio.to_thread(pieces, port):
            assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
            assert piece.endswith(b"\r\n\r\nhello")


async def test_a_head_does_not_wait_for_a_body_that_is_late() -> None:
    app = App()
    async with serving(app) as port, connected(port) as (reader, writer):
        writer.write(GET % b"/slow")
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        app.go_on.set()
        assert await reader.readexactly(4) == b"late"


@pytest.mark.parametrize(("path", "size"), [(b"/small", 5), (b"/large", 1_000_000), (b"/empty", 0)])
async def test_answers_of_any_size_arrive_whole(path: bytes, size: int) -> None:
    async with serving(App()) as port, connected(port) as stream:
        assert len((await answer(stream, path))[1]) == size
        assert b"content-length: %d" % size in (await answer(stream, path, b"HEAD"))[0]
        assert len((await answer(stream, path))[1]) == size


async def test_requests_that_were_sent_ahead_are_answered_in_their_order() -> None:
    async with serving(App()) as port, connected(port) as (reader, writer):
        writer.write(GET % b"/small" + GET % b"/large" + GET % b"/small")
        assert [len((await read_answer(reader))[1]) for _ in range(3)] == [5, 1_000_000, 5]


async def test_a_connection_that_is_closed_by_request_still_gets_its_answer() -> None:
    async with serving(App()) as port, connected(port) as (reader, writer):
        writer.write(b"GET /small HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.read()).endswith(b"hello")


@pytest.mark.parametrize("more", [b"", b"connection: keep-alive\r\n"])
async def test_callers_of_http_1_0_get_no_chunks(more: bytes) -> None:
    async with serving(App()) as port:
        for path, body in ((b"/parts", b"one two " + b"x" * 100_000 + b"end"), (b"/small", b"hello"), (b"/empty", b"")):
            async with connected(port) as (reader, writer):
                writer.write(b"GET %b HTTP/1.0\r\n%b\r\n" % (path, more))
                async with asyncio.timeout(5):
                    head, _, came = (await reader.read(-1)).partition(b"\r\n\r\n")
                assert (came, b"transfer-encoding" in head, b"connection: close" in head) == (body, False, True)
        async with connected(port) as (reader, writer):
            writer.write(b"HEAD /parts HTTP/1.0\r\n\r\n")
            async with asyncio.timeout(5):
                assert (await reader.read(-1)).endswith(b"\r\n\r\n")
        async with connected(port) as (reader, writer):
            writer.write(GET % b"/parts")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"HTTP/3.0"])
async def test_who_would_speak_another_protocol_is_answered_in_this_one(
    protocol: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(App()) as port, connected(port) as (reader, writer):
        writer.write(b"GET /small HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: %b\r\n\r\n" % protocol)
        # It need not wait for consent with what it says then.
        writer.write(b"\x82\x85" + GET % b"/small")
        async with asyncio.timeout(5):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close" in head
    assert body == b"hello"
    assert capfd.readouterr() == ("", "")


async def test_an_invalid_request_is_told_so() -> None:
    async with serving(App()) as port, connected(port) as (reader, writer):
        writer.write(b"no HTTP at all\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


async def test_an_idle_connection_is_closed_only_once_it_was_idle_for_the_whole_time() -> None:
    async with serving(App(), timeout_keep_alive=IDLE) as port, connected(port) as stream:
        begun = time.monotonic()
        while time.monotonic() - begun < 3 * IDLE:
            await answer(stream, b"/small")
            await asyncio.sleep(IDLE / 8)
        last = time.monotonic()
        await answer(stream, b"/small")
        async with asyncio.timeout(20 * IDLE):
            assert await stream[0].read() == b""
        # A loop reads its clock once a round, so that it may be behind by one.
        assert time.monotonic() - last > 0.8 * IDLE


async def test_a_request_that_crosses_with_the_end_of_the_server_is_answered_as_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Longer than a loaded machine takes to send one.
    monkeypatch.setattr("sluicegate.cli.protocol._IDLE_LOOKS", 30)
    app = App()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(app))
        async with connected(port) as first, connected(port) as second, connected(port) as slow:
            for stream in (first, second):
                assert b"connection: close" not in (await answer(stream, b"/small"))[0].lower()
            slow[1].write(GET % b"/slow")
            assert b"connection: close" not in (await slow[0].readuntil(b"\r\n\r\n")).lower()
            end = asyncio.create_task(stack.aclose())
            await until_refused(port)
            app.go_on.set()
            assert await slow[0].readexactly(4) == b"late"
            # Nothing in the head of that answer has told that it is the last.
            for stream in (first, slow):
                head, body = await answer(stream, b"/small")
                assert b"connection: close" in head.lower()
                assert body == b"hello"
            # Nobody waits longer than a moment for one that does not come.
            async with asyncio.timeout(20):
                assert [await stream[0].read() for stream in (first, second, slow)] == [b"", b"", b""]
                await end


async def test_a_call_that_lasts_longer_than_idle_connections_is_not_cut() -> None:
    app = App()
    async with serving(app, timeout_keep_alive=IDLE) as port, connected(port) as stream:
        reader, writer = stream
        writer.write(GET % b"/small" + GET % b"/small" + GET % b"/slow")
        assert [(await read_answer(reader))[1] for _ in range(2)] == [b"hello"] * 2
        await asyncio.sleep(3 * IDLE)
        app.go_on.set()
        assert (await read_answer(reader))[1] == b"late"
        # The timer that found the call in flight is set again by its answer.
        async with asyncio.timeout(20 * IDLE):
            assert await stream[0].read() == b""


def test_a_head_that_waits_when_its_connection_goes_is_no_fault() -> None:
    faults: list[dict[str, Any]] = []
    gone: list[Exception | None] = []

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.joining = Joining(cast("asyncio.Transport", transport), asyncio.get_running_loop())

        def data_received(self, data: bytes) -> None:
            self.joining.plain.abort()
            self.joining.write(b"HTTP/1.1 200 OK\r\n\r\n")

        def connection_lost(self, exc: Exception | None) -> None:
            self.joining.lost()
            gone.append(exc)

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: faults.append(told))
        server = await loop.create_server(Answering, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"?")
        with suppress(ConnectionError):
            assert await reader.read() == b""
        await asyncio.sleep(0.05)
        writer.close()
        server.close()

    # The loop of servers, whose transports take no bytes once they are closed.
    uvloop.run(ask())
    assert gone == [None]
    assert faults == []
