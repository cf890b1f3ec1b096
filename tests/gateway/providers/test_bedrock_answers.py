"""Bedrock's binary messages as events, wherever the bytes happen to be cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.bedrock import exception, frame, pieces
from fakes.wire import MESSAGE_EVENTS
from sluicegate.gateway.providers.bedrock_answers import told
from sluicegate.ports.upstream import RawHeaders, UpstreamError

pytestmark = pytest.mark.any_stack

_STREAM: RawHeaders = [(b"content-type", b"application/vnd.amazon.eventstream")]
_TARGET = "/model/m/invoke-with-response-stream"
_RAW = b"".join(pieces(MESSAGE_EVENTS))
# The last event is written anew, since Bedrock puts figures of its own into it.
_EXPECTED = b"".join(MESSAGE_EVENTS[:-1]) + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class _Answer:
    """Gives its chunks one by one, then ends."""

    def __init__(self, *chunks: bytes, status: int = 200, headers: RawHeaders = _STREAM) -> None:
        self.status, self.headers, self.closed = status, headers, False
        self._chunks = [chunk for chunk in chunks if chunk]

    def buffered(self) -> bytes | None:
        return None

    async def read(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    async def aclose(self) -> None:
        self.closed = True


async def _read(*chunks: bytes) -> bytes:
    answer = await told(_Answer(*chunks), _TARGET)
    data = b""
    while piece := await answer.read():
        data += piece
    return data


async def test_a_stream_is_the_same_wherever_it_is_cut_in_two() -> None:
    for at in range(len(_RAW) + 1):
        assert await _read(_RAW[:at], _RAW[at:]) == _EXPECTED


@given(st.lists(st.integers(0, len(_RAW)), max_size=40))
async def test_a_stream_is_the_same_in_however_many_pieces(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(_RAW)]
    assert await _read(*(_RAW[a:b] for a, b in pairwise(edges))) == _EXPECTED


_ENDS = [sum(map(len, pieces(MESSAGE_EVENTS[:n]))) for n in range(len(MESSAGE_EVENTS))]


async def test_a_stream_that_ends_between_messages_gives_what_came() -> None:
    for number, at in enumerate(_ENDS[1:], 1):
        assert await _read(_RAW[:at]) == b"".join(MESSAGE_EVENTS[:number])


async def test_a_stream_without_a_message_has_not_begun() -> None:
    with pytest.raises(UpstreamError, match="empty") as caught:
        await _read(b"")
    assert caught.value.before_first_byte


async def test_a_stream_that_ends_inside_a_message_is_broken() -> None:
    for at in sorted(set(range(len(_RAW))) - set(_ENDS)):
        with pytest.raises(UpstreamError, match="ends in the middle of a message") as caught:
            await _read(_RAW[:at])
        assert caught.value.kind == "protocol"


@given(st.integers(0, len(_RAW) - 1), st.integers(1, 255))
async def test_no_changed_byte_goes_unnoticed(at: int, mask: int) -> None:
    damaged = bytearray(_RAW)
    damaged[at] ^= mask
    with pytest.raises(UpstreamError) as caught:
        await _read(bytes(damaged), _RAW)
    assert caught.value.kind == "protocol"


async def test_what_came_before_the_damage_is_passed_on_first() -> None:
    first, second = pieces(MESSAGE_EVENTS[:2])
    answer = await told(_Answer(first + second[:-1] + b"\0"), _TARGET)
    assert await answer.read() == MESSAGE_EVENTS[0]
    with pytest.raises(UpstreamError, match="does not fit its checksum") as caught:
        await answer.read()
    assert not caught.value.before_first_byte


async def test_damage_at_the_very_beginning_may_be_tried_elsewhere() -> None:
    with pytest.raises(UpstreamError) as caught:
        await told(_Answer(b"\0" * 64), _TARGET)
    assert (caught.value.before_first_byte, caught.value.sent) == (True, True)


@pytest.mark.parametrize(
    "payload",
    [{"bytes": "%%%"}, {"bytes": "bm90IGpzb24="}, {"bytes": "eyJ0eXBlIjoiYVxuYiJ9"}, {"bytes": "e30="}, 7],
)
async def test_a_chunk_that_is_no_event_breaks_the_stream(payload: object) -> None:
    """Not base64, not JSON, a name that would end its line, no name, no object."""
    with pytest.raises(UpstreamError, match="a chunk that"):
        await told(_Answer(frame({":event-type": "chunk", ":message-type": "event"}, payload)), _TARGET)


async def test_messages_of_other_types_are_passed_over() -> None:
    other = frame({":event-type": "initial-response", ":message-type": "event"}, {})
    assert await _read(other + _RAW) == _EXPECTED


async def test_exceptions_that_nobody_knows_yet_are_failures_of_the_provider() -> None:
    answer = await told(_Answer(exception("newException", "who knows")), _TARGET)
    assert (answer.status, answer.headers) == (500, [(b"content-type", b"application/json")])
    error = {"type": "api_error", "message": "newException: who knows"}
    assert json.loads(await answer.read()) == {"type": "error", "error": error}


async def test_an_error_without_words_still_says_something() -> None:
    plain: RawHeaders = [(b"content-type", b"text/html"), (b"retry-after", b"3"), (b"x-amzn-requestid", b"r1")]
    answer = await told(_Answer(b"<html>", status=503, headers=plain), "/model/m/invoke")
    assert (answer.status, answer.headers[1:]) == (503, [(b"request-id", b"r1"), (b"retry-after", b"3")])
    assert b"status 503" in await answer.read()
