"""AWS's binary event stream, in whatever pieces it comes."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.gateway.providers.eventstream import BrokenStream, EventStream, encoded

pytestmark = pytest.mark.any_stack


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text("abc:-", min_size=1), st.text(max_size=20), max_size=3), st.binary(max_size=200)
        ),
        max_size=5,
    ),
    st.data(),
)
def test_messages_come_out_whole_however_they_are_cut(
    messages: list[tuple[dict[str, str], bytes]], data: st.DataObject
) -> None:
    raw = b"".join(encoded(headers, payload) for headers, payload in messages)
    stream, found, at = EventStream(), list[tuple[dict[str, str], bytes]](), 0
    while at < len(raw):
        size = data.draw(st.integers(1, len(raw)))
        found += [(message.headers, message.payload) for message in stream.feed(raw[at : at + size])]
        at += size
    assert found == messages
    assert not stream.torn


def test_half_a_message_is_torn() -> None:
    stream = EventStream()
    assert list(stream.feed(encoded({"a": "b"}, b"payload")[:-3])) == []
    assert stream.torn


@pytest.mark.parametrize("at", [0, 5, 9, 14, 20, -2])
def test_a_changed_byte_is_found(at: int) -> None:
    raw = bytearray(encoded({":event-type": "chunk"}, b"payload"))
    raw[at] ^= 0x40
    with pytest.raises(BrokenStream):
        list(EventStream().feed(bytes(raw)))


def test_other_types_of_headers_are_passed_over() -> None:
    block = b"\x01t\x00" + b"\x01n\x04" + struct.pack(">i", 7) + b"\x01b\x06\x00\x02xy" + b"\x01s\x07\x00\x01z"
    lengths = struct.pack(">II", 16 + len(block), len(block))
    message = lengths + zlib.crc32(lengths).to_bytes(4) + block
    raw = message + zlib.crc32(message).to_bytes(4)
    assert [m.headers for m in EventStream().feed(raw)] == [{"s": "z"}]
