"""A model provider on a real socket that answers as a test tells it, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fakes.raw_server import Peer, RawServer

# Distinct figures, so that a wrong sum shows: 11 fresh, 5 + 2 written, 100 read, 17 out, 4 of them reasoning.
ANTHROPIC_USAGE = {
    "input_tokens": 11,
    "cache_creation_input_tokens": 7,
    "cache_read_input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2},
    "output_tokens": 17,
    "output_tokens_details": {"thinking_tokens": 4},
}
OPENAI_USAGE = {
    "prompt_tokens": 118,
    "completion_tokens": 17,
    "total_tokens": 135,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 7},
    "completion_tokens_details": {"reasoning_tokens": 4},
}


@dataclass
class Asked:
    """One request as the provider got it."""

    method: str
    target: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


Answer = Callable[[Peer, Asked], Awaitable[None]]


@dataclass
class Provider:
    """`answers` are used up in order; after them every call gets a good one."""

    asked: list[Asked] = field(default_factory=list[Asked])
    answers: deque[Answer] = field(default_factory=deque[Answer])
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def server(self) -> RawServer:
        return RawServer(self._serve)

    async def _serve(self, peer: Peer) -> None:
        while True:
            try:
                head, body = await peer.request()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            asked = _asked(head, body)
            self.asked.append(asked)
            answer = self.answers.popleft() if self.answers else usual
            try:
                await answer(peer, asked)
            except ConnectionError:
                return
            finally:
                self.gone.set()


def _asked(head: bytes, body: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines if line)
    return Asked(method, target, {name.lower(): value for name, value in headers.items()}, body)


async def usual(peer: Peer, asked: Asked) -> None:
    """A good answer in the protocol of the path."""
    body = asked.body
    if asked.target.partition("?")[0].endswith("/count_tokens"):
        await whole({"input_tokens": 42})(peer, asked)
    elif asked.target.partition("?")[0].endswith("/messages"):
        await (events(*MESSAGE_EVENTS) if body.get("stream") else whole(message()))(peer, asked)
    elif body.get("stream"):
        asks = (body.get("stream_options") or {}).get("include_usage")
        await events(*CHAT_EVENTS, *([CHAT_USAGE] if asks else []), CHAT_DONE)(peer, asked)
    else:
        await whole(completion())(peer, asked)


def message(**values: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "hello from the provider"}]
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
    return {**base, "stop_reason": "end_turn", "stop_sequence": None, "usage": ANTHROPIC_USAGE, **values}


def completion(**values: Any) -> dict[str, Any]:
    answer = {"role": "assistant", "content": "hello from the provider"}
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    base = {"id": "c_1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
    return {**base, "usage": OPENAI_USAGE, **values}


def named(kind: str, **values: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **values}).encode())


def chunk(choices: list[dict[str, Any]], **values: Any) -> bytes:
    base = {"id": "c_1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return b"data: %s\n\n" % json.dumps(base | values).encode()


def text_chunk(text: str) -> bytes:
    return chunk([{"index": 0, "delta": {"content": text}, "finish_reason": None}], usage=None)


MESSAGE_START = named(
    "message_start", message=message(content=[], usage={**ANTHROPIC_USAGE, "output_tokens": 1}, stop_reason=None)
)


def text_delta(text: str) -> bytes:
    return named("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


MESSAGE_END = (
    named("content_block_stop", index=0),
    named(
        "message_delta",
        delta={"stop_reason": "end_turn"},
        usage={"output_tokens": 17, "output_tokens_details": {"thinking_tokens": 4}},
    ),
    named("message_stop"),
)
MESSAGE_EVENTS = (
    MESSAGE_START,
    named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    named("ping"),
    text_delta("hello "),
    text_delta("world"),
    *MESSAGE_END,
)
CHAT_EVENTS = (
    text_chunk("hello "),
    text_chunk("world"),
    chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=None),
)
CHAT_USAGE = chunk([], usage=OPENAI_USAGE)
CHAT_DONE = b"data: [DONE]\n\n"


def whole(value: Any, status: int = 200, **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return _content(body, status, {"content-type": "application/json", **headers})


def typed(content_type: str, body: bytes, **headers: str) -> Answer:
    return _content(body, 200, {"content-type": content_type, **headers})


def _content(body: bytes, status: int, headers: dict[str, str]) -> Answer:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} Answer\r\n{lines}content-length: {len(body)}\r\n\r\n".encode()

    async def answer(peer: Peer, asked: Asked) -> None:
        await peer.send(head + body)

    return answer


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def events(*parts: bytes, pause: float = 0.0, ends: bool = True) -> Answer:
    """A stream of the given parts; without `ends` the connection breaks after them."""

    async def answer(peer: Peer, asked: Asked) -> None:
        await peer.send(STREAM_HEAD)
        for part in parts:
            await peer.send(framed(part))
            if pause:
                await asyncio.sleep(pause)
        if ends:
            await peer.send(b"0\r\n\r\n")
        else:
            peer.reset()

    return answer


def stalls(*parts: bytes) -> Answer:
    """A stream that falls silent and stays open until the gateway leaves."""

    async def answer(peer: Peer, asked: Asked) -> None:
        await peer.send(STREAM_HEAD + b"".join(framed(part) for part in parts))
        await peer.gone()
        raise ConnectionResetError

    return answer


async def never_answers(peer: Peer, asked: Asked) -> None:
    await peer.gone()
    raise ConnectionResetError


async def breaks(peer: Peer, asked: Asked) -> None:
    peer.reset()
    raise ConnectionResetError
