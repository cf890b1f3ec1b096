"""However a call ends, and whoever ends it, it is in the ledger once and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.http_server import Connection
from fakes.provider import Answer, Exchange, Outcome
from fakes.wire import CHAT_EVENTS, framed, never_answers, stalls, typed, verbatim, whole
from gateway.bench import (
    CHAT,
    COMPLETIONS,
    CREDENTIAL,
    EMBEDDINGS,
    GENERATE,
    MESSAGES,
    RESPONSES,
    STREAM,
    Bench,
    chat,
    completions,
    contents,
    embeddings,
    messages,
    responses,
    running_bench,
)
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter

OK_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def leaving_nothing(bench: Bench) -> AsyncIterator[None]:
    """Whatever happens inside: afterwards there are as many tasks as before, no provider is kept waiting, and nothing
    is held."""
    await bench.client.post(CHAT, json=chat())
    await asyncio.sleep(0.05)
    before = tasks_of(bench)
    yield
    await bench.until_settled(10)
    async with asyncio.timeout(10):
        while tasks_of(bench) > before or any(e.outcome is Outcome.OPEN for e in bench.provider.log):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await bench.assert_settled()


def tasks_of(bench: Bench) -> int:
    """Without those of the provider, which has one for each connection that the gateway keeps for its next call."""
    return len(asyncio.all_tasks()) - bench.provider.open_connections


async def call_of(bench: Bench) -> tuple[str, int, int]:
    """Outcome, status and cost of the one call beside the first, which was only there to open a connection."""
    records = await bench.ledger()
    assert len(records) == 2, records
    return records[0].outcome, records[0].status, records[0].cost_nanos


# The provider misbehaves


async def endless_head(connection: Connection, exchange: Exchange) -> None:
    await connection.write(OK_HEAD)
    while True:
        await connection.write(b"x-more: " + b"a" * 1000 + b"\r\n")


async def endless_interim(connection: Connection, exchange: Exchange) -> None:
    while True:
        await connection.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")


async def endless_body(connection: Connection, exchange: Exchange) -> None:
    await connection.write(OK_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        await connection.write(framed(b" " * 1_000_000))


too_long = verbatim(OK_HEAD + b"content-length: 5\r\n\r\n" + json.dumps({"choices": []}).encode())
PROVIDERS: list[Answer] = [
    endless_head,
    endless_interim,
    endless_body,
    # A length that is longer than the body, shorter, no number, or two of them.
    verbatim(OK_HEAD + b"content-length: 5000\r\n\r\n{}", breaks_off=True),
    too_long,
    verbatim(OK_HEAD + b"content-length: many\r\n\r\n{}"),
    verbatim(OK_HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    verbatim(OK_HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    verbatim(OK_HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}"),
    verbatim(OK_HEAD, breaks_off=True),
    verbatim(b"no HTTP at all\r\n\r\n"),
    # Two types, both wrong; and answers that switch, are empty, point elsewhere or cannot be read.
    verbatim(OK_HEAD + b"content-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>"),
    verbatim(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    verbatim(b"HTTP/1.1 204 No Content\r\n\r\n"),
    whole({}, 307, location="http://127.0.0.1:1/"),
    typed("application/json", b"{}", **{"content-encoding": "br"}),
    typed("application/json", b"{}", **{"content-encoding": "gzip"}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("answer", PROVIDERS)
async def test_an_answer_that_cannot_be_is_one_call_that_failed(bench: Bench, answer: Answer, stream: bool) -> None:
    async with leaving_nothing(bench):
        bench.provider.next(answer)
        got = await bench.client.post(CHAT, json=chat(stream=stream))
        assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert (await call_of(bench))[1:] == (502, 0)


def code_in(answer: Any) -> str:
    """The error's code, from where the dialect of the answer has it."""
    error = answer["error"]
    return error["details"][0]["reason"] if "details" in error and "status" in error else error["code"]


# Each with the status and the keys that its clients look for.
CALLS = [
    (CHAT, chat(stream=True), {"error"}),
    (RESPONSES, responses(stream=True), {"error"}),
    (COMPLETIONS, completions(), {"error"}),
    (EMBEDDINGS, embeddings(), {"error"}),
    (MESSAGES, messages(stream=True), {"type", "error", "request_id"}),
    # Translated on the way there and back.
    (MESSAGES, messages(model="team-gpt"), {"type", "error", "request_id"}),
    (CHAT, chat(model="team-claude", stream=True), {"error"}),
    (GENERATE, contents(), {"error"}),
    (STREAM, contents(), {"error"}),
]


@pytest.mark.parametrize(
    ("path", "body", "shape", "client"),
    [*((*call, "native") for call in CALLS), (*CALLS[0], "httpx"), (*CALLS[4], "httpx")],
)
async def test_every_dialect_is_told_so_whichever_client_asked_the_provider(
    tmp_path: Path, path: str, body: dict[str, Any], shape: set[str], client: str
) -> None:
    # A chunk of 2^68 bytes is an answer that never ends to a client that would take it.
    async with running_bench(tmp_path, upstream_client=client, idle_timeout=2.0) as bench:
        lies = [answer for answer in PROVIDERS if answer is not endless_body]
        async with leaving_nothing(bench):
            for answer in lies:
                bench.provider.next(answer)
                got = await bench.client.post(path, json=body)
                assert (got.status_code, set(got.json())) == (502, shape)
                assert code_in(got.json()) == "upstream_unavailable"
                assert "sk-" not in got.text
                assert str(bench.provider.port) not in got.text
                # A provider that mostly tells the truth is not given a rest.
                for _ in range(2):
                    assert (await bench.client.post(path, json=body)).status_code == 200
        records = [record for record in await bench.ledger() if record.status != 200]
        assert [(record.status, record.cost_nanos) for record in records] == [(502, 0)] * len(lies)
        # None of the connections that carried a lie is kept for a call that comes later.
        async with asyncio.timeout(5):
            while bench.provider.open_connections > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200


