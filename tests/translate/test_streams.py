"""Streams that are cut anywhere, interleaved, broken off, or end badly."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.domain.catalog import Protocol
from sluicegate.gateway.stream.events import data_of, split_events
from sluicegate.gateway.translate.chat import ChatReader
from sluicegate.gateway.translate.form import CallBegin, CallEnd, CallPiece, Event, Finish, Stop, Target, TextPiece
from sluicegate.gateway.translate.messages import MessagesReader
from sluicegate.gateway.translate.names import Names
from sluicegate.gateway.translate.responses import ResponsesReader
from sluicegate.gateway.translate.serial import Serial
from translate.calls import PAIRS, asking, assembled, events_of, in_pieces, provided, translator

_READERS = {Protocol.CHAT: ChatReader, Protocol.MESSAGES: MessagesReader, Protocol.RESPONSES: ResponsesReader}
_MADE_HERE = re.compile(rb'"(?:id|item_id)":"(?:msg|resp|rs|fc|ctc|chatcmpl|call)[-_][A-Za-z0-9]{24}"')


def _same(raw: bytes) -> bytes:
    """Without the identifiers that are new at each writing."""
    return _MADE_HERE.sub(b'"id":"-"', raw)


def _chat(*deltas: dict[str, Any] | str) -> bytes:
    """Chunks of a Chat stream; a text is its finish reason."""
    lines: list[bytes] = []
    for delta in deltas:
        finish = delta if isinstance(delta, str) else None
        choice = {"index": 0, "delta": {} if finish else delta, "finish_reason": finish}
        lines.append(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
    return b"".join(lines) + b"data: [DONE]\n\n"


def _call(index: int, arguments: str, name: str = "") -> dict[str, Any]:
    begun = {"id": f"call_{index}", "type": "function"} if name else {}
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"tool_calls": [{"index": index, **begun, "function": function}]}


def _to_messages(raw: bytes) -> list[Any]:
    between = translator(asking(Protocol.MESSAGES, "go", tools=True, stream=True), Protocol.MESSAGES)
    return events_of(between.stream(Protocol.CHAT).feed(raw))


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_where_the_network_cuts_a_stream_makes_no_difference(caller: Protocol, provider: Protocol, data: Any) -> None:
    ask = data.draw(st.sampled_from(["say hi", 'x [[tool:Bash {"command":"a"}]] [[tool:Bash {"command":"b"}]]']))
    body = asking(caller, ask, tools=True, stream=True)
    raw = provided(provider, translator(body, caller).request(provider, Target("demo-smart", 4_096)))
    cuts = sorted({0, len(raw), *data.draw(st.lists(st.integers(0, len(raw)), max_size=60))})
    pieces = [raw[start:end] for start, end in pairwise(cuts)]
    at_once = translator(body, caller).stream(provider).feed(raw)
    assert _same(in_pieces(translator(body, caller), provider, pieces)) == _same(at_once)


def test_every_single_byte_may_arrive_alone() -> None:
    body = asking(Protocol.MESSAGES, "say hi", stream=True)
    raw = provided(Protocol.CHAT, translator(body, Protocol.MESSAGES).request(Protocol.CHAT, Target("demo-fast", 64)))
    single = [raw[i : i + 1] for i in range(len(raw))]
    together = translator(body, Protocol.MESSAGES).stream(Protocol.CHAT).feed(raw)
    assert _same(in_pieces(translator(body, Protocol.MESSAGES), Protocol.CHAT, single)) == _same(together)


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_what_has_come_is_passed_on_at_once(caller: Protocol, provider: Protocol) -> None:
    body = asking(caller, "write a story about a river", stream=True)
    between = translator(body, caller)
    raw = provided(provider, between.request(provider, Target("demo-fast", 4_096)))
    stream, reader, seen = between.stream(provider), _READERS[provider](), 0
    for event in split_events(raw):
        told = stream.feed(event)
        for piece in reader.read(data_of(event)):
            if isinstance(piece, TextPiece):
                assert json.dumps(piece.text, ensure_ascii=False).encode() in told
                seen += 1
    assert seen > 3


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_no_event_takes_two_milliseconds_to_be_passed_on(caller: Protocol, provider: Protocol) -> None:
    """Of the processor's time, and the best of a few runs, since others may want the processor too."""
    body = asking(caller, "write a story about a river", stream=True)
    between = translator(body, caller)
    events = split_events(provided(provider, between.request(provider, Target("demo-fast", 4_096))))
    taken = [1.0] * len(events)
    for _ in range(5):
        stream = between.stream(provider)
        for index, event in enumerate(events):
            since = time.thread_time()
            stream.feed(event)
            taken[index] = min(taken[index], time.thread_time() - since)
    assert max(taken) < 0.002


