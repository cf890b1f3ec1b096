"""One HTTP/1.1 connection and the answer it is reading.

This is the hottest code of the gateway, so it trades a little elegance for few allocations: one parser for the life of
a connection, one wake-up for each read from the socket however many chunks it held, no timer per request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sluicegate.adapters.upstream.whole import whole_answer
from sluicegate.ports.upstream import RawHeaders, UpstreamError, UpstreamRequest

_WHOLE_WRITE = 64 * 1024
_WRITE_SLICE = 256 * 1024
_INTERIM_STATUSES = frozenset({100, 102, 103})


def sent_whole(body: bytes) -> bool:
    """Whether a body leaves at once, with nothing of it to be sent as the provider takes it."""
    return len(body) <= _WRITE_SLICE


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an answer may be held. `head` also bounds trailers and any other bytes that carry no body."""

    head: int = 64 * 1024
    buffered_body: int = 128 * 1024


class Owner(Protocol):
    """The pool, as a connection sees it."""

    def released(self, connection: Connection) -> None:
        """The answer has arrived whole and the connection may serve another request."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is of no more use; called once."""
        ...

    def detached(self, connection: Connection, /) -> None:
        """The socket is closed; called once, after `lost`."""
        ...

    def watch(self, deadline: float, /) -> None:
        """Have `Connection.expire` called soon after this moment."""
        ...


