"""Whatever a provider answers, the caller gets an answer of its own protocol, and the call is in the ledger once."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    COMPLETION_EVENTS,
    GEMINI_EVENTS,
    MESSAGE_EVENTS,
    RESPONSE_EVENTS,
    chunk,
    completion,
    embedding,
    framed,
    generated,
    message,
    named,
    response,
    text_completion,
    verbatim,
)
from gateway.bench import (
    CHAT,
    COMPLETIONS,
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
)
from gateway.fuzz import FUZZED, ODD, Heard, Path, Talker, assert_shaped, in_order, places, rendered, request
from sluicegate.domain.catalog import Dialect, ProviderKind
from sluicegate.gateway.stream.events import data_of, split_events

pytestmark = pytest.mark.any_stack

_CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"a":1}'}}
CHAT_STREAM = (
    chunk([{"index": 0, "delta": {"role": "assistant", "reasoning_content": "hm"}, "finish_reason": None}]),
    *CHAT_EVENTS[:1],
    chunk([{"index": 0, "delta": {"tool_calls": [{"index": 0, **_CALL}]}, "finish_reason": None}]),
    chunk([{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "x"}}]}}]),
    *CHAT_EVENTS[2:],
    CHAT_USAGE,
    CHAT_DONE,
)
MESSAGE_STREAM = (
    *MESSAGE_EVENTS[:5],
    named("content_block_stop", index=0),
    named("content_block_start", index=1, content_block={"type": "tool_use", "id": "t_1", "name": "read", "input": {}}),
    named("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a":'}),
    named("content_block_delta", index=1, delta={"type": "thinking_delta", "thinking": "hm"}),
    *MESSAGE_EVENTS[5:],
)
_ITEM = {"type": "function_call", "id": "fc_1", "call_id": "c_1", "name": "read", "arguments": "{}"}
RESPONSE_STREAM = (
    *RESPONSE_EVENTS[:-1],
    named("response.output_item.added", sequence_number=7, output_index=1, item=_ITEM | {"arguments": ""}),
    named("response.function_call_arguments.delta", sequence_number=8, output_index=1, delta="{}"),
    named("response.output_item.done", sequence_number=9, output_index=1, item=_ITEM),
    named("response.failed", sequence_number=10, response=response(error={"code": "x", "message": "y"})),
    RESPONSE_EVENTS[-1],
)
_TOLD = [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [_CALL]}, "finish_reason": "x"}]
_USED = [{"type": "tool_use", "id": "t_1", "name": "read", "input": {"a": 1}}, {"type": "thinking", "thinking": "hm"}]
_FAILED = {"error": {"message": "no", "type": "x", "code": "y", "param": None}}


@dataclass(frozen=True, slots=True)
class Call:
    """`wholes` and `stream` are what a provider may say to it; `ends` what ends a stream that was translated."""

    path: str
    body: dict[str, Any]
    dialect: Dialect
    wholes: tuple[Any, ...]
    stream: tuple[bytes, ...]
    ends: tuple[bytes, ...] = ()


_CHAT_WHOLES = (completion(), completion(choices=_TOLD), _FAILED)
_MESSAGE_WHOLES = (message(), message(content=_USED), {"type": "error", **_FAILED})
_RESPONSE_WHOLES = (response(), response(output=[_ITEM, {"type": "reasoning", "summary": [{"text": "hm"}]}]), _FAILED)
_TO_OPENAI = (b"[DONE]", b'"error":')
_TO_ANTHROPIC = (b'"type":"message_stop"', b'"type":"error"')
_TO_RESPONSES = (b'"type":"response.completed"', b'"type":"response.incomplete"', b'"type":"response.failed"')
CALLS: dict[str, Call] = {
    "chat": Call(CHAT, chat(), Dialect.OPENAI, _CHAT_WHOLES, CHAT_STREAM),
    "messages": Call(MESSAGES, messages(), Dialect.ANTHROPIC, _MESSAGE_WHOLES, MESSAGE_STREAM),
    "responses": Call(RESPONSES, responses(), Dialect.OPENAI, _RESPONSE_WHOLES, RESPONSE_STREAM),
    "completions": Call(COMPLETIONS, completions(), Dialect.OPENAI, (text_completion(),), COMPLETION_EVENTS),
    "embeddings": Call(EMBEDDINGS, embeddings(), Dialect.OPENAI, (embedding(),), CHAT_STREAM),
    "generate": Call(GENERATE, contents(), Dialect.GEMINI, (generated(), [generated()]), GEMINI_EVENTS),
    "generate in a stream": Call(STREAM, contents(), Dialect.GEMINI, (generated(),), GEMINI_EVENTS),
    "chat to messages": Call(
        CHAT, chat(model="team-claude"), Dialect.OPENAI, _MESSAGE_WHOLES, MESSAGE_STREAM, _TO_OPENAI
    ),
    "responses to messages": Call(
        RESPONSES, responses(model="team-claude"), Dialect.OPENAI, _MESSAGE_WHOLES, MESSAGE_STREAM, _TO_RESPONSES
    ),
    "responses to chat": Call(
        RESPONSES, responses(model="team-kimi"), Dialect.OPENAI, _CHAT_WHOLES, CHAT_STREAM, _TO_RESPONSES
    ),
    "messages to chat": Call(
        MESSAGES, messages(model="team-gpt"), Dialect.ANTHROPIC, _CHAT_WHOLES, CHAT_STREAM, _TO_ANTHROPIC
    ),
    "cursor": Call(CHAT, responses(), Dialect.OPENAI, _RESPONSE_WHOLES, RESPONSE_STREAM, _TO_OPENAI),
}
STATUSES = [*(200,) * 12, 201, 202, 204, 206, 299, 301, 304, 307, 400, 401, 402, 403, 404, 408, 409, 413, 418, 422]
STATUSES += [429, 451, 499, 500, 501, 502, 503, 504, 520, 529, 599, 600, 999, 199, 100, 0]
TYPES = [
    *(b"application/json", b"application/json; charset=latin-1", b"text/event-stream", b"text/event-stream") * 3,
    *(
        b"text/event-stream; charset=utf-8",
        b"TEXT/EVENT-STREAM",
        b"text/html",
        b"\xff\xfe",
        b"",
        b"text/event-streamer",
    ),
]
FIELDS = [
    *(
        b"retry-after: x",
        b"retry-after: -1",
        b"retry-after: 7",
        b"retry-after: 99999999999999999999",
        b"retry-after: 1.5.2",
    ),
    *(b"retry-after-ms: \xff", b"content-encoding: gzip", b"content-encoding: br", b"content-encoding: GZIP"),
    *(b"x-request-id: \xff\xe9", b"request-id:", b"set-cookie: a=b", b"location: http://elsewhere/", b"x-empty:"),
    *(b"x-long: " + b"a" * 20_000, b"anthropic-ratelimit-x: y", b"x: y", b"a: b", b"x-should-retry: maybe"),
    *(
        b"content-type: text/html",
        b"trailer: x",
        b"connection: close",
        b"connection: x-gone",
        b"sp ace: x",
        b"x-f: \x01",
    ),
    b"openai-organization: org",
]
BETWEEN = [b"data: ", b": x\n\n", b"data: {}\n\n", b"data: null\n\n", b"\n\n", b"event: x\n\n"]


@st.composite
def lies(draw: st.DrawFn, call: Call, *, streamed: bool) -> bytes:
    """One HTTP answer, byte for byte."""
    if draw(st.integers(0, 9)) == 0:
        streamed = not streamed
    body = b"".join(draw(streams(call))) if streamed else draw(spoilt(draw(st.sampled_from(call.wholes))))
    usual = b"text/event-stream" if streamed else b"application/json"
    kind = draw(st.sampled_from([usual, usual, usual, *TYPES]))
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True))
    if b"content-encoding: gzip" in fields and draw(st.booleans()):
        body = gzip.compress(body)
    status = draw(st.sampled_from(STATUSES))
    head = b"\r\n".join([b"HTTP/1.1 %d Said" % status, b"content-type: " + kind, *fields])
    framing = draw(st.sampled_from(["length"] * 3 + ["chunked"] * 3 + ["short", "long", "none", "cut", "garbled"]))
    match framing:
        case "length":
            return head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        case "short":
            return head + b"\r\ncontent-length: %d\r\n\r\n" % (len(body) + 9) + body
        case "long":
            return head + b"\r\ncontent-length: %d\r\n\r\n" % (len(body) // 2) + body
        case "none":
            return head + b"\r\n\r\n" + body
        case _:
            parts = [framed(body[at : at + 40]) for at in range(0, min(len(body), 20_000), 40)]
            ending = {"chunked": b"0\r\n\r\n", "cut": b"", "garbled": b"zz\r\n"}[framing]
            return head + b"\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(parts) + ending


@st.composite
def spoilt(draw: st.DrawFn, sample: Any) -> bytes:
    every = places(sample)
    edits: dict[Path, list[bytes]] = {}
    for _ in range(draw(st.integers(0, 2))):
        edits[draw(st.sampled_from(every))] = draw(st.lists(st.sampled_from(ODD), max_size=1))
    body = rendered(sample, edits)
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


@st.composite
def streams(draw: st.DrawFn, call: Call) -> list[bytes]:
    """Events of the call's stream: some spoilt, some twice, some not at all, some in another order."""
    events: list[bytes] = []
    for event in draw(st.permutations(call.stream)) if draw(st.integers(0, 5)) == 0 else call.stream:
        fate = draw(st.integers(0, 11))
        if fate == 0:
            continue
        data = data_of(event)
        if fate == 1 and data.startswith(b"{"):
            event = b"data: %s\n\n" % draw(spoilt(json.loads(data))).replace(b"\n", b" ")
        elif fate == 2:
            event = draw(st.sampled_from(BETWEEN)) + event
        elif fate == 3:
            event = event.replace(b"\n", b"\r\n")
        events += [event, event] if fate == 4 else [event]
    return events