def test_messages_from_chat_is_told_in_the_order_that_clients_insist_on() -> None:
    raw = _chat(
        {"role": "assistant", "content": "Hel"},
        {"content": "lo"},
        _call(0, "", "Bash"),
        _call(0, '{"command":'),
        _call(0, '"ls"}'),
        "tool_calls",
    )
    found = _to_messages(raw)
    kinds = [e["type"] for e in found]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert found[0]["message"]["usage"] == {
        "input_tokens": 77,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
    }
    assert found[5]["content_block"] == {"type": "tool_use", "id": "call_0", "name": "Bash", "input": {}}
    assert found[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}


class _Counted(Serial):
    """Tells how often an event was looked at."""

    looks = 0

    def feed(self, event: Event) -> Iterator[Event]:
        self.looks += 1
        return super().feed(event)


@pytest.mark.parametrize("ends", [False, True])
def test_many_calls_at_once_are_not_looked_at_again_for_each_of_them(*, ends: bool) -> None:
    keys = range(1_000)
    serial = _Counted(Names(()))
    events: list[Event] = [CallBegin(key, f"call_{key}", "f") for key in keys]
    events += [CallPiece(key, text) for text in ('{"a":', " ", '"b"', "}") for key in keys]
    events += [CallEnd(key) for key in keys] if ends else []
    told = [event for given in [*events, Finish(Stop.TOOL)] for event in serial.feed(given)]
    assert [event.key for event in told if isinstance(event, CallBegin)] == list(keys)
    for begin, *pieces, end in zip(*[iter(told)] * 6, strict=False):
        assert isinstance(begin, CallBegin)
        assert "".join(piece.text for piece in pieces if isinstance(piece, CallPiece)) == '{"a": "b"}'
        assert end == CallEnd(begin.key)
    # Of a hundred thousand that are looked at again while they wait, and each one once more at the end.
    assert serial.looks < 200_000


def test_parallel_calls_that_interleave_become_blocks_one_after_the_other() -> None:
    raw = _chat(
        _call(0, '{"comm', "Bash"),
        _call(1, '{"command":', "Bash"),
        _call(0, 'and":"zero"}'),
        _call(1, '"one"}'),
        "tool_calls",
    )
    assert assembled(Protocol.MESSAGES, _to_messages(raw))[1] == [
        ("Bash", '{"command":"zero"}'),
        ("Bash", '{"command":"one"}'),
    ]


def test_a_call_goes_out_while_it_comes_though_another_one_follows() -> None:
    between = translator(asking(Protocol.MESSAGES, "go", tools=True, stream=True), Protocol.MESSAGES)
    stream = between.stream(Protocol.CHAT)
    stream.feed(_chat(_call(0, '{"command":"zero"}', "Bash"))[: -len(b"data: [DONE]\n\n")])
    told = stream.feed(_chat(_call(1, '{"comm', "Bash"))[: -len(b"data: [DONE]\n\n")])
    assert b"content_block_stop" in told
    assert b'"name":"Bash"' in told
    assert b'{\\"comm' in told


def test_calls_that_never_become_json_still_arrive() -> None:
    raw = _chat(_call(0, '{"broken', "Bash"), _call(1, '{"command":"one"}', "Bash"), "length")
    assert assembled(Protocol.MESSAGES, _to_messages(raw))[1] == [("Bash", '{"broken'), ("Bash", '{"command":"one"}')]


def test_text_between_two_calls_keeps_its_place() -> None:
    raw = _chat(_call(0, "{}", "Bash"), {"content": "and then"}, _call(1, "{}", "Bash"), "tool_calls")
    kinds = [e["content_block"]["type"] for e in _to_messages(raw) if e["type"] == "content_block_start"]
    assert kinds == ["tool_use", "text", "tool_use"]


