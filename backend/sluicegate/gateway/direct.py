"""Calls that wait for nothing but their provider, carried from the server's callback to the provider's without a task.

Streams stay without one, too (`direct_stream.py`). Whatever turns out to be more than that, such as a failure or
anything that has to be read first, goes on in a task, the way that all other calls take from their first byte on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from sluicegate.gateway.asgi import Receive, Reply, Request, Scope, Send
from sluicegate.gateway.attribution import Attribution, attribution_of
from sluicegate.gateway.credentials import credential_of
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.direct_stream import DirectStream, StreamLine
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.metering import Call
from sluicegate.gateway.passage import direct_passage, is_stream
from sluicegate.gateway.paths import Paths, dialect_of
from sluicegate.gateway.pipeline import Pipeline, decided
from sluicegate.gateway.relay import Relay
from sluicegate.gateway.routing import Attempt
from sluicegate.gateway.transit import Outbound, Untouched
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import Refusal, internal_error
from sluicegate.ports.upstream import Arriving, RawHeaders

_log = structlog.get_logger(__name__)
App = Callable[[Scope, Receive, Send], Awaitable[None]]
# In bytes: what is kept of anybody's request until it is whole.
_SMALL_BODY = 100_000
# What is kept of an answer that comes in several reads, until it is whole. At twice as much its connection would stop.
_SMALL_ANSWER = 65_536


class Line(StreamLine, Protocol):
    """One request and the way back to its caller, as the server has them."""

    content: bytes
    """Of the request: its body."""

    def answer(self, reply: Reply, ids: bytes) -> None:
        """The whole answer, `ids` being header lines; nothing where the caller has left."""
        ...

    def resume(self, app: App) -> None:
        """Goes on in a task, with a request whose body is read."""
        ...

    def hand_over(self) -> None:
        """Goes on in a task, as if nobody had looked at the request."""
        ...


class Head:
    """What a request's line and headers say, worked out once for all requests of a connection that repeat them.

    `headers` lack the length of the body.
    """

    __slots__ = (
        "attribution",
        "credential",
        "headers",
        "named",
        "principal",
        "request",
        "untouched",
        "url",
        "wire",
    )

    def __init__(self, url: bytes, request: Request, wire: Wire, named: str) -> None:
        """Raises Refusal for a request without a key."""
        self.url = url
        self.headers = request.headers
        self.request = request
        self.wire = wire
        self.named = named
        self.credential = credential_of(request)
        self.attribution: Attribution = attribution_of(request.headers)
        self.untouched = Untouched(request, wire)
        self.principal: Principal | None = None


class Direct:
    """What the server asks before it makes more of a request than a callback."""

    def __init__(
        self,
        pipeline: Pipeline,
        paths: Paths,
        rendered: Callable[[Request, Refusal], Reply],
        telling: frozenset[str],
        answering: Callable[[Request, Awaitable[None]], Awaitable[None]],
    ) -> None:
        """`rendered` makes the reply to a refused request; refusals with a code among `telling` are more than that.
        `answering` sees to it that work on a request ends in an answer."""
        self._paths = paths
        self._telling = telling
        self._learns = pipeline.books.kept.shared
        self.pipeline = pipeline
        self.rendered = rendered
        self.answering = answering
        self._admitting: set[asyncio.Task[None]] = set()

    def head_of(self, url: bytes, headers: RawHeaders, address: str) -> Head | None:
        """None for requests that are not calls, or need a closer look."""
        path, _, query = url.partition(b"?")
        if not path.startswith(b"/") or b"%" in path or b"#" in url or not path.isascii():
            return None
        request = Request("POST", path.decode("ascii"), query, headers, address)
        endpoint, named = self._paths.find(request.path)
        if endpoint is None or endpoint.wire is None or b"content-encoding" in request.fields:
            return None
        request.dialect = endpoint.dialect or dialect_of(request)
        try:
            return Head(url, request, endpoint.wire, named)
        except Refusal:
            return None

    def awaits(self, head: Head, length: int) -> bool:
        """Whether a body of so many bytes may be kept until it is whole. A large one only from callers who are known;
        those of others are not read before their key is."""
        if length <= _SMALL_BODY:
            return True
        return length <= self.pipeline.max_body and self._principal_of(head) is not None

    def _principal_of(self, head: Head) -> Principal | None:
        principal = head.principal
        if principal is None or not principal.valid:
            principal = head.principal = self.pipeline.policy.known(head.credential)
        return principal

    def take(self, line: Line, head: Head) -> bool:
        """Carries a call, or answers why not; False, and then nothing has happened, for one that needs a task from the
        beginning."""
        policy, wire = self.pipeline.policy, head.wire
        if policy.secrets is not None or len(line.content) > self.pipeline.max_body:
            return False
        request, envelope = head.request.another(), None
        try:
            principal = self._principal_of(head)
            if principal is None:
                return False
            envelope = wire.open(line.content, head.named)
            if self._learns and self.pipeline.must_learn(wire, envelope):
                return False
            input_estimate = envelope.input_estimate(wire.bytes_per_token)
            max_tokens = wire.max_tokens(envelope)
            admitted = policy.admit_now(principal, envelope.model, input_estimate, max_tokens)
        except Refusal as refusal:
            if refusal.code in self._telling:
                return False
            refusal.model = envelope.model if envelope is not None else None
            line.answer(self.rendered(request, refusal), request.id_lines())
            return True
        except Exception:
            # The other way fails again, and says so.
            return False
        if admitted is None:
            deciding = policy.admit(
                head.credential, request.address, envelope.model, input_estimate, max_tokens, principal
            )
            work = self._admit(line, head, request, envelope, deciding)
            task = asyncio.get_running_loop().create_task(work)
            self._admitting.add(task)
            task.add_done_callback(self._admitting.discard)
        else:
            _Flight(self, line, request, admitted, head).begin(envelope)
        return True

    async def _admit(
        self, line: Line, head: Head, request: Request, envelope: Envelope, deciding: Awaitable[Admitted]
    ) -> None:
        """Goes on once it is decided, where that has to be waited for: others count as well, or counters are read."""
        try:
            admitted = await decided(deciding, request)
        except Refusal as refusal:
            if refusal.code in self._telling:
                line.hand_over()
            else:
                refusal.model = envelope.model
                line.answer(self.rendered(request, refusal), request.id_lines())
            return
        if line.disconnected:
            self.pipeline.policy.cancel(admitted)
        else:
            _Flight(self, line, request, admitted, head).begin(envelope)


class _Flight:
    """One call that was let in, until its answer is out or a task takes over."""

    __slots__ = ("_arriving", "_attempt", "_call", "_direct", "_head", "_line", "_outbound", "_routes")

    def __init__(self, direct: Direct, line: Line, request: Request, admitted: Admitted, head: Head) -> None:
        self._direct = direct
        self._line = line
        self._head = head
        self._call = Call.of(direct.pipeline.books, request, admitted, head.attribution)
        self._call.flight = self
        self._attempt: Attempt | None = None
        # An answer that is no stream, of which a part is here.
        self._arriving: Arriving | None = None

    def begin(self, envelope: Envelope) -> None:
        pipeline, call = self._direct.pipeline, self._call
        pipeline.watch.enter(call)
        try:
            self._outbound, self._routes = pipeline.prepare(call, self._head.wire, envelope, self._head.untouched)
            self._attempt = pipeline.backends.begin(self._outbound, self._routes, call.session_id)
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:
            self._fail()
        else:
            if self._attempt is None:
                self._resume()
            elif self._attempt.sent is not None:
                self._attempt.sent.notify(self._look)

    @property
    def abandoned(self) -> bool:
        return self._line.disconnected

    def leave(self) -> None:
        self._call.gone = True
        self.break_off()

    def break_off(self) -> None:
        self._give_up()
        self._end()

    def beat(self, comment: bytes) -> None:
        """There is no stream yet."""

    def _give_up(self) -> None:
        if self._attempt is not None:
            self._direct.pipeline.backends.give_up(self._attempt)

    def _look(self) -> None:
        """The answer is here, or the beginning of one, or news of none."""
        attempt, call, outbound = self._attempt, self._call, self._outbound
        if attempt is None or call.flight is None:
            return
        try:
            response = self._arriving or self._direct.pipeline.backends.arrived(attempt, outbound)
            if response is None:
                self._resume()
            elif response.going_on:
                self._look_again(call, outbound, response)
            elif (reply := Relay(call, outbound).at_once(response)) is not None:
                self._end()
                self._line.answer(reply, call.request.id_lines())
            elif not self._streams(call, outbound, response):
                self._resume()
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:
            self._fail()

    def _look_again(self, call: Call, outbound: Outbound, response: Arriving) -> None:
        """Passes a stream on from here, and waits for the rest of a small answer."""
        if self._arriving is None:
            if self._streams(call, outbound, response):
                return
            if response.status >= 300 or is_stream(response):
                self._resume()
                return
            call.note_first_byte()
            self._arriving = response
        if response.size > _SMALL_ANSWER:
            self._resume()

    def _streams(self, call: Call, outbound: Outbound, response: Arriving) -> bool:
        passage = direct_passage(call, outbound, response)
        if passage is None:
            return False
        DirectStream(call, self._line, passage, response, self._direct.pipeline.watch).begin()
        return True

    def _resume(self) -> None:
        if self._attempt is not None and self._attempt.sent is not None:
            self._attempt.sent.notify(None)
        self._call.flight = None
        self._line.resume(self._run)

    async def _run(self, _scope: Scope, receive: Receive, send: Send) -> None:
        call, direct = self._call, self._direct
        call.request.receive, call.request.send = receive, send
        await direct.answering(call.request, direct.pipeline.go_on(call, self._outbound, self._routes, self._attempt))

    def _refuse(self, refusal: Refusal) -> None:
        self._end()
        request = self._call.request
        refusal.model = self._call.model.slug
        self._line.answer(self._direct.rendered(request, refusal), request.id_lines())

    def _fail(self) -> None:
        request = self._call.request
        _log.exception("gateway.failed", request_id=request.id)
        self._give_up()
        self._refuse(internal_error(request.id))

    def _end(self) -> None:
        call = self._call
        call.flight = None
        self._direct.pipeline.watch.leave(call)
        call.close()
