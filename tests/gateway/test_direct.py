"""Calls that the server hands to the gateway without ASGI: callers and the ledger see what they would see with it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.provider import Answer, Outcome, Step
from fakes.script import UsageFault, broken_json, html_page, rate_limited
from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    STREAM_HEAD,
    events,
    framed,
    never_answers,
    stalls,
    text_chunk,
    verbatim,
)
from gateway.bench import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GENERATE,
    MESSAGES,
    NOW,
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
from sluicegate.domain.apikey import NewCredential
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.usage import CallRecord

_ID = re.compile(r"[a-z]+[-_][0-9A-Za-z]{16,}|[0-9a-f-]{24,36}|(?<=\"created\":)[0-9]+")
_OWN = {"date", "content-length", "x-request-id", "request-id", "x-upstream-request-id"}


def request_of(bench: Bench, body: Any, path: str = CHAT, key: str | None = None, extra: str = "") -> bytes:
    """As it stands on the wire."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    bearer = bench.client.headers["authorization"] if key is None else f"Bearer {key}"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\n{extra}content-length: {len(sent)}\r\n\r\n"
    return head.encode() + sent


@asynccontextmanager
async def connected(bench: Bench) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_on(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")[1:-2]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(head.split(" ")[1]), fields, await reader.readexactly(int(fields["content-length"]))


async def warmed(bench: Bench) -> None:
    """A first call of each kind: from now on connections to the provider are idle, and whose key it is is known."""
    for path, body in ((CHAT, chat()), (MESSAGES, messages())):
        assert (await bench.client.post(path, json=body)).status_code == 200


async def revoke(bench: Bench) -> None:
    """The key that `bench.client` uses."""
    async with bench.container.store.write() as tx:
        await tx.keys.revoke("key-1", NOW)
        tx.changed(PolicyChange(ChangeKind.KEY, "key-1"))


async def until_deaf(bench: Bench) -> None:
    """Until nobody can connect any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                async with connected(bench):
                    await asyncio.sleep(0.01)
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                # It waited to be accepted when the server stopped listening.
                continue


CALLS = [
    (CHAT, chat()),
    (CHAT, chat(stream=True)),
    (f"{CHAT}?a=1", chat()),
    (MESSAGES, messages()),
    (MESSAGES, messages(stream=True)),
    (RESPONSES, responses()),
    (EMBEDDINGS, embeddings()),
    (GENERATE, contents()),
    (CHAT, chat(model="team-claude")),
    (MESSAGES, messages(model="team-gpt")),
]
STREAMS = [
    (CHAT, chat(stream=True)),
    (MESSAGES, messages(stream=True)),
    (RESPONSES, responses(stream=True)),
    (COMPLETIONS, completions(stream=True)),
    (STREAM, contents()),
    (CHAT, chat(model="team-claude", stream=True)),
    (MESSAGES, messages(model="team-gpt", stream=True)),
]
# More than is kept of an answer until it is whole.
LARGE = json.dumps({"choices": [{"message": {"content": "word " * 60_000}}], "usage": None}).encode()
STEPS = [
    Step(status=500),
    Step(status=400),
    rate_limited(7),
    Step(status=302, headers={"location": "http://elsewhere.invalid"}),
    Step(gzip=True),
    Step(headers={"content-encoding": "br"}),
    html_page(),
    broken_json(),
    Step(cut_after=40),
    Step(hang_up=True),
    Step(stall_after=0.05),
    Step(split=40),
    Step(split=40, framing="chunked"),
    Step(split=40, framing="close"),
    Step(split=40, cut_after=200),
    Step(split=40, gzip=True),
    Step(split=40, status=429),
    Step(framing="chunked"),
    Step(framing="close"),
    Step(body=LARGE, split=30_000, headers={"content-type": "application/json"}),
    Step(body=b'{"choices":[],"usage":null}', headers={"content-type": "application/json"}),
]
STREAM_STEPS = [
    *STEPS,
    Step(cut_after=1),
    Step(cut_after=400),
    Step(cut_after=400, reset=True),
    Step(split=1),
    Step(split=7),
    Step(crlf=True),
    Step(gzip=True, split=9),
    Step(body=b"", headers={"content-type": "text/event-stream"}),
    Step(body=b"data: [DONE]\n\n", headers={"content-type": "text/event-stream"}),
    Step(status=204, body=b"", headers={"content-type": "text/event-stream"}),
    Step(status=201, body=b"data: {}\n\n", headers={"content-type": "text/event-stream"}),
    Step(status=404, body=b"data: {}\n\n", headers={"content-type": "text/event-stream"}),
    *(Step(usage=fault) for fault in UsageFault),
]
WRITTEN = [
    events(*CHAT_EVENTS, CHAT_USAGE),
    events(*CHAT_EVENTS, CHAT_USAGE, b"data: [DONE]"),
    events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE, b": and more\n\n"),
    events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE, b": and more\n\n", pause=0.02),
    events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE, pause=0.02, ends=False),
    events(*CHAT_EVENTS, b"data: torn", pause=0.02, ends=False),
    events(*CHAT_EVENTS[:1], b'data: {"error": {"message": "busy", "type": "server_error"}}\n\n'),
    events(b"data: " + b"word " * 60_000, b"\n\n", *CHAT_EVENTS, CHAT_USAGE, CHAT_DONE),
    events(*[text_chunk("word " * 12_000)] * 20, CHAT_USAGE, CHAT_DONE),
    stalls(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE),
    verbatim(STREAM_HEAD + framed(CHAT_EVENTS[0]) + b"no chunk\r\n"),
    verbatim(STREAM_HEAD + framed(CHAT_EVENTS[0] + CHAT_USAGE + CHAT_DONE) + b"no chunk\r\n"),
    verbatim(STREAM_HEAD, breaks_off=True),
]
STREAM_CALLS: list[tuple[str, Any, Step | Answer]] = [
    *((path, body, step) for path, body in STREAMS[:2] for step in STREAM_STEPS),
    *((path, body, Step(split=40)) for path, body in STREAMS),
    *((path, body, step) for path, body in (STREAMS[0], STREAMS[-1]) for step in WRITTEN),
]
REFUSED: list[tuple[str, Any]] = [
    (CHAT, b""),
    (CHAT, b"{"),
    (CHAT, b"[]"),
    (CHAT, chat(model="secret-model")),
    (CHAT, chat(model="unheard-of")),
    (CHAT, {"messages": []}),
    (EMBEDDINGS, embeddings(model="team-gpt")),
    (MESSAGES, messages(model="team-embed")),
    ("/v1/nothing", chat()),
]


def told(record: CallRecord) -> CallRecord:
    """A row without what differs from call to call."""
    same = {"call_id": "", "started_ms": 0, "finished_ms": 0, "first_byte_ms": None}
    names = {"user_id": "", "key_id": "", "provider_id": "", "price_list_id": ""}
    return CallRecord(*(({**same, **names}).get(f, getattr(record, f)) for f in record.__struct_fields__))


async def seen(bench: Bench, path: str, body: Any, step: Step | Answer | None = None) -> tuple[Any, ...]:
    """What a caller gets: status, the headers that do not differ from call to call, the body."""
    if step is not None:
        bench.provider.next(step)
    answer = await bench.client.post(path, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    fields = {name: value for name, value in answer.headers.items() if name not in _OWN}
    text = _ID.sub("<id>", answer.text)
    return answer.status_code, {n: v for n, v in fields.items() if not n.startswith("x-ratelimit")}, text


async def same_either_way(folder: Path, play: Callable[[Bench], Awaitable[list[Any]]]) -> int:
    """Asserts that what `play` is told and what the ledger has of it are the same with ASGI and without; gives how many
    calls the ledger has."""
    found: list[tuple[list[Any], list[CallRecord]]] = []
    for direct in (True, False):
        own = folder / str(direct)
        own.mkdir()
        async with running_bench(own, direct=direct) as bench:
            answers = await play(bench)
            found.append((answers, [told(record) for record in reversed(await bench.ledger())]))
            await bench.assert_settled()
    (answers, ledger), (expected, expected_ledger) = found
    for number, pair in enumerate(zip(answers, expected, strict=True)):
        assert pair[0] == pair[1], number
    assert ledger == expected_ledger
    return len(ledger)


async def test_nothing_tells_a_call_without_asgi_from_one_with_it(tmp_path: Path) -> None:
    async def play(bench: Bench) -> list[Any]:
        await warmed(bench)
        answers = [await seen(bench, path, body) for path, body in CALLS]
        answers += [await seen(bench, CHAT, chat(), step) for step in STEPS]
        return answers + [await seen(bench, path, body) for path, body in REFUSED]

    assert await same_either_way(tmp_path, play) == 2 + len(CALLS) + len(STEPS)


async def test_nothing_tells_a_stream_without_asgi_from_one_with_it(tmp_path: Path) -> None:
    async def play(bench: Bench) -> list[Any]:
        answers: list[Any] = []
        for path, body, step in STREAM_CALLS:
            # What failed has cost its connection.
            await bench.warm()
            answers.append(await seen(bench, path, body, step))
        return answers

    assert await same_either_way(tmp_path, play) == len(STREAM_CALLS)


async def test_answers_and_streams_go_without_asgi(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await warmed(bench)
    loop = asyncio.get_running_loop()
    made: list[str] = []
    plain = loop.create_task

    def noted(work: Any, **values: Any) -> Any:
        made.append(getattr(work, "__qualname__", ""))
        return plain(work, **values)

    monkeypatch.setattr(loop, "create_task", noted)
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    assert (await bench.client.post(CHAT, json=chat(model="secret-model"))).status_code == 403
    assert (await bench.client.post(CHAT, json=chat(user="u" * 200_000))).status_code == 200
    bench.provider.next(Step(split=40), Step(stall_after=0.02))
    for _ in range(2):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    assert not [name for name in made if "run_asgi" in name]
    for path, body in STREAMS:
        assert (await bench.client.post(path, json=body)).status_code == 200
    assert not [name for name in made if "run_asgi" in name]
    bench.provider.next(Step(gzip=True))
    assert (await bench.client.post(CHAT, json=chat(stream=True))).status_code == 200
    assert [name for name in made if "run_asgi" in name]


async def test_a_connection_that_the_provider_closed_meanwhile_costs_nothing(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(Step(hang_up=True))
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 200
    assert len(await bench.ledger()) == 3
    await bench.assert_settled()


@pytest.mark.parametrize("step", [never_answers, Step(stall_after=60)])
async def test_a_caller_who_leaves_before_the_answer_pays_for_the_prompt(bench: Bench, step: Step | Answer) -> None:
    await warmed(bench)
    bench.provider.next(step)
    async with connected(bench) as (_, writer):
        writer.write(request_of(bench, chat()))
        await writer.drain()
        await bench.until_asked(3)
        # Until a head, where there is one, is here.
        await asyncio.sleep(0.05)
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = max(await bench.ledger(), key=lambda r: r.call_id)
    assert (record.outcome, record.status, record.estimated) == ("aborted", 499, True)
    await bench.assert_settled()


async def test_a_provider_that_does_not_begin_to_answer_is_given_up(tmp_path: Path) -> None:
    async with running_bench(tmp_path, first_byte_timeout=0.3) as bench:
        await warmed(bench)
        bench.provider.next(never_answers)
        answer = await bench.client.post(CHAT, json=chat())
        assert answer.status_code == 504
        record = max(await bench.ledger(), key=lambda r: r.call_id)
        assert (record.outcome, record.status) == ("unreachable", 504)
        await bench.assert_settled()


async def test_calls_that_were_sent_ahead_are_answered_in_their_order(bench: Bench) -> None:
    await warmed(bench)
    slow = Step(stall_before=0.1)
    bench.provider.next(slow, Step(), slow)
    async with connected(bench) as (reader, writer):
        ahead = [chat(), chat(model="secret-model"), chat(), chat(stream=False)]
        writer.write(b"".join(request_of(bench, body) for body in ahead))
        assert [(await answer_on(reader))[0] for _ in ahead] == [200, 403, 200, 200]
    await bench.until_settled()
    assert len(await bench.ledger()) == 5


async def test_what_follows_a_call_and_is_no_request_is_told_so_after_the_answer(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(Step(stall_before=0.1))
    async with connected(bench) as (reader, writer):
        writer.write(request_of(bench, chat()) + b"?? nonsense\r\n\r\n")
        assert [(await answer_on(reader))[0] for _ in range(2)] == [200, 400]
        assert await reader.read() == b""


async def test_a_call_may_come_in_pieces(bench: Bench) -> None:
    await warmed(bench)
    whole = request_of(bench, chat())
    async with connected(bench) as (reader, writer):
        for size in (1, 40, len(whole) - 30, len(whole)):
            for start in range(0, len(whole), size) if size > 1 else (0,):
                writer.write(whole[start : start + size] if size > 1 else whole)
                await writer.drain()
                await asyncio.sleep(0.005)
            assert (await answer_on(reader))[0] == 200


async def test_a_head_that_comes_again_brings_each_time_its_own_body(bench: Bench) -> None:
    await warmed(bench)
    sizes = [1, 2, 900, 9, 90_000, 3, 120_000, 4]
    async with connected(bench) as (reader, writer):
        for size in sizes:
            writer.write(request_of(bench, chat(user="u" * size)))
            assert (await answer_on(reader))[0] == 200
        for body, status in ((chat(model="secret-model"), 403), (b"{", 400), (chat(), 200)):
            writer.write(request_of(bench, body))
            assert (await answer_on(reader))[0] == status
        # What came after a head that is known is still read as it stands.
        writer.write(request_of(bench, chat()) + request_of(bench, chat(user="ahead")))
        assert [(await answer_on(reader))[0] for _ in range(2)] == [200, 200]
        whole = request_of(bench, chat(user="in two parts"))
        writer.write(whole[:-5])
        await asyncio.sleep(0.02)
        writer.write(whole[-5:])
        assert (await answer_on(reader))[0] == 200
    said = [str(entry.json.get("user", "")) for entry in bench.provider.log][2:]
    assert [len(user) for user in said] == [*sizes, 0, 0, 5, 12]
    await bench.assert_settled()


async def test_a_head_that_comes_again_may_ask_for_a_stream(bench: Bench) -> None:
    await warmed(bench)
    async with connected(bench) as (reader, writer):
        for _ in range(3):
            writer.write(request_of(bench, chat()))
            assert (await answer_on(reader))[0] == 200
            writer.write(request_of(bench, chat(stream=True)))
            assert b"[DONE]" in await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 10)
    await bench.until_settled()
    assert [row.stream for row in await bench.ledger()].count(True) == 3


@pytest.mark.parametrize("size", [70_000, 99_000, 200_000, 300_000, 2_000_000])
async def test_bodies_of_any_size_are_taken(bench: Bench, size: int) -> None:
    await warmed(bench)
    body = chat(messages=[{"role": "user", "content": "x" * size}])
    assert (await bench.client.post(CHAT, json=body)).status_code == 200
    assert bench.provider.log[-1].json["messages"] == body["messages"]
    await bench.assert_settled()


async def test_large_bodies_are_not_read_before_their_key_is_known(bench: Bench) -> None:
    await warmed(bench)
    whole = request_of(bench, chat(user="u" * 5_000_000), key="sg-nonsense")
    async with connected(bench) as (reader, writer):
        writer.write(whole[:200_000])
        assert (await answer_on(reader))[0] == 401


async def test_a_key_that_is_revoked_while_a_large_body_comes_opens_nothing(bench: Bench) -> None:
    await warmed(bench)
    async with connected(bench) as (reader, writer):
        whole = request_of(bench, chat(user="u" * 500_000))
        writer.write(whole[:200_000])
        await writer.drain()
        await asyncio.sleep(0.05)
        await revoke(bench)
        writer.write(whole[200_000:])
        assert (await answer_on(reader))[0] == 401
    assert len(bench.provider.log) == 2


async def test_a_body_above_the_bound_is_refused(tmp_path: Path) -> None:
    async with running_bench(tmp_path, max_body_bytes=1024) as bench:
        await warmed(bench)
        answer = await bench.client.post(CHAT, json=chat(user="x" * 2000))
        assert answer.status_code == 413


@pytest.mark.parametrize("extra", ["connection: close\r\n", "expect: 100-continue\r\n"])
async def test_callers_who_want_more_than_a_call_get_it(bench: Bench, extra: str) -> None:
    await warmed(bench)
    async with connected(bench) as (reader, writer):
        writer.write(request_of(bench, chat(), extra=extra))
        if extra.startswith("expect"):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert (await answer_on(reader))[0] == 200
        else:
            assert (await answer_on(reader))[1]["connection"] == "close"
            assert await reader.read() == b""


async def test_two_keys_on_one_connection_are_two_callers(bench: Bench) -> None:
    await warmed(bench)
    other: NewCredential = await bench.add_key(name="second")
    async with connected(bench) as (reader, writer):
        for key in (None, other.text, None, other.text, "sg-nonsense"):
            writer.write(request_of(bench, chat(), key=key, extra="x-project: atlas\r\n" if key else ""))
            assert (await answer_on(reader))[0] == (401 if key == "sg-nonsense" else 200)
    rows = sorted(await bench.ledger(), key=lambda r: r.call_id)[2:]
    assert [row.key_label.partition(" ")[0] for row in rows] == ["laptop", "second", "laptop", "second"]
    assert [row.project for row in rows] == [None, "atlas", None, "atlas"]


async def test_a_key_that_is_revoked_opens_nothing_on_connections_that_used_it(bench: Bench) -> None:
    await warmed(bench)
    async with connected(bench) as (reader, writer):
        writer.write(request_of(bench, chat()))
        assert (await answer_on(reader))[0] == 200
        await revoke(bench)
        writer.write(request_of(bench, chat()))
        status, _, body = await answer_on(reader)
    assert (status, json.loads(body)["error"]["code"]) == (401, "key_revoked")
    assert len(await bench.ledger()) == 3


async def test_a_call_that_no_task_carries_gets_its_answer_though_the_server_stops(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(Step(stall_before=1.0))
    async with connected(bench) as (reader, writer):
        writer.write(request_of(bench, chat()))
        await bench.until_asked(3)
        bench.server.should_exit = True
        await until_deaf(bench)
        status, fields, _ = await answer_on(reader)
        assert (status, fields["connection"]) == (200, "close")
        assert await reader.read() == b""
    await bench.assert_settled()


async def test_calls_that_no_task_carries_are_settled_when_the_server_stops(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(never_answers)
    async with connected(bench) as (_, writer):
        writer.write(request_of(bench, chat()))
        await bench.until_asked(3)
        bench.container.gateway.break_off()
        assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
        record = max(await bench.ledger(), key=lambda r: r.call_id)
        assert (record.outcome, record.status, record.estimated) == ("aborted", 499, True)
        await bench.assert_settled()
