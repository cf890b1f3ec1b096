"""Bodies in chunks, however they are cut into reads: what a connection gives is what the parser says."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import httptools
from hypothesis import example, given
from hypothesis import strategies as st

from sluicegate.adapters.upstream.connection import Bounds, Connection
from sluicegate.ports.upstream import Origin, Timeouts, UpstreamError, UpstreamRequest

ASKED = UpstreamRequest(Origin("http", "nowhere.invalid", 80), "POST", "/", [], b"", Timeouts())
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSES = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
PIECES = [
    b"5\r\nhello\r\n",
    b"0005;ext=1\r\nwor\r\n\r\n",
    b"A\r\n0123456789\r\n",
    b"0\r\n\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"fffffffffffffffff\r\n",
    b"zz\r\n",
    b"5\r\nhello",
    b"data: {}\n\n",
    LENGTH,
    b"more",
]


class Nowhere:
    """A socket and a pool of which nothing is asked."""

    def __init__(self) -> None:
        self.aborted = False
        self.free = False

    def write(self, data: bytes) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def abort(self) -> None:
        self.aborted = True

    def released(self, connection: Connection) -> None:
        self.free = True

    def lost(self, connection: Connection) -> None: ...
    def detached(self, connection: Connection) -> None: ...
    def watch(self, deadline: float) -> None: ...


class Parsed:
    """The first answer that is not an interim one, by the parser alone."""

    def __init__(self, reads: list[bytes]) -> None:
        self.body = b""
        self.whole = self.final = self.failed = False
        parser = self.parser = httptools.HttpResponseParser(self)
        for read in reads:
            try:
                parser.feed_data(read)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self.failed = not self.whole
            if self.whole or self.failed:
                return

    def on_headers_complete(self) -> None:
        self.final = self.parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        if not self.whole:
            self.body += body

    def on_message_complete(self) -> None:
        self.whole = self.whole or self.final


def read_by_connection(reads: list[bytes]) -> tuple[bytes, bool, bool]:
    """The body, and whether it came whole or failed."""
    nowhere, loop = Nowhere(), asyncio.new_event_loop()
    try:
        connection = Connection(cast("Any", nowhere), Bounds(), loop)
        connection.connection_made(cast("Any", nowhere))
        response = connection.begin(b"", ASKED)
        body = b""
        for read in reads:
            connection.data_received(read)
            try:
                while taken := response.take():
                    body += taken
            except UpstreamError:
                return body, False, True
            if taken == b"":
                return body, True, False
        return body, False, False
    finally:
        loop.close()


@given(
    st.sampled_from([HEAD, CLOSES, CONTINUE + HEAD, LENGTH]),
    st.lists(st.sampled_from(PIECES), max_size=6),
    st.lists(st.integers(0, 400), max_size=6),
)
@example(HEAD, [PIECES[0], PIECES[3], LENGTH, b"another!!"], [])
@example(HEAD, [PIECES[0], b"zz\r\n"], [])
@example(HEAD, [PIECES[0]] * 6, [60])
def test_a_body_is_what_the_parser_says(head: bytes, pieces: list[bytes], cuts: list[int]) -> None:
    data = head + b"".join(pieces)
    places = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    reads = [data[start:end] for start, end in pairwise(places)]
    parsed = Parsed(reads)
    assert read_by_connection(reads) == (parsed.body, parsed.whole, parsed.failed)