def assert_told(call: Call, heard: Heard | None, *, lie: bytes) -> None:
    assert heard is not None, lie[:300]
    assert b"internal_error" not in heard.body, (lie[:300], heard)
    if heard.status >= 400:
        own = call.ends or heard.body.find(b"upstream_unavailable") >= 0
        if own:
            assert_shaped(heard, call.dialect)
        return
    if not call.ends:
        return
    if not heard.headers["content-type"].startswith("text/event-stream"):
        msgspec.json.decode(heard.body)
        return
    told = [data for event in split_events(heard.body) if (data := data_of(event))]
    for data in told:
        assert data == b"[DONE]" or msgspec.json.decode(data), (lie, data)
    assert any(end in told[-1] for end in call.ends), (lie, told)


@dataclass(frozen=True, slots=True)
class Line:
    bench: Bench
    talker: Talker


@pytest.fixture
async def line(bench: Bench) -> AsyncIterator[Line]:
    await bench.add_model("team-kimi", ProviderKind.MOONSHOT, "moon")
    talker = Talker(bench.port)
    async with in_order(bench):
        yield Line(bench, talker)
        talker.hang_up()


NATIVE = [name for name, call in CALLS.items() if not call.ends]
TRANSLATED = [name for name, call in CALLS.items() if call.ends]