class Http11Response:
    """See `ports.upstream.Arriving`. Handed out once `status` is set, which is when the head has arrived."""

    __slots__ = (
        "_complete",
        "_connection",
        "_waiter",
        "chunks",
        "error",
        "going_on",
        "headers",
        "listener",
        "size",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.headers: RawHeaders = []
        self._connection: Connection | None = connection
        self._complete = False
        self.going_on = True
        self.chunks: list[bytes] = []
        self.size = 0
        self.error: UpstreamError | None = None
        # Where somebody would rather not wait in a task.
        self.listener: Callable[[], None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def take_whole(self, headers: RawHeaders, body: bytes) -> None:
        self.status = 200
        self.headers = headers
        if body:
            self.chunks.append(body)
            self.size = len(body)

    def buffered(self) -> bytes | None:
        return self.take() if self._complete else None

    async def read(self) -> bytes:
        while (taken := self.take()) is None:
            await self.wait()
        return taken

    def take(self) -> bytes | None:
        chunks = self.chunks
        if chunks:
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            self.size = 0
            connection = self._connection
            if connection is not None and connection.reading_paused:
                connection.resume_reading()
            return body
        if self._complete:
            return b""
        if self.error is not None:
            raise self.error
        return None

    def notify(self, listener: Callable[[], None] | None) -> None:
        self.listener = listener

    async def aclose(self) -> None:
        self.discard()

    def discard(self) -> None:
        self.listener = None
        # A whole answer has let go of its connection, which may be carrying another exchange by now.
        connection = self._connection
        if connection is not None:
            connection.abandon()
        self.chunks.clear()
        self.size = 0

    async def wait(self) -> None:
        """Until the head, more of the body, the end or an error has come."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        listener = self.listener
        if listener is not None:
            listener()

    def finish(self) -> None:
        self._connection = None
        self._complete = True
        self._end()

    def fail(self, error: UpstreamError) -> None:
        self._connection = None
        self.error = error
        self._end()

    def _end(self) -> None:
        self.going_on = False
        self.wake()
        # Who listens mostly holds the answer: together they would be left to the search for garbage.
        self.listener = None


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Times are those of the event loop."""

    __slots__ = (
        "_barren",
        "_bounds",
        "_came",
        "_came_whole",
        "_complete",
        "_drained",
        "_fault",
        "_head_only",
        "_idle_timeout",
        "_now",
        "_owner",
        "_parser",
        "_received",
        "_response",
        "_reusable",
        "_sending",
        "_transport",
        "_write_paused",
        "closed",
        "deadline",
        "on_body",
        "reading_paused",
        "used",
    )

    def __init__(self, owner: Owner, bounds: Bounds, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._bounds = bounds
        self._now = loop.time
        # What the parser gives of the body out of one read, without a call of Python for each of many small chunks; the
        # first `_came_whole` pieces are all that belongs to an answer that came whole.
        self._came: list[bytes] = []
        self._came_whole = 0
        self.on_body = self._came.append
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._response: Http11Response | None = None
        self._idle_timeout = 0.0
        self._head_only = False
        # Of the present answer: whether any byte came, whether it came whole, and what was wrong with it.
        self._received = False
        self._complete = False
        self._reusable = False
        self._fault: str | None = None
        self._barren = 0
        self._sending = False
        self._write_paused = False
        self._drained: asyncio.Future[None] | None = None
        self.reading_paused = False
        self.closed = False
        self.used = False
        self.deadline = inf

    # Sending

    def begin(self, head: bytes, request: UpstreamRequest) -> Http11Response:
        """Write the request, whose head is encoded. When `unsent` then gives bytes, `send_rest` must be awaited with
        them."""
        body, timeouts = request.body, request.timeouts
        response = Http11Response(self)
        self._response = response
        self._head_only = request.method == "HEAD"
        self._idle_timeout = timeouts.idle
        self._received = False
        self._complete = False
        self._barren = 0
        if len(body) <= _WHOLE_WRITE:
            self._transport.write(head + body if body else head)
        else:
            self._sending = len(body) > _WRITE_SLICE
            self._transport.writelines((head, memoryview(body)[:_WRITE_SLICE]))
        self.expire_in(timeouts.first_byte)
        return response

    @staticmethod
    def unsent(body: bytes) -> memoryview | None:
        return memoryview(body)[_WRITE_SLICE:] if len(body) > _WRITE_SLICE else None

    async def send_rest(self, response: Http11Response, rest: memoryview, *, first_byte: float) -> None:
        """Write the rest of a long body no faster than the provider takes it.

        Stops early when the exchange failed or the provider has refused the request by its status.
        """
        start = 0
        while start < len(rest):
            if self._write_paused:
                self.expire_in(self._idle_timeout)
                self._drained = asyncio.get_running_loop().create_future()
                try:
                    await self._drained
                finally:
                    self._drained = None
            if self._response is not response or response.status >= 400:
                return
            self._transport.write(rest[start : start + _WRITE_SLICE])
            start += _WRITE_SLICE
        self._sending = False
        self.expire_in(self._idle_timeout if response.status else first_byte)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake_sender()

    def _wake_sender(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # Receiving

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            # Bytes nobody asked for could be taken for the answer to the next request.
            self.close()
            return
        if not self._received:
            self._received = True
            # As every chunk ends, and hardly any other answer.
            parts = self._head_only or data.endswith(b"\r\n")
            whole = None if parts else whole_answer(data, self._bounds.head)
            if whole is not None:
                self._complete = self._reusable = True
                response.take_whole(*whole)
                self._finish(response)
                return
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # After a whole answer the rest is no part of it, but the connection can't be trusted any more.
            if not self._complete:
                self._take_body(response)
                self._fail("protocol", f"The answer is not valid HTTP/1.1: {self._fault or error}.")
                return
            self._reusable = False
        if self._came:
            self._take_body(response)
        if self._complete:
            self._finish(response)
            return
        if self._barren > self._bounds.head:
            self._fail("protocol", "The answer's header fields are too large.")
            return
        if response.status:
            # Over TLS some data still comes after the pause.
            if response.size > self._bounds.buffered_body:
                if not self.reading_paused:
                    self.reading_paused = True
                    self._transport.pause_reading()
                    # The silence that follows is ours, not the provider's.
                    self.deadline = inf
            else:
                self.expire_in(self._idle_timeout)
            response.wake()
            if self._sending:
                self._wake_sender()

    def _take_body(self, response: Http11Response) -> None:
        came = self._came
        if self._complete:
            # Whatever follows is no part of this answer.
            del came[self._came_whole :]
        if came:
            body = came[0] if len(came) == 1 else b"".join(came)
            came.clear()
            self._barren = 0
            response.chunks.append(body)
            response.size += len(body)

    def _finish(self, response: Http11Response) -> None:
        self._response = None
        self.used = True
        if self.reading_paused:
            self.resume_reading()
        # A provider that answers before it has the whole request would read the rest as the next one.
        if self._reusable and not self._sending:
            self._owner.released(self)
        else:
            self.close()
            self._wake_sender()
        response.finish()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self.expire_in(self._idle_timeout)
        self._transport.resume_reading()

    def eof_received(self) -> None:
        if self._response is None:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        response = self._response
        if response is not None:
            if exc is None and response.status and self._runs_until_close(response):
                self._reusable = False
                self._finish(response)
            else:
                self._fail("closed", "The provider closed the connection before its answer was complete.")
        self.close()
        self._owner.detached(self)

    def _runs_until_close(self, response: Http11Response) -> bool:
        """Whether the end of the connection is the proper end of this body (RFC 9112, section 6.3)."""
        codings = b""
        for name, value in response.headers:
            if name == b"content-length":
                return False
            if name == b"transfer-encoding":
                codings = value
        return codings.rpartition(b",")[2].strip().lower() != b"chunked"

    # What the parser calls

    def on_message_begin(self) -> None:
        if self._complete:
            self._reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        response = self._response
        # Those after the head are trailers, which the port does not hand on.
        if response is not None and not response.status:
            response.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        response = self._response
        if response is None or self._complete:
            return
        status = self._parser.get_status_code()
        if self._barren > self._bounds.head and sum(map(_header_size, response.headers)) > self._bounds.head:
            self._fault = "the header fields are too large"
            raise HttpParserError(self._fault)
        if status in _INTERIM_STATUSES:
            response.headers.clear()
            return
        if not 200 <= status <= 599:
            self._fault = f"unexpected status {status}"
            raise HttpParserError(self._fault)
        response.status = status
        if self._head_only:
            # The parser can't be told that no body follows, so the connection ends with this answer.
            self._complete = True
            self._came_whole = 0
            self._reusable = False

    def on_message_complete(self) -> None:
        response = self._response
        if response is not None and response.status and not self._complete:
            self._complete = True
            self._came_whole = len(self._came)
            self._reusable = self._parser.should_keep_alive()

    # Ending

    def expire(self) -> None:
        """The deadline has passed."""
        response = self._response
        if response is None:
            self.close()
        elif self._drained is not None:
            self._fail("timeout", "The provider stopped taking the request.")
        elif response.status:
            self._fail("timeout", "The provider sent nothing more for too long.")
        else:
            self._fail("timeout", "The provider did not begin to answer in time.")

    def abandon(self) -> None:
        """The caller gave the exchange up; closing is how the provider hears of it."""
        if self._response is not None:
            self._fail("closed", "The answer was given up by its reader.")
        self.close()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.deadline = inf
        # Not `close`, which over TLS would keep the socket until the peer agrees.
        self._transport.abort()
        self._owner.lost(self)

    def _fail(self, kind: str, message: str) -> None:
        response = self._response
        self._response = None
        self.close()
        if response is not None:
            response.fail(UpstreamError(kind, message, before_first_byte=not self._received, sent=True))
        self._wake_sender()

    def expire_in(self, seconds: float) -> None:
        before, deadline = self.deadline, self._now() + seconds
        self.deadline = deadline
        # Whoever watches looks at what was due earlier as it comes, and finds the new deadline.
        if deadline < before:
            self._owner.watch(deadline)


def _header_size(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1]) + 4
