"""Streams in which nothing comes for a while, and what their callers hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.http_server import Connection
from fakes.provider import Answer, Exchange
from fakes.wire import CHAT_DONE, CHAT_EVENTS, CHAT_USAGE, GEMINI_EVENTS, MESSAGE_EVENTS, STREAM_HEAD, framed, whole
from gateway.bench import CHAT, MESSAGES, STREAM, Bench, chat, contents, messages, running_bench
from sluicegate.gateway.stream.events import split_events

pytestmark = pytest.mark.any_stack

HEARTBEAT = b": keep-alive\n\n"
PAUSE = 0.4
CHAT_STREAM = (*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE)
ASKING = chat(stream=True, stream_options={"include_usage": True})
OWN = [(CHAT, ASKING, CHAT_STREAM), (MESSAGES, messages(stream=True), MESSAGE_EVENTS)]
TRANSLATED = [
    (MESSAGES, messages(model="team-gpt", stream=True), CHAT_STREAM),
    (CHAT, chat(model="team-claude", stream=True), MESSAGE_EVENTS),
]


class Listener:
    """A caller that notes what comes as it comes."""

    def __init__(self) -> None:
        self.heard = b""
        self._heartbeat = asyncio.Event()

    async def heartbeat(self) -> None:
        """Until another one is heard."""
        self._heartbeat.clear()
        async with asyncio.timeout(10):
            await self._heartbeat.wait()

    async def call(self, bench: Bench, path: str, body: dict[str, Any]) -> bytes:
        async with bench.client.stream("POST", path, json=body) as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_raw():
                self.heard += piece
                if piece.endswith(HEARTBEAT):
                    self._heartbeat.set()
        record = await bench.only_call()
        assert (record.outcome, record.estimated) == ("ok", False)
        return self.heard


async def a_while() -> None:
    await asyncio.sleep(PAUSE)


def hesitating(parts: tuple[bytes, ...], pause: Callable[[], Awaitable[None]] = a_while) -> Answer:
    """A stream that stands still before its first event, in the middle of its second, and before its last."""

    async def answer(connection: Connection, _exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        await pause()
        await connection.write(framed(parts[0] + parts[1][:9]))
        await pause()
        await connection.write(framed(parts[1][9:] + b"".join(parts[2:-1])))
        await pause()
        await connection.write(framed(parts[-1]) + b"0\r\n\r\n")

    return answer


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(("path", "body", "parts"), OWN + TRANSLATED)
async def test_a_stream_that_stands_still_is_kept_alive_between_its_events(
    tmp_path: Any, path: str, body: dict[str, Any], parts: tuple[bytes, ...], warm: bool
) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0.1) as bench:
        if warm:
            await bench.warm()
        listener = Listener()
        bench.provider.next(hesitating(parts, listener.heartbeat))
        content = await listener.call(bench, path, body)
    spoken = split_events(content)
    assert spoken[0] == HEARTBEAT
    assert spoken.count(HEARTBEAT) >= 3
    assert spoken[-1] != HEARTBEAT
    if (path, body, parts) in OWN:
        assert b"".join(event for event in spoken if event != HEARTBEAT) == b"".join(parts)


@pytest.mark.parametrize("warm", [False, True])
async def test_a_stream_for_programs_that_choke_on_comments_has_none(tmp_path: Any, warm: bool) -> None:
    parts = (GEMINI_EVENTS[0], *GEMINI_EVENTS)
    async with running_bench(tmp_path, heartbeat_seconds=0.1) as bench:
        if warm:
            await bench.warm()
        bench.provider.next(hesitating(parts))
        assert await Listener().call(bench, STREAM, contents()) == b"".join(parts)


async def test_no_heartbeats_are_sent_where_none_are_wanted(tmp_path: Any) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0) as bench:
        bench.provider.next(hesitating(CHAT_STREAM))
        assert await Listener().call(bench, CHAT, ASKING) == b"".join(CHAT_STREAM)


async def test_an_answer_in_one_piece_is_waited_for_in_silence(tmp_path: Any) -> None:
    async with running_bench(tmp_path, heartbeat_seconds=0.1) as bench:
        answer = whole({"id": "x", "object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1}})

        async def late(connection: Connection, exchange: Exchange) -> None:
            await asyncio.sleep(PAUSE)
            await answer(connection, exchange)

        bench.provider.next(late)
        assert b"keep-alive" not in (await bench.client.post(CHAT, json=chat())).content
