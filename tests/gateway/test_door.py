"""What comes in at the door and is no request that could be served: too much, too slow, or no HTTP at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.bench import CHAT, CREDENTIAL, GENERATE, MESSAGES, Bench, chat, messages, running_bench
from sluicegate.cli.protocol import RequestBounds

pytestmark = pytest.mark.any_stack

KEY = b"authorization: Bearer " + CREDENTIAL.text.encode() + b"\r\n"
# Soon over for a test, and long enough for a machine that does other things too.
HASTY = RequestBounds(grace=0.6, bytes_per_second=20_000)
WITHIN = 10.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class Caller:
    """One connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def answer(self) -> Answer:
        async with asyncio.timeout(WITHIN):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, json.loads(body))

    async def hears_no_more(self) -> bool:
        """Whether the gateway has closed, with nothing further said."""
        async with asyncio.timeout(WITHIN):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def calling(bench: Bench) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port, limit=1_000_000)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running_bench(tmp_path, bounds=HASTY) as bench:
        yield bench


def post(path: str, *headers: bytes, body: bytes = b"") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST %s HTTP/1.1\r\nhost: x\r\n%s%s\r\n%s" % (path.encode(), KEY, lines, body)


def sized(path: str, body: bytes, size: int | None = None) -> bytes:
    return post(path, b"content-length: %d" % (len(body) if size is None else size), body=body)


def assert_refused(answer: Answer, path: str, status: int, code: str) -> None:
    """In the dialect of the path, and as the last answer on its connection."""
    assert answer.status == status, answer
    assert answer.headers["connection"] == "close"
    error = answer.body["error"]
    if path is MESSAGES or "anthropic" in path:
        assert answer.body["type"] == "error"
        assert answer.body["request_id"] == answer.headers["request-id"]
        assert error["code"] == code
    elif path is GENERATE:
        assert (error["code"], error["details"][0]["reason"]) == (status, code)
    else:
        assert error["code"] == code
        assert "type" in error


async def assert_still_serves(bench: Bench) -> None:
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 200
    await bench.only_call()


PATHS = [CHAT, "/gateway/anthropic/v1/messages", GENERATE]
BIG = b"x-big: " + b"a" * 70_000


# Heads


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [66_000, 300_000, 3_000_000])
async def test_a_head_that_is_too_large_is_refused_in_dialect(bench: Bench, path: str, size: int) -> None:
    async with calling(bench) as caller:
        await caller.say(post(path, b"content-length: 2", b"x-big: " + b"a" * size, body=b"{}"))
        assert_refused(await caller.answer(), path, 431, "invalid_request")
        assert await caller.hears_no_more()
    await bench.assert_untouched()
    await assert_still_serves(bench)


async def test_a_head_that_never_ends_is_cut_off(bench: Bench) -> None:
    async with calling(bench) as caller:
        await caller.say(post(CHAT)[:-2])
        sending = asyncio.create_task(repeat(caller, b"x-more: " + b"a" * 8_000 + b"\r\n", 0.001))
        assert_refused(await caller.answer(), CHAT, 431, "invalid_request")
        # By the loss of its connection.
        async with asyncio.timeout(WITHIN):
            await sending
    await bench.assert_untouched()
    await assert_still_serves(bench)


async def test_many_small_headers_count_like_few_large_ones(bench: Bench) -> None:
    async with calling(bench) as caller:
        await caller.say(post(CHAT, *(b"x-%d: y" % number for number in range(9_000))))
        assert_refused(await caller.answer(), CHAT, 431, "invalid_request")
    async with calling(bench) as caller:
        await caller.say(post(f"{CHAT}?{'q' * 70_000}", b"content-length: 0"))
        assert_refused(await caller.answer(), CHAT, 431, "invalid_request")
    await bench.assert_untouched()


async def test_a_head_below_the_bound_passes_also_behind_a_large_body(bench: Bench) -> None:
    body = json.dumps(chat(padding="x" * 200_000)).encode()
    large = b"x-large: " + b"a" * 60_000
    async with calling(bench) as caller:
        await caller.say(post(CHAT, large, b"content-length: %d" % len(body), body=body))
        assert (await caller.answer()).status == 200
        # In one write, so that the second head comes with the end of the first body.
        await caller.say(sized(CHAT, body) + post(CHAT, large, b"content-length: %d" % len(body), body=body))
        assert [(await caller.answer()).status for _ in range(2)] == [200, 200]
    assert len(await bench.ledger()) == 3


