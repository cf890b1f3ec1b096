"""Answers that are told without the parser: whatever is taken so is what the parser would have made of it."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluicegate.adapters.upstream.whole import whole_answer

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: a b \r\nContent-Length: 2\r\n\r\n{}"


class Parsed:
    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0
        self.stays = False
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(data)
        self.status = self.parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
        self.stays = self.parser.should_keep_alive()


FIELDS = st.sampled_from(
    [
        b"Content-Length: 2",
        b"content-length:2",
        b"Content-Length: 3",
        b"Content-Length: +2",
        b"Content-Length: 2, 2",
        b"Content-Length : 2",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: Keep-Alive",
        b"Connection: keep-alive, close",
        b"Upgrade: websocket",
        b"Server: nginx\tfast",
        b"Empty:",
        b"No colon",
        b" Folded: line",
        b"\tFolded",
        b"Bad name: x",
        b"Date: Sun, 29 Nov 2026 08:00:00 GMT",
        b"Na\xc3\xafve: value",
        b"Value: na\xc3\xafve",
        b"Zero: \0",
        b"Bare: a\rb",
        b"Line: a\nb",
        b"",
    ]
)


@given(st.lists(FIELDS, max_size=5), st.sampled_from([b"{}", b"", b"{}x", b"{", b"2\r\n{}\r\n0\r\n\r\n"]))
@example([b"Server: x", b"Content-Length: 2"], b"{}")
@example([b"Content-Length: 2", b"Transfer-Encoding: chunked"], b"{}")
def test_what_is_taken_is_what_the_parser_would_say(fields: list[bytes], body: bytes) -> None:
    data = b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", body])
    taken = whole_answer(data, 65536)
    if taken is None:
        return
    parsed = Parsed(data)
    assert (parsed.status, parsed.complete, parsed.stays) == (200, 1, True)
    assert taken == (parsed.headers, parsed.body)


def test_a_plain_answer_is_taken() -> None:
    taken = whole_answer(PLAIN, 65536)
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"a b"), (b"content-length", b"2")]
    assert taken == (headers, b"{}")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b"200 OK", b"201 Created"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n"),
        PLAIN.replace(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"),
        PLAIN.replace(b"Content-Length: 2\r\n", b""),
        PLAIN[:-1],
        PLAIN + b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"",
    ],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    assert whole_answer(data, 65536) is None


def test_a_head_above_the_bound_is_left_to_the_parser() -> None:
    assert whole_answer(PLAIN, len(PLAIN) - 10) is None