@FUZZED
@given(data=st.data())
@pytest.mark.parametrize("names", [NATIVE, TRANSLATED], ids=["native", "translated"])
async def test_answers_that_cannot_be(line: Line, names: list[str], data: st.DataObject) -> None:
    call = CALLS[data.draw(st.sampled_from(names))]
    streamed = data.draw(st.booleans())
    lie = data.draw(lies(call, streamed=streamed))
    body = json.dumps(call.body | ({"stream": True} if streamed and "contents" not in call.body else {})).encode()
    line.bench.provider.next(verbatim(lie, breaks_off=True))
    assert_told(call, await line.talker.ask(request(call.path, body)), lie=lie)
    # A provider that mostly tells the truth is not given a rest.
    for _ in range(2):
        heard = await line.talker.ask(request(call.path, json.dumps(call.body).encode()))
        assert heard is not None
        assert heard.status == 200, (lie, heard)


async def test_an_answer_without_one_is_a_failed_call(line: Line) -> None:
    for status in (b"204 No Content", b"205 Reset Content"):
        nothing = verbatim(b"HTTP/1.1 %s\r\ncontent-type: text/event-stream\r\n\r\n" % status, breaks_off=True)
        for call in CALLS.values():
            line.bench.provider.next(nothing)
            heard = await line.talker.ask(request(call.path, json.dumps(call.body).encode()))
            assert heard is not None
            assert heard.status == 502
            assert_shaped(heard, call.dialect)
            for _ in range(2):
                await line.talker.ask(request(call.path, json.dumps(call.body).encode()))
