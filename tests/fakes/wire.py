"""Answers as tests write them down, byte for byte: samples of all protocols, and ways of sending them badly."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .http_server import Connection
from .provider import Answer, Exchange

# The fixed figures of the fake provider: 11 fresh, 5 + 2 written, 100 read, 17 out, 4 of them reasoning.
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
GEMINI_USAGE = {
    "promptTokenCount": 118,
    "cachedContentTokenCount": 100,
    "candidatesTokenCount": 13,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 135,
}
RESPONSES_USAGE = {
    "input_tokens": 118,
    "input_tokens_details": {
        "cached_tokens": 100,
        "cache_write_tokens": 7,
        "cache_write_tokens_details": {"ttl_30m_tokens": 5, "ttl_12h_tokens": 2},
    },
    "output_tokens": 17,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 135,
}


def message(**values: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "hello from the provider"}]
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
    return {**base, "stop_reason": "end_turn", "stop_sequence": None, "usage": ANTHROPIC_USAGE, **values}


def completion(**values: Any) -> dict[str, Any]:
    answer = {"role": "assistant", "content": "hello from the provider"}
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    base = {"id": "c_1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
    return {**base, "usage": OPENAI_USAGE, **values}


def text_completion(**values: Any) -> dict[str, Any]:
    choices = [{"index": 0, "text": "hello from the provider", "logprobs": None, "finish_reason": "stop"}]
    base = {"id": "t_1", "object": "text_completion", "created": 1, "model": "m", "choices": choices}
    return {**base, "usage": OPENAI_USAGE, **values}


def response(**values: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": "hello world", "annotations": []}]
    output = [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}]
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "error": None}
    return {**base, "instructions": "be brief", "output": output, "usage": RESPONSES_USAGE, **values}


def embedding(**values: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -1.0]}]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 9, "total_tokens": 9}, **values}


def generated(text: str = "hello world", **values: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": GEMINI_USAGE, "modelVersion": "m", **values}


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
COMPLETION_EVENTS = (
    chunk([{"index": 0, "text": "hello world", "finish_reason": None}], usage=None),
    chunk([{"index": 0, "text": "", "finish_reason": "stop"}], usage=None),
)


def response_delta(text: str, number: int = 3) -> bytes:
    return named("response.output_text.delta", sequence_number=number, item_id="msg_1", output_index=0, delta=text)


RESPONSE_START = named("response.created", sequence_number=0, response=response(status="in_progress", usage=None))
RESPONSE_END = named("response.completed", sequence_number=6, response=response())
RESPONSE_EVENTS = (
    RESPONSE_START,
    named("response.output_item.added", sequence_number=1, output_index=0, item={"type": "message", "id": "msg_1"}),
    named("response.content_part.added", sequence_number=2, item_id="msg_1", part={"type": "output_text", "text": ""}),
    response_delta("hello world"),
    named("response.output_text.done", sequence_number=4, item_id="msg_1", text="hello world"),
    named("response.output_item.done", sequence_number=5, output_index=0, item=response()["output"][0]),
    RESPONSE_END,
)


def gemini_piece(text: str) -> bytes:
    usage = {"promptTokenCount": 118, "cachedContentTokenCount": 100, "totalTokenCount": 118}
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    return b"data: %s\r\n\r\n" % json.dumps({"candidates": [candidate], "usageMetadata": usage}).encode()


GEMINI_EVENTS = (gemini_piece("hello "), b"data: %s\r\n\r\n" % json.dumps(generated("world")).encode())


def whole(value: Any, status: int = 200, **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return _content(body, status, {"content-type": "application/json", **headers})


def typed(content_type: str, body: bytes, **headers: str) -> Answer:
    return _content(body, 200, {"content-type": content_type, **headers})


def _content(body: bytes, status: int, headers: dict[str, str]) -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return verbatim(f"HTTP/1.1 {status} Answer\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)


def verbatim(data: bytes, *, breaks_off: bool = False) -> Answer:
    """Exactly these bytes; with `breaks_off` the connection ends after them."""

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(data)
        if breaks_off:
            connection.close()

    return answer


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def events(*parts: bytes, pause: float = 0.0, ends: bool = True) -> Answer:
    """A stream of the given parts; without `ends` the connection breaks after them."""

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD)
        for part in parts:
            await connection.write(framed(part))
            if pause:
                await asyncio.sleep(pause)
        if ends:
            await connection.write(b"0\r\n\r\n")
        else:
            connection.close(reset=True)

    return answer


def stalls(*parts: bytes) -> Answer:
    """A stream that falls silent and stays open until the gateway leaves."""

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD + b"".join(framed(part) for part in parts))
        await asyncio.Event().wait()

    return answer


async def never_answers(connection: Connection, exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def breaks(connection: Connection, exchange: Exchange) -> None:
    connection.close(reset=True)
