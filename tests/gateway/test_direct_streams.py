"""Streams that no task carries: cut at every byte by either side, too fast for their callers, and at a server's end."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from fakes.http_server import Connection
from fakes.provider import Answer, Exchange, Outcome, Step
from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    STREAM_HEAD,
    events,
    framed,
    stalls,
    text_chunk,
    verbatim,
)
from gateway.bench import CHAT, SUBJECT, Bench, chat, running_bench
from gateway.test_direct import request_of, until_deaf
from sluicegate.domain.policy import Dimension
from sluicegate.domain.usage import CallRecord
from sluicegate.gateway.direct_stream import DirectStream
from sluicegate.gateway.stream.meter import StreamMeter

ASKING = chat(stream=True, stream_options={"include_usage": True})
SHORT = (b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n', b'data: {"choices":[],"usage":null}\n\n', CHAT_USAGE)
STREAM = (*SHORT, CHAT_DONE)
ON_THE_WIRE = STREAM_HEAD + b"".join(map(framed, STREAM)) + b"0\r\n\r\n"
# So many calls at a time.
AT_ONCE = 60


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> list[DirectStream]:
    return noted_streams(monkeypatch)


def noted_streams(monkeypatch: pytest.MonkeyPatch) -> list[DirectStream]:
    """Those that go without a task from now on."""
    found: list[DirectStream] = []
    begin = DirectStream.begin

    def noted(stream: DirectStream) -> None:
        found.append(stream)
        begin(stream)

    monkeypatch.setattr(DirectStream, "begin", noted)
    return found


def asked(bench: Bench, body: Any = ASKING) -> bytes:
    return request_of(bench, body)


@asynccontextmanager
async def asking(
    bench: Bench, request: bytes | None = None, **options: Any
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port, **options)
    try:
        writer.write(request or asked(bench))
        yield reader, writer
    finally:
        writer.close()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return await reader.readuntil(b"\r\n\r\n")


async def body_of(reader: asyncio.StreamReader) -> bytes:
    """Of an answer in chunks, to its end."""
    parts: list[bytes] = []
    async with asyncio.timeout(20):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            parts.append(await reader.readexactly(size))
            assert await reader.readexactly(2) == b"\r\n"
        assert await reader.readexactly(2) == b"\r\n"
    return b"".join(parts)


def cut(at: int) -> Answer:
    return verbatim(ON_THE_WIRE[:at], breaks_off=True)


async def test_a_provider_may_break_off_at_any_byte(bench: Bench, direct: list[DirectStream]) -> None:
    places = range(len(STREAM_HEAD), len(ON_THE_WIRE))
    whole = b"".join(STREAM)
    done = ON_THE_WIRE.index(CHAT_DONE) + len(CHAT_DONE)

    async def called(at: int) -> None:
        async with asking(bench) as (reader, _):
            assert (await head_of(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
            body = await body_of(reader)
        if at >= done:
            assert body == whole
        else:
            passed, _, error = body.rpartition(b"data: ")
            assert whole.startswith(passed)
            assert json.loads(error)["error"]["code"] == "upstream_unavailable"
            # All whole events that came, and nothing torn.
            came = sum(ON_THE_WIRE[:at].count(event) for event in set(STREAM))
            assert passed.count(b"\n\n") == came

    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        await bench.warm(len(some))
        for at in some:
            bench.provider.next(cut(at))
        # Which call has which answer is the provider's order, so they begin one after the other.
        calls = []
        for number, at in enumerate(some):
            calls.append(asyncio.create_task(called(at)))
            await bench.until_asked(number + 1)
        await asyncio.gather(*calls)
    rows = await bench.ledger()
    assert len(rows) == len(places)
    # Who finds no idle connection goes another way.
    assert len(direct) > len(places) // 2
    fine = [row for row in rows if row.outcome == "ok"]
    assert len(fine) == len(ON_THE_WIRE) - done
    assert {row.output_tokens for row in fine} == {17}
    assert {row.outcome for row in rows} == {"ok", "upstream_error"}
    await bench.assert_settled()


def slowly(*parts: bytes) -> Answer:
    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        for part in parts:
            await connection.write(framed(part))
            await asyncio.sleep(0.02)
        await connection.write(b"0\r\n\r\n")

    return answer


async def test_a_caller_may_leave_at_any_byte(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    bench.provider.next(slowly(*STREAM))
    async with asking(bench, asked(bench).replace(b"host: x", b"host: x\r\nx-one: 1")) as (reader, _):
        size = len(await head_of(reader)) + len(b"".join(map(framed, STREAM)))
        await body_of(reader)
    places = range(1, size, 2)

    async def left(at: int) -> None:
        async with asking(bench) as (reader, writer):
            await asyncio.wait_for(reader.readexactly(at), 10)
            if at % 4 == 1:
                writer.transport.abort()

    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        await bench.warm(len(some))
        bench.provider.next(*[slowly(*STREAM)] * len(some))
        await asyncio.gather(*map(left, some))
        await bench.until_settled(10)
        for exchange in bench.provider.log:
            assert await exchange.ended() is not Outcome.OPEN
    rows = await bench.ledger()
    assert len(rows) == len(places) + 1
    # Who finds no idle connection goes another way.
    assert len(direct) > len(places) // 2
    assert {row.outcome for row in rows} <= {"ok", "aborted"}
    # Of others what was still to come may have taken longer than is waited for it.
    exact = [row for row in rows if row.outcome == "ok" or not row.estimated]
    assert {(row.output_tokens, row.estimated) for row in exact} == {(17, False)}
    await bench.assert_settled()


class Flood:
    """A provider that sends as fast as it is let: `size` bytes in numbered events, of which `sent` are gone; `endless`
    ones come again and again."""

    def __init__(self, size: int, *, endless: bool = False) -> None:
        self.parts = [text_chunk(f"{number} " + "word " * 10_000) for number in range(size // 50_000)]
        self.endless = endless
        self.sent = 0

    async def answer(self, connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        for part in itertools.cycle(self.parts) if self.endless else self.parts:
            await connection.write(framed(part))
            self.sent += len(part)
        await connection.write(framed(CHAT_USAGE + CHAT_DONE) + b"0\r\n\r\n")

    async def until_stuck(self) -> None:
        before = -1
        while self.sent != before:
            before = self.sent
            await asyncio.sleep(0.3)


def small_socket(bench: Bench) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    made.connect(("127.0.0.1", bench.port))
    made.setblocking(False)
    return made


async def test_a_provider_sends_no_faster_than_the_caller_takes(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    flood = Flood(40_000_000)
    bench.provider.next(flood.answer)
    taking = small_socket(bench)
    reader, writer = await asyncio.open_connection(sock=taking, limit=32 * 1024)
    writer.write(asked(bench))
    await bench.until_asked(1)
    async with asyncio.timeout(20):
        await flood.until_stuck()
    # What sockets hold, and little more.
    assert flood.sent < 30_000_000
    taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
    await head_of(reader)
    # As a whole, for nobody would read what differs.
    same = await body_of(reader) == b"".join((*flood.parts, CHAT_USAGE, CHAT_DONE))
    assert same
    writer.close()
    record = await bench.only_call()
    assert (record.outcome, record.output_tokens) == ("ok", 17)
    assert len(direct) == 1


async def test_a_caller_who_stops_reading_and_leaves_is_billed(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    # What is there at once is taken yet, to bill it exactly; that must not be all.
    flood = Flood(5_000_000, endless=True)
    bench.provider.next(flood.answer)
    _, writer = await asyncio.open_connection(sock=small_socket(bench), limit=32 * 1024)
    writer.write(asked(bench))
    await bench.until_asked(1)
    async with asyncio.timeout(20):
        await flood.until_stuck()
    writer.transport.abort()
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("aborted", True)
    assert record.output_tokens > 100_000
    assert len(direct) == 1


def test_a_caller_who_left_just_before_the_stream_began_is_billed_exactly(
    tmp_path: Path, direct: list[DirectStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks for callers who left until the answer is there.
    monkeypatch.setattr("sluicegate.gateway.watch.TICK", 30.0)

    async def leave_and_be_answered() -> tuple[CallRecord, Any]:
        left = asyncio.Event()

        async def answer(connection: Connection, exchange: Exchange) -> None:
            await left.wait()
            await connection.write(ON_THE_WIRE)

        async with running_bench(tmp_path) as bench:
            await bench.warm()
            bench.provider.next(answer)
            with capture_logs() as lines:
                async with asking(bench) as (_, writer):
                    await bench.until_asked(1)
                    writer.transport.abort()
                async with asyncio.timeout(10):
                    while bench.server.server_state.connections:  # noqa: ASYNC110 - the server signals nobody
                        await asyncio.sleep(0.01)
                left.set()
                await bench.until_settled()
            return await bench.only_call(), lines

    # The loop of servers, whose transports take no bytes once they are closed.
    record, lines = uvloop.run(leave_and_be_answered())
    assert (record.outcome, record.status, record.output_tokens) == ("aborted", 200, 17)
    assert not record.estimated
    assert len(direct) == 1
    assert lines == []


async def test_requests_sent_ahead_of_a_stream_are_answered_after_it(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm(2)
    bench.provider.next(slowly(*STREAM), slowly(*STREAM))
    async with asking(bench, asked(bench) * 2 + asked(bench, chat(model="secret-model"))) as (reader, _):
        for _ in range(2):
            await head_of(reader)
            assert await body_of(reader) == b"".join(STREAM)
        assert (await head_of(reader)).startswith(b"HTTP/1.1 403 ")
    assert len(direct) == 1
    await bench.until_settled()
    await bench.assert_settled()


async def test_who_leaves_a_stream_with_requests_behind_it_is_missed(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    bench.provider.next(Step(endless="events"))
    async with asking(bench, asked(bench) * 2) as (reader, writer):
        await head_of(reader)
        # Nothing is read from the caller now, so only what is written tells.
        writer.transport.abort()
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("aborted", True)
    assert len(direct) == 1


async def test_a_connection_goes_on_after_a_stream(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    async with asking(bench) as (reader, writer):
        for _ in range(5):
            await head_of(reader)
            assert (await body_of(reader)).endswith(CHAT_DONE)
            writer.write(asked(bench))
        await head_of(reader)
        await body_of(reader)
    assert len(direct) == 6
    assert bench.provider.connections == 1
    assert len(await bench.ledger()) == 6
    await bench.assert_settled()


async def test_whoever_is_suspended_gets_the_rest_of_a_stream_and_no_further_one(
    bench: Bench, direct: list[DirectStream]
) -> None:
    await bench.warm()
    going_on = asyncio.Event()

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD + framed(STREAM[0]))
        await going_on.wait()
        await connection.write(b"".join(map(framed, STREAM[1:])) + b"0\r\n\r\n")

    bench.provider.next(answer)
    async with asking(bench) as (reader, writer):
        await head_of(reader)
        await bench.suspend()
        assert (await bench.client.post(CHAT, json=chat())).status_code == 401
        going_on.set()
        assert await body_of(reader) == b"".join(STREAM)
        writer.write(asked(bench))
        assert (await head_of(reader)).startswith(b"HTTP/1.1 401 ")
    record = await bench.only_call()
    assert (record.outcome, record.output_tokens) == ("ok", 17)
    assert len(direct) == 1


async def test_a_stream_holds_its_slot_until_its_end(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    bench.provider.next(stalls(*CHAT_EVENTS))
    async with asking(bench) as (reader, _):
        await head_of(reader)
        assert await bench.used(Dimension.CONCURRENT_REQUESTS) == 1
        calls, (call,) = await bench.container.gateway.board.in_flight(SUBJECT.id, 10)
        assert (calls, call.streamed, call.output_tokens) == (1, True, 3)
    await bench.until_settled()
    await bench.assert_settled()
    assert len(direct) == 1


async def test_a_provider_that_lingers_after_the_end_is_not_waited_for(bench: Bench) -> None:
    await bench.warm()
    bench.provider.next(stalls(*STREAM))
    async with asking(bench) as (reader, writer):
        await head_of(reader)
        assert await body_of(reader) == b"".join(STREAM)
        writer.write(asked(bench))
        await head_of(reader)
        assert (await body_of(reader)).endswith(CHAT_DONE)
    assert await bench.provider.log[0].ended() is Outcome.DISCONNECTED
    assert [row.outcome for row in await bench.ledger()] == ["ok", "ok"]
    await bench.assert_settled()


async def test_a_caller_who_leaves_after_the_end_of_a_stream_lets_go_of_its_provider(bench: Bench) -> None:
    await bench.warm()
    bench.provider.next(stalls(*STREAM))
    async with asking(bench) as (reader, _):
        await head_of(reader)
        await reader.readuntil(b"[DONE]\n\n\r\n")
    assert await bench.provider.log[0].ended(0.8) is Outcome.DISCONNECTED
    assert (await bench.only_call()).outcome == "ok"


async def test_a_stream_goes_on_to_its_end_though_the_server_stops(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    bench.provider.next(events(*STREAM, pause=0.3))
    async with asking(bench) as (reader, _):
        await head_of(reader)
        bench.server.should_exit = True
        assert await body_of(reader) == b"".join(STREAM)
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert len(direct) == 1
    assert (await bench.only_call()).outcome == "ok"


async def test_a_server_that_stops_before_a_stream_begins_says_that_the_connection_ends(bench: Bench) -> None:
    await bench.warm()
    going_on = asyncio.Event()

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await going_on.wait()
        await connection.write(ON_THE_WIRE)

    bench.provider.next(answer)
    async with asking(bench) as (reader, _):
        await bench.until_asked(1)
        bench.server.should_exit = True
        await until_deaf(bench)
        going_on.set()
        assert b"\r\nconnection: close\r\n" in await head_of(reader)
        assert await body_of(reader) == b"".join(STREAM)
        assert await reader.read() == b""
    assert (await bench.only_call()).outcome == "ok"


async def test_streams_are_settled_when_the_server_breaks_them_off(bench: Bench, direct: list[DirectStream]) -> None:
    await bench.warm()
    bench.provider.next(stalls(*CHAT_EVENTS))
    async with asking(bench) as (reader, _):
        await head_of(reader)
        bench.container.gateway.break_off()
        assert bench.container.gateway.calls_in_flight == 0
        assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
        with pytest.raises(asyncio.IncompleteReadError):
            await body_of(reader)
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("aborted", True, 3)
    assert len(direct) == 1


async def test_a_fault_of_our_own_in_a_stream_ends_it_and_is_settled(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.warm()
    bench.provider.next(slowly(*STREAM))
    async with asking(bench) as (reader, _):
        await head_of(reader)
        monkeypatch.setattr(StreamMeter, "feed", lambda *_: 1 // 0)
        assert CHAT_DONE not in await asyncio.wait_for(reader.read(), 10)
    monkeypatch.undo()
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    assert (await bench.only_call()).outcome == "aborted"


async def test_the_head_of_a_stream_does_not_wait_for_its_first_event(bench: Bench) -> None:
    await bench.warm()
    bench.provider.next(stalls())
    async with asking(bench) as (reader, _):
        assert (await head_of(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    await bench.until_settled()
    assert (await bench.only_call()).outcome == "aborted"