@pytest.mark.parametrize("answer", PROVIDERS)
async def test_a_count_that_cannot_be_is_refused_too(bench: Bench, answer: Answer) -> None:
    async with leaving_nothing(bench):
        bench.provider.next(answer)
        got = await bench.client.post(f"{MESSAGES}/count_tokens", json=messages())
        assert (got.status_code, got.json()["error"]["type"]) == (502, "api_error")
        assert "location" not in got.headers
    assert len(await bench.ledger()) == 1


# The caller vanishes


Vanish = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def request(path: str, body: dict[str, Any], *, cut: int = 0) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CREDENTIAL.text}\r\n"
    whole = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
    return whole[:-cut] if cut else whole


async def vanish(bench: Bench, said: bytes, until: Callable[[asyncio.StreamReader], Awaitable[Any]], how: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(said)
    await writer.drain()
    await until(reader)
    if how == "reset":
        writer.transport.abort()
    elif how == "half":
        writer.write_eof()
        await asyncio.sleep(0.1)
        writer.close()
    else:
        writer.close()


@pytest.mark.parametrize("how", ["close", "reset", "half"])
@pytest.mark.parametrize("cut", [1, 20])
async def test_before_the_end_of_the_request_there_was_no_call(bench: Bench, how: str, cut: int) -> None:
    async with leaving_nothing(bench):
        for path, body in ((CHAT, chat()), (MESSAGES, messages(stream=True))):
            await vanish(bench, request(path, body, cut=cut), lambda _: asyncio.sleep(0.05), how)
        await asyncio.sleep(0.1)
    assert len(await bench.ledger()) == len(bench.provider.log) == 1


@pytest.mark.parametrize("how", ["close", "reset", "half"])
@pytest.mark.parametrize("stream", [False, True])
async def test_before_the_provider_answers(bench: Bench, how: str, stream: bool) -> None:
    async with leaving_nothing(bench):
        bench.provider.next(never_answers)

        async def provider_has_it(_: asyncio.StreamReader) -> None:
            while len(bench.provider.log) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        await vanish(bench, request(CHAT, chat(stream=stream)), provider_has_it, how)
    outcome, status, cost = await call_of(bench)
    assert (outcome, status) == ("aborted", 499)
    assert cost > 0


@pytest.mark.parametrize("how", ["close", "reset", "half"])
async def test_in_the_middle_of_a_stream(bench: Bench, how: str) -> None:
    async with leaving_nothing(bench):
        bench.provider.next(stalls(*CHAT_EVENTS[:1]))
        await vanish(bench, request(CHAT, chat(stream=True)), lambda r: r.readuntil(b"hello"), how)
    outcome, status, cost = await call_of(bench)
    assert (outcome, status) == ("aborted", 200)
    assert cost > 0


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_in_the_middle_of_a_whole_answer(bench: Bench, how: str) -> None:
    slow = verbatim(OK_HEAD + b"content-length: 5000\r\n\r\n{")
    async with leaving_nothing(bench):
        bench.provider.next(slow)
        await vanish(bench, request(CHAT, chat()), lambda _: asyncio.sleep(0.4), how)
    assert (await call_of(bench))[:2] == ("aborted", 499)


async def test_at_any_moment(bench: Bench) -> None:
    """Each call is in the ledger once if a provider has seen it, and perhaps once if it only was on its way there."""
    async with leaving_nothing(bench):
        said = request(CHAT, chat(stream=True))
        for number in range(60):
            await vanish(
                bench, said, lambda _, n=number: asyncio.sleep(n % 12 * 0.0005), "reset" if number % 2 else "close"
            )
    records = await bench.ledger()
    assert len({record.call_id for record in records}) == len(records)
    assert len(records) >= len(bench.provider.log)
    await bench.assert_settled()


# Many at once


async def answered(bench: Bench) -> float:
    """How many seconds a call takes."""
    started = time.monotonic()
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    return time.monotonic() - started


@pytest.mark.slow
async def test_a_thousand_streams_in_silence_hold_nobody_up(tmp_path: Path) -> None:
    async with running_bench(tmp_path) as bench:
        alone = sorted([await answered(bench) for _ in range(50)])[25]
        bench.provider.next(*[stalls(*CHAT_EVENTS[:1])] * 1000)
        said = request(CHAT, chat(stream=True))

        async def listen() -> asyncio.StreamWriter:
            reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
            writer.write(said)
            await reader.readuntil(b"hello")
            return writer

        listeners = [one for _ in range(20) for one in await asyncio.gather(*(listen() for _ in range(50)))]
        assert bench.container.gateway.calls_in_flight == 1000
        took = [await answered(bench) for _ in range(50)]
        # Half of them in about the time that they take alone, and none behind the thousand.
        assert sorted(took)[25] < max(0.1, 10 * alone)
        assert max(took) < 5.0
        for listener in listeners:
            listener.close()
        await bench.until_settled(30)
        await bench.assert_settled()
        await bench.container.journal.flush()
        totals = await bench.container.usage_reader.calls(CallFilter(), PageRequest(first=2000))
        assert Counter(record.outcome for record, _ in totals.items) == {"aborted": 1000, "ok": 100}
