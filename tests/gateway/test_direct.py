"""Calls that the server hands to the gateway without ASGI: callers and the ledger see what they would see with it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.provider import Outcome, Step
from fakes.script import broken_json, html_page, rate_limited
from fakes.wire import never_answers
from gateway.bench import (
    CHAT,
    EMBEDDINGS,
    GENERATE,
    MESSAGES,
    NOW,
    RESPONSES,
    Bench,
    chat,
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
    Step(framing="chunked"),
    Step(framing="close"),
    Step(body=b'{"choices":[],"usage":null}', headers={"content-type": "application/json"}),
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


async def seen(bench: Bench, path: str, body: Any, step: Step | None = None) -> tuple[Any, ...]:
    """What a caller gets: status, the headers that do not differ from call to call, the body."""
    if step is not None:
        bench.provider.next(step)
    answer = await bench.client.post(path, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    fields = {name: value for name, value in answer.headers.items() if name not in _OWN}
    text = _ID.sub("<id>", answer.text)
    return answer.status_code, {n: v for n, v in fields.items() if not n.startswith("x-ratelimit")}, text


async def test_nothing_tells_a_call_without_asgi_from_one_with_it(tmp_path: Path) -> None:
    found: list[tuple[list[Any], list[CallRecord]]] = []
    for direct in (True, False):
        folder = tmp_path / str(direct)
        folder.mkdir()
        async with running_bench(folder, direct=direct) as bench:
            await warmed(bench)
            answers = [await seen(bench, path, body) for path, body in CALLS]
            answers += [await seen(bench, CHAT, chat(), step) for step in STEPS]
            answers += [await seen(bench, path, body) for path, body in REFUSED]
            found.append((answers, [told(record) for record in reversed(await bench.ledger())]))
            await bench.assert_settled()
    (answers, ledger), (expected, expected_ledger) = found
    for number, pair in enumerate(zip(answers, expected, strict=True)):
        assert pair[0] == pair[1], number
    assert ledger == expected_ledger
    assert len(ledger) == 2 + len(CALLS) + len(STEPS)


@pytest.mark.embedded  # Redis is asked by a task.
async def test_a_whole_answer_costs_no_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert not [name for name in made if "run_asgi" in name]
    assert (await bench.client.post(CHAT, json=chat(stream=True))).status_code == 200
    assert [name for name in made if "run_asgi" in name]


async def test_a_connection_that_the_provider_closed_meanwhile_costs_nothing(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(Step(hang_up=True))
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 200
    assert len(await bench.ledger()) == 3
    await bench.assert_settled()


async def test_a_caller_who_leaves_before_the_answer_pays_for_the_prompt(bench: Bench) -> None:
    await warmed(bench)
    bench.provider.next(never_answers)
    async with connected(bench) as (_, writer):
        writer.write(request_of(bench, chat()))
        await writer.drain()
        await bench.until_asked(3)
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


@pytest.mark.parametrize("size", [70_000, 99_000, 300_000])
async def test_bodies_of_any_size_are_taken(bench: Bench, size: int) -> None:
    await warmed(bench)
    body = chat(messages=[{"role": "user", "content": "x" * size}])
    assert (await bench.client.post(CHAT, json=body)).status_code == 200
    assert bench.provider.log[-1].json["messages"] == body["messages"]
    await bench.assert_settled()


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
        async with bench.container.store.write() as tx:
            await tx.keys.revoke("key-1", NOW)
            tx.changed(PolicyChange(ChangeKind.KEY, "key-1"))
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


@pytest.mark.embedded  # As above.
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