async def test_the_refusal_of_a_head_waits_for_the_answer_before_it(bench: Bench) -> None:
    body = json.dumps(chat()).encode()
    async with calling(bench) as caller:
        await caller.say(sized(CHAT, body) + post(MESSAGES, BIG))
        first, second = await caller.answer(), await caller.answer()
    assert first.status == 200
    assert_refused(second, MESSAGES, 431, "invalid_request")
    await bench.only_call()


# Time


async def test_a_head_that_takes_too_long_is_given_up(hasty: Bench) -> None:
    started = time.monotonic()
    async with calling(hasty) as caller:
        await caller.say(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-one: ")
        assert_refused(await caller.answer(), MESSAGES, 408, "request_timeout")
        assert await caller.hears_no_more()
    # A loop reads its clock once a round, so that it may be behind by one.
    assert time.monotonic() - started > 0.8 * HASTY.grace
    await hasty.assert_untouched()


async def test_a_connection_that_never_asks_is_closed_in_silence(hasty: Bench) -> None:
    async with calling(hasty) as caller:
        assert await caller.hears_no_more()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("framing", [b"content-length: 100000", b"transfer-encoding: chunked"])
async def test_a_body_that_drips_is_given_up(hasty: Bench, path: str, framing: bytes) -> None:
    async with calling(hasty) as caller:
        await caller.say(post(path, framing))
        drip = b" " if framing.startswith(b"content") else b"1\r\n \r\n"
        dripping = asyncio.create_task(repeat(caller, drip, 0.05))
        assert_refused(await caller.answer(), path, 408, "request_timeout")
        dripping.cancel()
        assert await caller.hears_no_more()
    await hasty.assert_untouched()
    await assert_still_serves(hasty)


async def test_a_large_body_that_comes_fast_enough_may_take_longer_than_the_grace(hasty: Bench) -> None:
    body = json.dumps(chat(padding="x" * 100_000)).encode()
    started = time.monotonic()
    async with calling(hasty) as caller:
        await caller.say(sized(CHAT, b"", len(body)))
        for start in range(0, len(body), 8_000):
            await caller.say(body[start : start + 8_000])
            await asyncio.sleep(0.1)
        assert (await caller.answer()).status == 200
    assert time.monotonic() - started > 2 * HASTY.grace
    await hasty.only_call()


async def test_each_request_of_a_connection_has_its_own_time(hasty: Bench) -> None:
    body = json.dumps(chat()).encode()
    async with calling(hasty) as caller:
        for _ in range(4):
            await caller.say(sized(CHAT, body)[:-10])
            await asyncio.sleep(HASTY.grace / 2)
            await caller.say(body[-10:])
            assert (await caller.answer()).status == 200
    assert len(await hasty.ledger()) == 4


async def test_what_is_left_of_a_refused_body_holds_its_connection_only_for_a_moment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.cli.protocol._LEFTOVER_SECONDS", 0.5)
    async with calling(bench) as caller:
        await caller.say(sized(CHAT, b"{", 50_000_000))
        answer = await caller.answer()
        assert (answer.status, answer.body["error"]["code"]) == (413, "invalid_request")
        assert await caller.hears_no_more()
    await bench.assert_untouched()


# Size


async def test_a_body_without_a_length_is_bounded_too(bench: Bench) -> None:
    async with calling(bench) as caller:
        sending = asyncio.create_task(repeat(caller, b"100000\r\n" + b" " * 0x100000 + b"\r\n", 0.001))
        await caller.say(post(CHAT, b"transfer-encoding: chunked"))
        answer = await caller.answer()
        sending.cancel()
    assert (answer.status, answer.body["error"]["code"]) == (413, "invalid_request")
    await bench.assert_untouched()
    await assert_still_serves(bench)


# Framing


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        [b"content-length: 2", b"content-length: 3"],
        [b"content-length: 2", b"content-length: 2"],
        [b"content-length: -1"],
        [b"content-length: 2x"],
        [b"content-length: +2"],
        [b"content-length: 99999999999999999999999"],
        [b"content-length: 2", b"transfer-encoding: chunked"],
        [b"transfer-encoding: chunked", b"content-length: 2"],
        [b"transfer-encoding: chunked, identity"],
        [b"transfer-encoding: gzip"],
        [b"x-bad header: 1"],
        [b"x-nul: a\0b"],
    ],
)
async def test_a_frame_that_can_be_read_in_two_ways_is_refused(bench: Bench, path: str, headers: list[bytes]) -> None:
    # Whoever reads it the other way finds a second request in it.
    smuggled = sized(CHAT, json.dumps(chat()).encode())
    async with calling(bench) as caller:
        await caller.say(post(path, *headers, body=b"{}" + smuggled))
        assert_refused(await caller.answer(), path, 400, "invalid_request")
        assert await caller.hears_no_more()
    await bench.assert_untouched()


