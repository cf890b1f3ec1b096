"""Requests told by a head that was seen before: whatever is taken so is what the parser would have made of it."""

from __future__ import annotations

from typing import cast

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluicegate.cli.repeated import Repeated
from sluicegate.gateway.direct import Head

HEAD = cast("Head", object())
BEFORE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer k\r\nContent-Length: "
AFTER = b"\r\nAccept: */*\r\n\r\n"


def request(length: bytes, body: bytes, *, before: bytes = BEFORE, after: bytes = AFTER) -> bytes:
    return before + length + after + body


class Parsed:
    """What a parser makes of bytes that follow each other on a connection."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, list[tuple[bytes, bytes]], bytes]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.url = self.body = b""
        self.parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.headers, self.url, self.body = [], b"", b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages.append((self.url, self.headers, self.body))


def learnt() -> Repeated:
    repeated = Repeated.learn(HEAD, request(b"2", b"{}"), b"2")
    assert repeated is not None
    return repeated


PIECES = st.sampled_from(
    [
        *(BEFORE, AFTER, b"{}", b"[1]", b"\r\n", b"\r\n\r\n", b""),
        *(b"0", b"2", b"02", b"+2", b" 2", b"2 ", b"0x2", b"2_0", b"\xb2", b"-1"),
        *(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    ]
)


@given(st.lists(PIECES, max_size=4))
@example([b"2", AFTER, b"{}"])
@example([b"2", AFTER, b"{}", b"GET / HTTP/1.1\r\n\r\n"])
@example([b"2\r\nContent-Length: 2", AFTER, b"{}"])
def test_what_is_taken_is_what_the_parser_would_say(pieces: list[bytes]) -> None:
    data = BEFORE + b"".join(pieces)
    body = learnt().body_of(data, 5)
    if body is None:
        return
    parsed = Parsed()
    parsed.feed(request(b"2", b"{}"))
    parsed.feed(data)
    (url, headers, _), second = parsed.messages
    assert second[2] == body
    assert second[0] == url
    assert [h for h in second[1] if h[0] != b"content-length"] == [h for h in headers if h[0] != b"content-length"]


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 10, b"x" * 99_999])
def test_another_length_is_no_other_head(body: bytes) -> None:
    assert learnt().body_of(request(b"%d" % len(body), body), 5) == body


@pytest.mark.parametrize(
    "data",
    [
        request(b"100000", b"x" * 100_000),
        request(b"3", b"{}"),
        request(b"2", b"{}G"),
        request(b"2", b"{}", after=AFTER.replace(b"*/*", b"a/b")),
        request(b"2", b"{}", before=BEFORE.replace(b"Bearer k", b"Bearer l")),
        request(b"2", b"{}")[:-1],
        BEFORE,
        b"",
    ],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    assert learnt().body_of(data, 5) is None


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (request(b"2", b"{}", after=b"\r\nContent-Length: 2\r\n\r\n"), b"2"),
        (request(b"2", b"{}x"), b"2"),
        (request(b"2 ", b"{}"), b"2"),
        (request(b"1 2", b"{}"), b"2"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"2"),
    ],
)
def test_a_head_whose_length_is_not_plain_is_not_learnt(data: bytes, length: bytes) -> None:
    assert Repeated.learn(HEAD, data, length) is None
