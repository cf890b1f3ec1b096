"""Streams that end otherwise than they should: by the caller, by the provider, by nobody."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes.http_server import Connection
from fakes.provider import Exchange, Outcome
from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    MESSAGE_END,
    MESSAGE_EVENTS,
    MESSAGE_START,
    STREAM_HEAD,
    completion,
    events,
    framed,
    message,
    named,
    never_answers,
    stalls,
    text_chunk,
    text_delta,
    typed,
    verbatim,
    whole,
)
from gateway.bench import CHAT, MESSAGES, Bench, chat, messages, running_bench
from sluicegate.domain.policy import Dimension
from sluicegate.gateway.answers import readable
from sluicegate.ports.upstream import RawHeaders

CALLS = [(CHAT, chat(stream=True)), (MESSAGES, messages(stream=True))]
FLOWED: dict[str, tuple[bytes, ...]] = {
    CHAT: (text_chunk("a" * 400),),
    MESSAGES: (MESSAGE_START, text_delta("a" * 400)),
}


@pytest.fixture(params=["by a task", "directly"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """Calls that find no idle connection to their provider are carried by a task, the others are not."""
    async with running_bench(tmp_path) as bench:
        if request.param == "directly":
            await bench.warm()
        yield bench


async def read_some(response: httpx.Response, size: int) -> bytes:
    """At least `size` bytes of a stream that may never end."""
    data = b""
    async for part in response.aiter_raw():
        data += part
        if len(data) >= size:
            break
    return data


class _Arrived:
    """An answer that is here already."""

    status = 200

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.headers = headers
        self._body = body

    def buffered(self) -> bytes | None:
        return self._body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def aclose(self) -> None:
        pass


# The caller leaves


@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_a_caller_who_leaves_pays_for_what_flowed(bench: Bench, path: str, body: dict[str, Any]) -> None:
    flowed = FLOWED[path]
    bench.provider.next(stalls(*flowed))
    async with bench.client.stream("POST", path, json=body) as response:
        await read_some(response, len(b"".join(flowed)))
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.status, record.estimated) == ("aborted", 200, True)
    assert record.output_tokens == 100
    if path == MESSAGES:
        assert (record.input_tokens, record.cache_read_tokens, record.cache_write_1h_tokens) == (11, 100, 2)
    else:
        assert record.input_tokens == len(json.dumps(body, separators=(",", ":"))) // 4
    assert record.cost_nanos >= 100 * 15_000


async def test_a_caller_who_leaves_just_before_the_end_pays_exactly(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS, pause=0.08))
    async with bench.client.stream("POST", MESSAGES, json=messages(stream=True)) as response:
        await read_some(response, len(b"".join(MESSAGE_EVENTS[:5])))
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("aborted", False, 17)


@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_leaving_after_the_last_event_is_no_abort(bench: Bench, path: str, body: dict[str, Any]) -> None:
    last = MESSAGE_EVENTS[-1] if path == MESSAGES else CHAT_DONE
    whole_stream = b"".join(MESSAGE_EVENTS) if path == MESSAGES else b"".join((*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE))
    bench.provider.next(stalls(whole_stream))
    async with bench.client.stream("POST", path, json=body) as response:
        data = await read_some(response, len(whole_stream) - len(CHAT_USAGE) if path == CHAT else len(whole_stream))
    assert data.endswith(last)
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("ok", False, 17)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_who_leaves_before_any_answer_pays_for_the_prompt(bench: Bench, stream: bool) -> None:
    bench.provider.next(never_answers)
    call = asyncio.create_task(bench.client.post(CHAT, json=chat(stream=stream)))
    await bench.until_asked(1)
    call.cancel()
    async with asyncio.timeout(10):
        assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.status, record.estimated) == ("aborted", 499, True)
    assert record.input_tokens > 0
    assert record.output_tokens == 0


async def test_a_caller_who_leaves_while_sending_was_never_there(bench: Bench) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: {bench.client.headers['authorization']}\r\n"
    writer.write(f"{head}content-length: 1000\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await asyncio.sleep(0.1)
    await bench.assert_untouched()


@pytest.mark.parametrize("warm", [False, True])
async def test_a_caller_who_stops_reading_is_let_go(tmp_path: Any, warm: bool) -> None:
    async with running_bench(tmp_path, stalled_seconds=0.5) as bench:
        if warm:
            await bench.warm()
        bench.provider.next(events(*[text_chunk("a" * 60_000)] * 400))
        _, writer = await asyncio.open_connection("127.0.0.1", bench.port, limit=1024)
        body = json.dumps(chat(stream=True))
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: {bench.client.headers['authorization']}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        await bench.until_asked(1)
        await bench.until_settled(10)
        record = await bench.only_call()
        assert record.outcome == "aborted"
        assert record.output_tokens > 0
        writer.transport.abort()


# The provider breaks off


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_a_cut_stream_ends_with_an_error_event(bench: Bench, path: str, body: dict[str, Any], ends: bool) -> None:
    flowed = FLOWED[path]
    bench.provider.next(events(*flowed, b"event: torn\ndata: {", pause=0.02, ends=ends))
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 200
    assert answer.content.startswith(b"".join(flowed))
    rest = answer.content.removeprefix(b"".join(flowed)).decode()
    if path == MESSAGES:
        assert rest.startswith("event: error\ndata: ")
        error = json.loads(rest.removeprefix("event: error\ndata: "))
        assert (error["type"], error["error"]["type"]) == ("error", "api_error")
        assert error["request_id"] == answer.headers["request-id"]
    else:
        error = json.loads(rest.removeprefix("data: "))["error"]
        assert (error["type"], error["code"]) == ("server_error", "upstream_unavailable")
    assert rest.endswith("\n\n")
    record = await bench.only_call()
    assert (record.outcome, record.status, record.estimated) == ("upstream_error", 200, True)
    assert record.output_tokens == 100


@pytest.mark.parametrize("packed", ["torn", "garbage"])
@pytest.mark.parametrize("members", [1, 2])
async def test_a_compressed_stream_that_breaks_off_ends_with_an_error_event_too(
    bench: Bench, packed: str, members: int
) -> None:
    """Also where it was asked for in one dialect and comes in another."""
    flowed = b"".join(FLOWED[CHAT])
    body = b"".join(gzip.compress(flowed) for _ in range(members))
    lie = typed(
        "text/event-stream", body[:-9] if packed == "torn" else body + b"\0" * 40, **{"content-encoding": "gzip"}
    )
    bench.provider.next(lie, lie)
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert answer.content.startswith(flowed * (members if packed == "garbage" else members - 1))
    assert json.loads(answer.text.rpartition("data: ")[2])["error"]["code"] == "upstream_unavailable"
    assert (await bench.only_call()).outcome == "upstream_error"
    answer = await bench.client.post(MESSAGES, json=messages(model="team-gpt", stream=True))
    assert "\nevent: error\n" in f"\n{answer.text}"
    await bench.assert_settled()


async def test_a_compressed_stream_that_unpacks_without_end_is_passed_on_in_small_pieces(bench: Bench) -> None:
    deflate = zlib.compressobj(wbits=31)
    line = text_chunk("word ") * 50
    pieces = [deflate.compress(line * 400) for _ in range(100)]
    packed = b"".join(pieces) + deflate.flush()
    assert len(packed) < 2_000_000
    bench.provider.next(typed("text/event-stream", packed, **{"content-encoding": "gzip"}))
    async with bench.client.stream("POST", CHAT, json=chat(stream=True)) as response:
        async for part in response.aiter_raw():
            assert len(part) <= 1_100_000
            break
    await bench.until_settled(10)
    assert (await bench.only_call()).outcome == "aborted"


async def test_a_stream_that_unpacks_without_end_lets_others_run_between_its_pieces() -> None:
    deflate = zlib.compressobj(wbits=31)
    packed = deflate.compress(bytes(20_000_000)) + deflate.flush()
    stream, turns, pieces = readable(_Arrived([(b"content-encoding", b"gzip")], packed)), 0, 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    while await stream.read():
        pieces += 1
    running.cancel()
    assert pieces > 10
    assert turns >= pieces


async def test_a_cut_after_the_usage_is_billed_exactly(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS[:-1], pause=0.02, ends=False))
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    assert b"event: error" in answer.content
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("upstream_error", False, 17)


async def test_a_chat_stream_may_end_without_its_marker(bench: Bench) -> None:
    bench.provider.next(events(*CHAT_EVENTS, CHAT_USAGE))
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert answer.content == b"".join(CHAT_EVENTS)
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("ok", False, 17)


async def test_a_last_event_without_an_empty_line_still_counts(bench: Bench) -> None:
    bench.provider.next(events(*CHAT_EVENTS, CHAT_USAGE, b"data: [DONE]"))
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert answer.content.endswith(b"data: [DONE]")
    assert (await bench.only_call()).outcome == "ok"


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        (MESSAGES, messages(stream=True), named("error", error={"type": "overloaded_error", "message": "busy"})),
        (CHAT, chat(stream=True), b'data: {"error": {"message": "busy", "type": "server_error"}}\n\n'),
    ],
)
async def test_an_error_inside_a_stream_passes_as_it_is(
    bench: Bench, path: str, body: dict[str, Any], event: bytes
) -> None:
    bench.provider.next(events(*FLOWED[path], event))
    answer = await bench.client.post(path, json=body)
    assert answer.content == b"".join(FLOWED[path]) + event
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("upstream_error", True, 100)


async def test_missing_usage_is_estimated_from_the_text(bench: Bench) -> None:
    bench.provider.next(events(text_chunk("a" * 400), *CHAT_EVENTS[1:], CHAT_DONE))
    await bench.client.post(CHAT, json=chat(stream=True))
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("ok", True, 102)


@pytest.mark.parametrize("warm", [False, True])
async def test_a_silent_provider_is_given_up(tmp_path: Any, warm: bool) -> None:
    async with running_bench(tmp_path, idle_timeout=0.3, first_byte_timeout=0.3) as bench:
        if warm:
            await bench.warm()
        bench.provider.next(stalls(*FLOWED[MESSAGES]), never_answers)
        answer = await bench.client.post(MESSAGES, json=messages(stream=True))
        assert b"event: error" in answer.content
        assert (await bench.only_call()).outcome == "upstream_error"
        answer = await bench.client.post(MESSAGES, json=messages())
        assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
        newest = (await bench.ledger())[0]
        assert (newest.outcome, newest.status, newest.cost_nanos) == ("unreachable", 504, 0)
        await bench.assert_settled()


async def test_a_stream_without_end_stays_small_and_stops_with_its_caller(bench: Bench) -> None:
    async def endless(connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        while True:
            await connection.write(framed(text_chunk("word ") * 50))
            await asyncio.sleep(0)

    bench.provider.next(endless)
    async with bench.client.stream("POST", CHAT, json=chat(stream=True)) as response:
        await read_some(response, 3_000_000)
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("aborted", True)
    assert record.output_tokens > 10_000


async def test_an_event_without_end_is_not_held_for_ever(bench: Bench) -> None:
    huge = b"data: " + b"x" * 3_000_000
    bench.provider.next(events(MESSAGE_START, huge, b"\n\n", *MESSAGE_END))
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    assert answer.content == MESSAGE_START + huge + b"\n\n" + b"".join(MESSAGE_END)
    assert (await bench.only_call()).output_tokens == 17


async def test_the_first_event_does_not_wait_for_the_next(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS, pause=5.0))
    started = time.monotonic()
    async with bench.client.stream("POST", MESSAGES, json=messages(stream=True)) as response:
        assert await read_some(response, 1) == MESSAGE_START
    assert time.monotonic() - started < 4.5
    await bench.until_settled()


# The provider lies


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>Sign in</html>"),
        ("application/json", b"<html>Sign in</html>"),
        ("application/json", b'{"choices": ['),
        ("application/json", b"[1, 2]"),
        ("text/plain", b""),
    ],
)
async def test_an_answer_that_is_no_json_is_not_passed_on(bench: Bench, kind: str, body: bytes, stream: bool) -> None:
    bench.provider.next(*[typed(kind, body)] * 2)
    answer = await bench.client.post(CHAT, json=chat(stream=stream))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos, record.estimated) == ("upstream_error", 502, 0, True)
    answer = await bench.client.post(MESSAGES, json=messages(stream=stream))
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert await bench.used(Dimension.OUTPUT_TOKENS) == 0
    await bench.assert_settled()


async def test_json_though_a_stream_was_asked_for_is_passed_and_metered(bench: Bench) -> None:
    bench.provider.next(whole(completion()))
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert answer.json() == completion()
    assert (await bench.only_call()).output_tokens == 17


async def test_a_stream_though_none_was_asked_for_is_passed_and_metered(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert answer.content == b"".join(MESSAGE_EVENTS)
    assert (await bench.only_call()).output_tokens == 17


@pytest.mark.parametrize("headers", [{"location": "http://127.0.0.1:1/"}, {"content-encoding": "br"}])
async def test_redirects_and_codings_that_were_not_asked_for_are_not_passed_on(
    bench: Bench, headers: dict[str, str]
) -> None:
    bench.provider.next(whole(message(), 302 if "location" in headers else 200, **headers))
    answer = await bench.client.post(MESSAGES, json=messages(), follow_redirects=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert (await bench.only_call()).cost_nanos == 0


async def test_a_whole_answer_that_breaks_off_is_not_passed_on(bench: Bench) -> None:
    half = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"id": '
    bench.provider.next(verbatim(half, breaks_off=True))
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    record = await bench.only_call()
    assert (record.outcome, record.cost_nanos) == ("upstream_error", 0)