async def test_a_broken_chunk_ends_the_call_before_it_begins(bench: Bench) -> None:
    async with calling(bench) as caller:
        await caller.say(post(MESSAGES, b"transfer-encoding: chunked", body=b'2\r\n{"\r\n'))
        await asyncio.sleep(0.05)
        await caller.say(b"zz\r\n")
        assert_refused(await caller.answer(), MESSAGES, 400, "invalid_request")
        assert await caller.hears_no_more()
    await bench.assert_untouched()


async def test_what_follows_a_body_is_no_header(bench: Bench) -> None:
    body = json.dumps(chat()).encode()
    framed = b"%x\r\n%b\r\n0\r\n%b\r\n"
    keyless = b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" % CHAT.encode()
    async with calling(bench) as caller:
        await caller.say(keyless + framed % (len(body), body, KEY))
        assert (await caller.answer()).status == 401
    await bench.assert_untouched()
    async with calling(bench) as caller:
        other = b"x-api-key: another\r\nx-client-app: trailer\r\n"
        await caller.say(post(CHAT, b"transfer-encoding: chunked", body=framed % (len(body), body, other)))
        assert (await caller.answer()).status == 200
    assert (await bench.only_call()).client_app is None


@pytest.mark.parametrize("start", [b"2\r\n{}\r\n0\r\nx-large: ", b"2\r\n{}\r\n0\r\n", b"2;"])
async def test_what_is_no_body_does_not_go_on_for_ever(bench: Bench, start: bytes) -> None:
    filling = b"x: aaaaaaaaaa\r\n" if start.endswith(b"0\r\n") else b"a"
    async with calling(bench) as caller:
        await caller.say(post(CHAT, b"transfer-encoding: chunked", body=start))
        sending = asyncio.create_task(repeat(caller, filling * 4096, 0.001))
        assert_refused(await caller.answer(), CHAT, 431, "invalid_request")
        sending.cancel()
    await bench.assert_untouched()
    await assert_still_serves(bench)


async def test_bytes_behind_a_body_do_not_touch_its_call(bench: Bench) -> None:
    body = json.dumps(messages()).encode()
    async with calling(bench) as caller:
        await caller.say(sized(MESSAGES, body + b"\x00\x01 no request", len(body)))
        first, second = await caller.answer(), await caller.answer()
        assert await caller.hears_no_more()
    assert first.status == 200
    assert (second.status, second.headers["connection"]) == (400, "close")
    assert (await bench.only_call()).outcome == "ok"


async def test_what_is_no_http_gets_an_answer_all_the_same(bench: Bench) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET\r\n\r\n", b"\r\n\r\n\r\n!"):
        async with calling(bench) as caller:
            await caller.say(noise)
            answer = await caller.answer()
            assert (answer.status, answer.body["error"]["code"]) == (400, "invalid_request")
            assert await caller.hears_no_more()
    await assert_still_serves(bench)


async def repeat(caller: Caller, data: bytes, pause: float) -> None:
    try:
        while True:
            await caller.say(data)
            await asyncio.sleep(pause)
    except ConnectionError:
        return
