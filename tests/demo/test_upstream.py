"""The demo provider keeps the promises of the `Upstream` port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from demo.calls import request
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.ports.upstream import Timeouts, UpstreamError

ASKED = {"model": "demo-fast", "messages": [{"role": "user", "content": "How do I bake bread?"}]}
CHAT = "/v1/chat/completions"


async def test_a_whole_answer_is_buffered_at_once(demo: DemoUpstream) -> None:
    response = await demo.send(request(CHAT, ASKED))
    body = response.buffered()
    assert body is not None
    assert json.loads(body)["object"] == "chat.completion"
    assert dict(response.headers)[b"content-length"] == str(len(body)).encode()
    assert await response.read() == b""


async def test_a_stream_arrives_event_by_event(demo: DemoUpstream) -> None:
    response = await demo.send(request(CHAT, {**ASKED, "stream": True}))
    assert dict(response.headers)[b"content-type"].startswith(b"text/event-stream")
    assert response.buffered() is None
    first = await response.read()
    assert first.startswith(b"data: {")
    assert first.count(b"\n\n") == 1
    while (part := await response.read()) != b"data: [DONE]\n\n":
        assert part
    assert response.buffered() == b""
    assert await response.read() == b""


async def test_closing_stops_a_stream_even_while_it_is_being_read() -> None:
    demo = DemoUpstream(tokens_per_second=50)
    response = await demo.send(request(CHAT, {**ASKED, "stream": True}))
    reading = asyncio.create_task(_drain(response.read))
    await asyncio.sleep(0.05)
    await response.aclose()
    await response.aclose()
    with pytest.raises(UpstreamError) as broken:
        await asyncio.wait_for(reading, 10)
    assert (broken.value.kind, broken.value.before_first_byte, broken.value.sent) == ("closed", False, True)
    assert response.buffered() is None


async def test_the_pace_is_kept() -> None:
    demo = DemoUpstream(tokens_per_second=200)
    loop = asyncio.get_running_loop()
    started = loop.time()
    response = await demo.send(request(CHAT, {**ASKED, "stream": True, "max_tokens": 40}))
    headed = loop.time()
    await _drain(response.read)
    assert 0.04 < headed - started < 0.5
    assert 0.05 < loop.time() - headed < 1.5


async def test_a_slow_answer_runs_into_the_callers_time_limits() -> None:
    demo = DemoUpstream(tokens_per_second=20)
    with pytest.raises(UpstreamError) as late:
        await demo.send(request(CHAT, ASKED, timeouts=Timeouts(first_byte=0.02)))
    assert (late.value.kind, late.value.before_first_byte, late.value.sent) == ("timeout", True, True)
    response = await demo.send(request(CHAT, {**ASKED, "stream": True}, timeouts=Timeouts(idle=0.01)))
    with pytest.raises(UpstreamError) as silent:
        await _drain(response.read)
    assert (silent.value.kind, silent.value.before_first_byte) == ("timeout", False)


async def test_nothing_is_answered_after_closing(demo: DemoUpstream) -> None:
    await demo.aclose()
    with pytest.raises(UpstreamError) as closed:
        await demo.send(request(CHAT, ASKED))
    assert (closed.value.kind, closed.value.sent) == ("closed", False)


async def test_the_same_question_gets_the_same_answer() -> None:
    texts: list[str] = []
    for _ in range(2):
        response = await DemoUpstream(tokens_per_second=0).send(request(CHAT, ASKED))
        texts.append(json.loads(response.buffered() or b"")["choices"][0]["message"]["content"])
    assert texts[0] == texts[1]


async def _drain(read: Callable[[], Awaitable[bytes]]) -> None:
    while await read():
        pass
