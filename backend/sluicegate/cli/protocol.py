"""uvicorn's HTTP/1.1 protocol with two costs less for each answer, a packet for the head alone and a timer, and with
bounds on what a caller may send and how slowly.

It builds on methods of uvicorn that are not documented; tests/cli/test_protocol.py tells when a release changes them.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from math import inf
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sluicegate.cli.exchange import Exchange
from sluicegate.cli.joining import Joining
from sluicegate.cli.repeated import Repeated
from sluicegate.cli.unframed import unframed
from sluicegate.gateway.asgi import FAULT
from sluicegate.gateway.direct import App, Direct, Head
from sluicegate.gateway.direct_stream import Reader
from sluicegate.policy.refusals import Refusal, invalid_request, request_timeout

# How long what is left of a request may take once its answer is out.
_LEFTOVER_SECONDS = 5.0
# A server that goes ends a connection that was idle at so many looks in a row, this far apart. After a standstill there
# is one look for each turn of the loop, which reads what has come.
_IDLE_LOOKS, _LOOK_SECONDS = 6, 0.1
_LENGTH = b"content-length"
# Of the length of a body that is kept until it is whole.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class RequestBounds:
    """`head` bytes at most of request line and header fields. A head has `grace` seconds to come; a body has them too,
    and a second more for every `bytes_per_second` that have come."""

    head: int = 64 * 1024
    grace: float = 30.0
    bytes_per_second: int = 10 * 1024


class LeanProtocol(HttpToolsProtocol):
    """The head of an answer leaves with the first part of its body when that follows in the same turn of the loop.
    Timers run on while requests come, and look for themselves what they have to do.

    A request that cannot be taken is handed to the application all the same, with the Refusal as an extension of its
    scope: only the application knows in which words to answer. The connection ends with that answer.
    """

    bounds = RequestBounds()
    direct: Direct | None = None
    # Whether the answer to the next request is the last.
    leaving = False

    _idle_since = inf
    # Of the request that is coming in: since when, how many of its bytes came for certain and how many at most.
    _since = 0.0
    _came = 0
    _at_most = 0
    _chunk = 0
    _begun = 0
    _in_head = False
    # Whether any of its body came with the last part, and how many bytes that are none came since.
    _bodied = False
    _bare = 0
    _deaf = False
    _answered = inf
    _slowness: asyncio.TimerHandle | None = None
    # Of the last call that was taken without ASGI, and of the request that is coming in.
    _head: Head | None = None
    _length: bytes | None = None
    _repeated: Repeated | None = None
    # Who writes an answer in parts without ASGI.
    reader: Reader | None = None

    @classmethod
    def within(cls, bounds: RequestBounds, direct: Direct | None = None) -> type[LeanProtocol]:
        """With `direct`, calls that it takes go no further than to it."""
        return type(cls.__name__, (cls,), {"bounds": bounds, "direct": direct})

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.joining = Joining(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self.joining))
        self._since = self.loop.time()
        self._slowness = self.loop.call_later(self.bounds.grace, self._look_for_slowness)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.joining.lost()
        reader, self.reader = self.reader, None
        if reader is not None:
            reader.leave()
        for timer in (self.timeout_keep_alive_task, self._slowness):
            if timer is not None:
                timer.cancel()
        self.timeout_keep_alive_task = self._slowness = None

    def _unsupported_upgrade_warning(self) -> None:
        """Codex asks for a WebSocket with every turn, and Java's client for HTTP/2: both go on without."""

    # Receiving

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        begun, amidst, repeated = self._begun, self.joining.unfinished, self._repeated
        if repeated is not None and not amidst and self._free:
            body = repeated.body_of(data, _DIGITS)
            if body is not None:
                self._take_again(repeated.head, body)
                return
        self._chunk = len(data)
        self._at_most += len(data)
        super().data_received(data)
        if self.joining.unfinished and not self._deaf:
            self._count(begun, amidst)
        elif not amidst and self._begun == begun + 1:
            self._learn(data)

    @property
    def _free(self) -> bool:
        """Whether nothing is in the way of a further request."""
        last = self.cycle
        return (last is None or last.response_complete) and not self.flow.write_paused

    def _learn(self, data: bytes) -> None:
        """From a request that came as a whole and alone."""
        cycle, known, length = self.cycle, self._repeated, self._length
        if type(cycle) is Exchange and length is not None and (known is None or known.head is not cycle.head):
            self._repeated = Repeated.learn(cycle.head, data, length)

    def _take_again(self, head: Head, body: bytes) -> None:
        """A call whose head the parser has seen: it stands between two requests, before this one and after it."""
        self._idle_since = self._answered = inf
        self._begun += 1
        # Only ASGI needs one, and most calls go without.
        self.scope = cast("Any", None)
        cycle = self.cycle = Exchange(self, head)
        cycle.content = body
        self._carry(cycle)

    def _count(self, begun: int, amidst: bool) -> None:
        """Only requests that come in several parts get here."""
        new = self._begun - begun
        if not new:
            self._came += self._chunk
            self._bare = 0 if self._bodied or self._in_head else self._bare + self._chunk
        else:
            self._bare = 0
            # Behind the end of another request nobody knows how much of the part belongs to this one.
            self._came = 0 if amidst or new > 1 else self._chunk
            self._since = self.loop.time()
        if self._in_head and self._came > self.bounds.head:
            self._refuse(_head_too_large(self.bounds.head))
        elif self._bare > self.bounds.head:
            # The parser keeps what it takes for a trailer until that is whole.
            self._refuse(_trailers_too_large(self.bounds.head))
        elif self._slowness is None:
            self._slowness = self.loop.call_later(self.bounds.grace, self._look_for_slowness)
        self._bodied = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun += 1
        self._in_head = self.joining.unfinished = True
        self._at_most = self._chunk
        self._answered = inf
        self._length = None

    def on_headers_complete(self) -> None:
        bound = self.bounds.head
        self._in_head = False
        if self._at_most > bound and self._head_size() > bound:
            self._refuse(_head_too_large(bound))
        elif not self._deaf and not self._is_call():
            if self._length is not None:
                self.headers.append((_LENGTH, self._length))
            super().on_headers_complete()
            # The parser takes what follows a request for another protocol for that one, which is not spoken here.
            upgrade = cast("httptools.HttpRequestParser", self.parser).should_upgrade()
            if (self.leaving or upgrade) and self.cycle is not None:
                self.cycle.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            # A trailer: no proxy in front has looked at it, and the request is on its way without it.
            return
        name = name.lower()
        if name == _LENGTH:
            # Kept apart: it is what differs between requests that are alike.
            self._length = value
        else:
            super().on_header(name, value)

    def _is_call(self) -> bool:
        """Whether the request is one that may be taken without ASGI; if so, its exchange is there."""
        direct, parser = self.direct, cast("httptools.HttpRequestParser", self.parser)
        if (
            direct is None
            or self._length is None
            or len(self._length) > _DIGITS
            or self.expect_100_continue
            or not self._free
            or parser.get_method() != b"POST"
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
        ):
            return False
        head = self._head
        if head is None or head.headers != self.headers or head.url != self.url:
            head = direct.head_of(self.url, self.headers, self.client[0] if self.client else "")
            if head is None:
                return False
            self._head = head
        if not direct.awaits(head, int(self._length)):
            return False
        self.cycle = Exchange(self, head)
        return True

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        self._bodied = True
        cycle = self.cycle
        if type(cycle) is Exchange and cycle.more_body:
            if not self._deaf:
                cycle.take(body)
        elif not self._deaf:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        self.joining.unfinished = False
        cycle = self.cycle
        if type(cycle) is Exchange and cycle.more_body:
            self._carry(cycle)
        else:
            super().on_message_complete()

    def _carry(self, cycle: Exchange) -> None:
        cycle.complete()
        direct = self.direct
        if direct is None or not direct.take(cycle, cycle.head):
            cycle.hand_over()

    def completed(self, scope: Any, head: Head, length: int) -> Any:
        """The scope of a call that goes on by ASGI; `scope` is what is there of it, None for a repeated request."""
        request = head.request
        if scope is None:
            scope = self._new_scope()
        scope |= {
            "headers": [*head.headers, (_LENGTH, b"%d" % length)],
            "method": request.method,
            "path": request.path,
            "raw_path": head.url.partition(b"?")[0],
            "query_string": request.query,
        }
        return scope

    def _new_scope(self) -> Any:
        """As for a request that begins, while another one may be coming in."""
        kept = (self.url, self.headers, self.expect_100_continue, self.scope)
        HttpToolsProtocol.on_message_begin(self)
        scope = self.scope
        self.url, self.headers, self.expect_100_continue, self.scope = kept
        return scope

    def start_task(self, exchange: Exchange, app: App) -> None:
        self._start_asgi_task(exchange, cast("Any", app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = unframed(app, cycle)
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.reader is not None:
            self.reader.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.reader is not None:
            self.reader.resume()

    def _look_for_slowness(self) -> None:
        self._slowness = None
        if not self.joining.unfinished or self._deaf:
            if not self._begun:
                self.transport.close()
            return
        now, bounds = self.loop.time(), self.bounds
        if self._answered < inf:
            self.joining.plain.abort()
            return
        if self.flow.read_paused:
            # It is the application that takes nothing.
            self._since, self._came = now, 0
        due = self._since + bounds.grace + (0 if self._in_head else self._came / bounds.bytes_per_second)
        if due <= now:
            self._refuse(_too_slow(bounds, in_head=self._in_head))
        else:
            self._slowness = self.loop.call_at(due, self._look_for_slowness)

    def shutdown(self) -> None:
        """Ends the connection with its next answer, of which the head says so, or once none is asked for: a request
        that crosses with the end of a connection is lost, and its caller cannot send it again."""
        if self.leaving:
            return
        self.leaving = True
        if self._free or self.joining.unfinished or self.cycle.response_started:
            self._look_for_last(self._begun, 0)
        else:
            super().shutdown()

    def _look_for_last(self, begun: int, idle: int) -> None:
        if self.transport.is_closing():
            return
        idle = idle + 1 if begun == self._begun and self._free and not self.joining.unfinished else 0
        if idle < _IDLE_LOOKS:
            self.loop.call_later(_LOOK_SECONDS, self._look_for_last, self._begun, idle)
        else:
            super().shutdown()

    # Refusing

    def send_400_response(self, msg: str) -> None:
        if self._deaf:
            return
        # Called where uvicorn has caught what the parser raised.
        error = sys.exc_info()[1]
        known = isinstance(error, httptools.HttpParserError) and not isinstance(
            error, httptools.HttpParserCallbackError
        )
        reason = f": {error}" if known else ""
        self._refuse(invalid_request(f"The request is not valid HTTP/1.1{reason}."))

    def _refuse(self, refusal: Refusal) -> None:
        """Takes nothing more on this connection; the answer waits for those to earlier requests."""
        self._deaf = True
        last = self.cycle
        if last is not None and last.scope is self.scope and self.joining.unfinished:
            # The application has the request already, without its end.
            if last.response_started:
                self.joining.plain.close()
                return
            last.disconnected = True
            last.message_event.set()
            if self.pipeline:
                self.pipeline.popleft()
            waits = bool(self.pipeline)
        else:
            waits = last is not None and not last.response_complete
        self.joining.unfinished = True
        cycle = RequestResponseCycle(
            scope=self._scope_as_far_as_known(refusal),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        self.cycle = cycle
        app = cast("Any", self.app)
        if waits:
            self.pipeline.appendleft((cycle, app))
        else:
            self._start_asgi_task(cycle, app)

    def _scope_as_far_as_known(self, refusal: Refusal) -> Any:
        if self.scope is None:
            super().on_message_begin()
        path, query = b"/", b""
        # Once a header has come, the request line is whole.
        if self.headers or not self._in_head:
            try:
                parsed = httptools.parse_url(self.url)
                path, query = parsed.path or path, parsed.query or query
            except httptools.HttpParserInvalidURLError:
                pass
        known = {
            "method": cast("httptools.HttpRequestParser", self.parser).get_method().decode("ascii"),
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "extensions": {FAULT: refusal},
        }
        return {**self.scope, **known}

    # Answering

    def _unset_keepalive_if_required(self) -> None:
        # Called with every byte that comes: whatever the timer finds from now on is no idle connection.
        self._idle_since = inf

    def on_response_complete(self) -> None:
        goes_on = bool(self.pipeline)
        if goes_on or self.timeout_keep_alive_task is None:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.flow.resume_reading()
        now = self.loop.time()
        self._idle_since = inf if goes_on else now
        if self.joining.unfinished and not goes_on:
            self._answered = now
            if self._slowness is not None:
                self._slowness.cancel()
            self._slowness = self.loop.call_later(_LEFTOVER_SECONDS, self._look_for_slowness)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            super().timeout_keep_alive_handler()
        elif left < inf:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)


def _too_slow(bounds: RequestBounds, *, in_head: bool) -> Refusal:
    if in_head:
        return request_timeout(f"its headers must be here after {bounds.grace:g} seconds")
    return request_timeout(
        f"after {bounds.grace:g} seconds, a body must come with at least {bounds.bytes_per_second:,} bytes a second"
    )


def _trailers_too_large(bound: int) -> Refusal:
    return invalid_request(f"What follows the body is larger than the {bound:,} bytes allowed.", status=431)


def _head_too_large(bound: int) -> Refusal:
    return invalid_request(f"Request line and headers are larger than the {bound:,} bytes allowed.", status=431)