def test_thoughts_are_not_given_to_clients_that_would_have_to_send_them_back_signed() -> None:
    raw = _chat({"reasoning_content": "hmm"}, {"content": "yes"}, "stop")
    assert b"hmm" not in json.dumps(_to_messages(raw)).encode()
    between = translator(asking(Protocol.RESPONSES, "go", stream=True), Protocol.RESPONSES)
    found = events_of(between.stream(Protocol.CHAT).feed(raw))
    assert [e["delta"] for e in found if e["type"] == "response.reasoning_summary_text.delta"] == ["hmm"]


@pytest.mark.parametrize("caller", [Protocol.MESSAGES, Protocol.RESPONSES])
def test_a_stream_without_usage_is_estimated_and_never_told_as_zero(caller: Protocol) -> None:
    between = translator(asking(caller, "go", stream=True), caller)
    found = assembled(caller, events_of(between.stream(Protocol.CHAT).feed(_chat({"content": "x" * 40}, "stop"))))
    assert (found[3]["input_tokens"], found[3]["output_tokens"]) == (77, 10)


@pytest.mark.parametrize("caller", [Protocol.MESSAGES, Protocol.RESPONSES])
def test_an_error_inside_a_stream_is_told_in_the_callers_words(caller: Protocol) -> None:
    raw = _chat({"content": "so far"})[: -len(b"data: [DONE]\n\n")]
    raw += b'data: {"error":{"message":"Slow down","type":"rate_limit_exceeded","code":"rate_limit_exceeded"}}\n\n'
    between = translator(asking(caller, "go", stream=True), caller)
    last = events_of(between.stream(Protocol.CHAT).feed(raw + b"data: [DONE]\n\n"))[-1]
    if caller is Protocol.MESSAGES:
        assert last == {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}
    else:
        assert last["type"] == "response.failed"
        assert last["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Slow down"}


def test_an_overloaded_provider_is_told_to_chat_clients_as_something_to_try_again() -> None:
    raw = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    between = translator(asking(Protocol.CHAT, "go", stream=True), Protocol.CHAT)
    error = events_of(between.stream(Protocol.MESSAGES).feed(raw))[-1]["error"]
    assert (error["type"], error["message"]) == ("server_error", "Overloaded")


@pytest.mark.parametrize("caller", list(Protocol))
def test_a_stream_that_broke_off_gets_a_last_word_and_nothing_after_it(caller: Protocol) -> None:
    provider = Protocol.CHAT if caller is not Protocol.CHAT else Protocol.MESSAGES
    stream = translator(asking(caller, "go", stream=True), caller).stream(provider)
    last = events_of(stream.fail(502, "The provider broke off.", "upstream_unavailable"))[-1]
    assert "The provider broke off." in json.dumps(last)
    assert stream.end() == stream.feed(_chat({"content": "late"})) == b""


@pytest.mark.parametrize("caller", list(Protocol))
def test_a_missing_last_event_is_made_up_for(caller: Protocol) -> None:
    provider = Protocol.CHAT if caller is not Protocol.CHAT else Protocol.MESSAGES
    body = asking(caller, "say hi", stream=True)
    between = translator(body, caller)
    raw = provided(provider, between.request(provider, Target("demo-fast", 4_096)))
    stream = between.stream(provider)
    told = stream.feed(raw[: raw.rindex(b"\n\n", 0, -2) + 2]) + stream.end()
    assert assembled(caller, events_of(told))[0] != ""


@pytest.mark.parametrize("caller", list(Protocol))
def test_signs_of_life_pass(caller: Protocol) -> None:
    provider = Protocol.CHAT if caller is not Protocol.CHAT else Protocol.MESSAGES
    stream = translator(asking(caller, "go", stream=True), caller).stream(provider)
    told = stream.feed(b": keep-alive\n\n")
    assert b"ping" in told


@pytest.mark.parametrize("garbage", [b"data: {\n\n", b"data: []\n\n", b'data: {"choices":[{"delta":5}]}\n\n'])
def test_a_chunk_that_cannot_be_read_ends_the_stream_with_an_error(garbage: bytes) -> None:
    found = events_of(
        translator(asking(Protocol.MESSAGES, "go", stream=True), Protocol.MESSAGES).stream(Protocol.CHAT).feed(garbage)
    )
    assert found[-1]["error"]["type"] == "api_error"
