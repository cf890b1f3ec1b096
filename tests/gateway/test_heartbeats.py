"""Streams in which nothing comes for a while, and what their callers hear of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fakes.http_server import Connection
from fakes.provider import Answer, Exchange
from fakes.wire import CHAT_DONE, CHAT_EVENTS, CHAT_USAGE, GEMINI_EVENTS, MESSAGE_EVENTS, STREAM_HEAD, framed, whole
from gateway.bench import CHAT, MESSAGES, STREAM, Bench, chat, contents, messages, running_bench
from sluicegate.gateway.stream.events import split_events

pytestmark = pytest.mark.any_stack

HEARTBEAT = b": keep-alive\n\n"
PAUSE = 0.8
CHAT_STREAM = (*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE)
ASKING = chat(stream=True, stream_options={"include_usage": True})
OWN = [(CHAT, ASKING, CHAT_STREAM), (MESSAGES, messages(stream=True), MESSAGE_EVENTS)]
TRANSLATED = [
    (MESSAGES, messages(model="team-gpt", stream=True), CHAT_STREAM),
    (CHAT, chat(model="team-claude", stream=True), MESSAGE_EVENTS),
]


def hesitating(*parts: bytes) -> Answer:
    """A stream that stands still before its first event, in the middle of its second, and before its last."""

    async def answer(connection: Connection, _exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        await asyncio.sleep(PAUSE)
        await connection.write(framed(parts[0] + parts[1][:9]))
        await asyncio.sleep(PAUSE)
        await connection.write(framed(parts[1][9:] + b"".join(parts[2:-1])))
        await asyncio.sleep(PAUSE)
        await connection.write(framed(parts[-1]) + b"0\r\n\r\n")

    return answer


async def heard(bench: Bench, path: str, body: dict[str, Any], parts: tuple[bytes, ...]) -> bytes:
    bench.provider.next(hesitating(*parts))
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("ok", False)
    return answer.content


@pytest.mark.parametrize(("path", "body", "parts"), OWN + TRANSLATED)
async def test_a_stream_that_stands_still_is_kept_alive_between_its_events(
    tmp_path: Any, path: str, body: dict[str, Any], parts: tuple[bytes, ...]
) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0.3) as bench:
        content = await heard(bench, path, body, parts)
    spoken = split_events(content)
    assert spoken[0] == HEARTBEAT
    assert spoken.count(HEARTBEAT) >= 3
    assert spoken[-1] != HEARTBEAT
    if (path, body, parts) in OWN:
        assert b"".join(event for event in spoken if event != HEARTBEAT) == b"".join(parts)


async def test_a_stream_for_programs_that_choke_on_comments_has_none(tmp_path: Any) -> None:
    parts = (GEMINI_EVENTS[0], *GEMINI_EVENTS)
    async with running_bench(tmp_path, heartbeat_seconds=0.3) as bench:
        assert await heard(bench, STREAM, contents(), parts) == b"".join(parts)


async def test_no_heartbeats_are_sent_where_none_are_wanted(tmp_path: Any) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0) as bench:
        assert await heard(bench, CHAT, ASKING, CHAT_STREAM) == b"".join(CHAT_STREAM)


async def test_an_answer_in_one_piece_is_waited_for_in_silence(tmp_path: Any) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0.3) as bench:
        answer = whole({"id": "x", "object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1}})

        async def late(connection: Connection, exchange: Exchange) -> None:
            await asyncio.sleep(PAUSE)
            await answer(connection, exchange)

        bench.provider.next(late)
        assert b"keep-alive" not in (await bench.client.post(CHAT, json=chat())).content
