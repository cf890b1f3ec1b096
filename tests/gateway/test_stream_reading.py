"""However a stream is cut on the wire, the same bytes come out and the same usage is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    GEMINI_EVENTS,
    MESSAGE_EVENTS,
    RESPONSE_EVENTS,
    RESPONSE_START,
    response_delta,
    text_chunk,
    text_delta,
)
from sluicegate.domain.catalog import Dialect, Protocol, ProviderKind
from sluicegate.domain.usage import Prices, TokenUsage
from sluicegate.gateway.dialects.chat import ChatCompletions, ChatTally
from sluicegate.gateway.dialects.gemini import GeminiTally
from sluicegate.gateway.dialects.messages import Messages, MessagesTally
from sluicegate.gateway.dialects.responses import Responses, ResponsesTally
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.routing import in_order
from sluicegate.gateway.stream.events import EventSplitter, data_of, marked, split_events, without
from sluicegate.gateway.stream.meter import StreamMeter, Tally
from sluicegate.policy.compile import Route

pytestmark = pytest.mark.any_stack

COMMENT = b": keep-alive\n\n"
CHAT_STREAM = COMMENT + b"".join((*CHAT_EVENTS, text_chunk('say "usage": {} [DONE]'), CHAT_USAGE, CHAT_DONE))
MESSAGE_STREAM = b"".join((*MESSAGE_EVENTS[:5], text_delta('{"type":"message_stop"}'), *MESSAGE_EVENTS[5:]))
RESPONSES_STREAM = b"".join((RESPONSE_START, response_delta('{"type":"response.completed"}'), *RESPONSE_EVENTS[1:]))
EXPECTED = {
    "chat": TokenUsage(input=11, cache_read=100, cache_write_5m=7, output=17, reasoning=4),
    "messages": TokenUsage(11, 100, 5, 2, 17, 4),
    "responses": TokenUsage(11, 100, 5, 2, 17, 4),
}
STREAMS = {"chat": CHAT_STREAM, "messages": MESSAGE_STREAM, "responses": RESPONSES_STREAM}
WIRES: dict[str, Wire] = {"chat": ChatCompletions(), "messages": Messages(), "responses": Responses()}


def meter_for(kind: str) -> StreamMeter:
    return WIRES[kind].meter(hide_usage=True)


def stream_of(kind: str, line_end: bytes) -> bytes:
    return STREAMS[kind].replace(b"\n", line_end)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(c % len(data) for c in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(bounds)]


def metered(kind: str, parts: list[bytes]) -> tuple[bytes, TokenUsage, bool, bool]:
    meter = meter_for(kind)
    passed = b"".join(meter.feed(part) for part in parts)
    if not meter.final:
        passed += meter.end()
    usage, estimated = meter.usage(1)
    return passed, usage, estimated, meter.final


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", WIRES)
def test_one_cut_anywhere_changes_nothing(kind: str, line_end: bytes) -> None:
    stream = stream_of(kind, line_end)
    hidden = CHAT_USAGE.replace(b"\n", line_end) if kind == "chat" else b""
    for at in range(1, len(stream)):
        passed, usage, estimated, final = metered(kind, [stream[:at], stream[at:]])
        assert passed == stream.replace(hidden, b"")
        assert (usage, estimated, final) == (EXPECTED[kind], False, True)


@given(
    kind=st.sampled_from(sorted(WIRES)),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 10_000), max_size=60),
)
def test_many_cuts_change_nothing(kind: str, line_end: bytes, cuts: list[int]) -> None:
    stream = stream_of(kind, line_end)
    hidden = CHAT_USAGE.replace(b"\n", line_end) if kind == "chat" else b""
    passed, usage, estimated, final = metered(kind, pieces(stream, cuts))
    assert passed == stream.replace(hidden, b"")
    assert (usage, estimated, final) == (EXPECTED[kind], False, True)


@given(cuts=st.lists(st.integers(0, 10_000), max_size=40), words=st.lists(st.text(), min_size=1, max_size=20))
def test_text_is_measured_the_same_however_it_is_cut(cuts: list[int], words: list[str]) -> None:
    stream = b"".join(text_chunk(word) for word in words) + CHAT_DONE
    whole = metered("chat", [stream])
    assert metered("chat", pieces(stream, cuts)) == whole
    assert whole[2]


@given(
    st.lists(st.sampled_from([b"data: a\n\n", b": b\n\n", b"event: d\ndata: ab\n\n", b"data: c\n\n"])),
    st.sampled_from([b"", b"data: f", b"b"]),
    st.integers(0, 40),
)
def test_marked_events_are_all_that_hold_a_mark(events: list[bytes], rest: bytes, first: int) -> None:
    block = b"".join(events) + rest
    whole = split_events(block)
    places = [0, *accumulate(map(len, whole))]
    marks = ((b"b", 0), (b"c", first))
    expected = [
        (begin, end)
        for (begin, end), event in zip(pairwise(places), whole, strict=True)
        if b"b" in event or b"c" in block[max(begin, first) : end]
    ]
    assert marked(block, marks) == expected
    assert without(block, expected) == b"".join(
        event for place, event in zip(pairwise(places), whole, strict=True) if place not in expected
    )


TALLIES: dict[str, Callable[[bool], Tally]] = {
    "chat": lambda hide: ChatTally(hide_usage=hide),
    "messages": lambda _: MessagesTally(),
    "responses": lambda _: ResponsesTally(),
    "gemini": lambda _: GeminiTally(),
}
# What decides about a bill, in its usual and in less usual forms, and what only looks as if it did.
TELLING = [
    text_chunk('say "usage": {} [DONE] "error"'),
    text_chunk("word"),
    CHAT_USAGE,
    CHAT_USAGE.replace(b'"usage": ', b'"usage" :\t'),
    CHAT_USAGE.replace(b" ", b"").replace(b"data:", b"data: "),
    CHAT_USAGE.replace(b'"completion_tokens": 17', b'"completion_tokens": -1'),
    CHAT_USAGE.replace(b'"choices": []', b'"choices": [{"index": 0, "delta": {"content": "with words"}}]'),
    CHAT_USAGE.replace(b'"choices"', b'"error": null, "choices"'),
    CHAT_USAGE.replace(b'"choices"', b'"error": {}, "choices"'),
    b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\n\n' * 20,
    b'data: {"choices":[],"usage":5}\n\n',
    b'data: {"choices":[],"usage":{}}\n\n',
    b'data: {"error": {"message": "busy"}}\n\n',
    b"data: [DONE]\n\n",
    b"data:[DONE] \n\n",
    b'data: {"torn": "usage"\n\n',
    *MESSAGE_EVENTS,
    text_delta('{"type":"message_stop"}'),
    b'event: error\ndata: {"type": "error", "error": {}}\n\n',
    RESPONSE_START,
    *RESPONSE_EVENTS[1:],
    response_delta('{"type":"response.completed"}'),
    *GEMINI_EVENTS,
]


@settings(max_examples=300)
@given(
    kind=st.sampled_from(sorted(TALLIES)),
    hide=st.booleans(),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
    told=st.lists(st.sampled_from(TELLING), max_size=12),
    cuts=st.lists(st.integers(0, 20_000), max_size=6),
)
def test_only_looking_at_what_is_marked_tells_the_same_as_looking_at_all(
    kind: str, hide: bool, line_end: bytes, told: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(told).replace(b"\n", line_end)
    tally = TALLIES[kind](hide)
    expected = b"".join(event for event in split_events(stream) if tally.note(data_of(event)))
    meter = StreamMeter(TALLIES[kind](hide))
    passed = b"".join(meter.feed(part) for part in pieces(stream, cuts)) if stream else b""
    assert passed == expected
    assert (meter.final, meter.failed) == (tally.final, tally.failed)
    assert meter.usage(7) == tally.reading().completed(7, tally.measure(stream))


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=10))
def test_any_bytes_at_all_come_out_as_they_went_in(data: bytes, cuts: list[int]) -> None:
    splitter = EventSplitter()
    parts = pieces(data, cuts) if data else []
    passed = b"".join(splitter.feed(part) for part in parts)
    assert passed + splitter.rest() == data
    assert b"".join(split_events(data)) == data


@settings(max_examples=200)
@given(data=st.lists(st.sampled_from([b"\n", b"\r", b"data: x", b":c", b"\r\n", b'{"usage": {']), max_size=30))
def test_the_meter_survives_anything(data: list[bytes]) -> None:
    for kind in WIRES:
        metered(kind, data)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\r\n\r\n", b"a"),
        (b"event: x\ndata: a\ndata:  b\n\n", b"a\n b"),
        (b": comment\n\n", b""),
        (b"data\n\n", b""),
    ],
)
def test_data_lines_are_joined(event: bytes, data: bytes) -> None:
    assert data_of(event) == data


def route(name: str, priority: int, weight: int) -> Route:
    return Route(
        provider_id=name,
        provider_name=name,
        kind=ProviderKind.DEMO,
        dialects=(Dialect.OPENAI,),
        protocols=(Protocol.CHAT,),
        origin=None,
        base_path="/v1",
        credential=None,
        organization=None,
        provider_model=name,
        prices=Prices(),
        price_list_id="list",
        priority=priority,
        weight=weight,
        max_output_tokens=None,
    )


def test_backends_go_by_priority_and_share_by_weight() -> None:
    routes = [route("late", 2, 100), route("heavy", 1, 9), route("light", 1, 1), route("never", 1, 0)]
    draws = [[r.provider_id for r in in_order(routes)] for _ in range(600)]
    assert all(draw[3] == "late" and draw[2] == "never" for draw in draws)
    heavy_first = sum(draw[0] == "heavy" for draw in draws)
    assert 480 < heavy_first < 590
    assert [r.provider_id for r in in_order([replace(routes[0])])] == ["late"]
