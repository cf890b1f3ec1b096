"""Calls that wait for nothing but their provider, carried from the server's callback to the provider's without a task.

Whatever turns out to be more than that, such as a stream, a failure or anything that has to be read first, goes on in a
task, the way that all other calls take from their first byte on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from sluicegate.gateway.asgi import Receive, Reply, Request, Scope, Send
from sluicegate.gateway.attribution import Attribution, attribution_of
from sluicegate.gateway.credentials import credential_of
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.metering import Call
from sluicegate.gateway.paths import Paths, dialect_of
from sluicegate.gateway.pipeline import Pipeline
from sluicegate.gateway.relay import Relay
from sluicegate.gateway.routing import Attempt
from sluicegate.gateway.transit import Untouched
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import Refusal, internal_error
from sluicegate.ports.upstream import RawHeaders

_log = structlog.get_logger(__name__)
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Line(Protocol):
    """One request and the way back to its caller, as the server has them."""

    content: bytes
    disconnected: bool

    def answer(self, reply: Reply, ids: RawHeaders) -> None:
        """The whole answer; nothing where the caller has left."""
        ...

    def resume(self, app: App) -> None:
        """Goes on in a task, with a request whose body is read."""
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

    def take(self, line: Line, head: Head) -> bool:
        """Carries a call, or answers why not; False, and then nothing has happened, for one that needs a task from the
        beginning."""
        policy, wire = self.pipeline.policy, head.wire
        if policy.secrets is not None or len(line.content) > self.pipeline.max_body:
            return False
        request, envelope = head.request.another(), None
        try:
            principal = head.principal
            if principal is None or not principal.valid:
                principal = head.principal = policy.known(head.credential)
                if principal is None:
                    return False
            envelope = wire.open(line.content, head.named)
            if self._learns and self.pipeline.must_learn(wire, envelope):
                return False
            input_estimate = envelope.input_estimate(wire.bytes_per_token)
            admitted = policy.admit_now(principal, envelope.model, input_estimate, wire.max_tokens(envelope))
        except Refusal as refusal:
            if refusal.code in self._telling:
                return False
            refusal.model = envelope.model if envelope is not None else None
            line.answer(self.rendered(request, refusal), request.id_headers())
            return True
        except Exception:
            # The other way fails again, and says so.
            return False
        if admitted is None:
            return False
        _Flight(self, line, request, admitted, head).begin(envelope)
        return True


class _Flight:
    """One call that was let in, until its answer is out or a task takes over."""

    __slots__ = ("_attempt", "_call", "_direct", "_head", "_line", "_outbound", "_routes")

    def __init__(self, direct: Direct, line: Line, request: Request, admitted: Admitted, head: Head) -> None:
        self._direct = direct
        self._line = line
        self._head = head
        self._call = Call(direct.pipeline.books, request, admitted, head.attribution)
        self._call.flight = self
        self._attempt: Attempt | None = None

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

    def break_off(self) -> None:
        self._give_up()
        self._end()

    def _give_up(self) -> None:
        if self._attempt is not None:
            self._direct.pipeline.backends.give_up(self._attempt)

    def _look(self) -> None:
        """The answer is here, or the beginning of one, or news of none."""
        attempt, call = self._attempt, self._call
        if attempt is None or call.flight is None:
            return
        try:
            response = self._direct.pipeline.backends.arrived(attempt, self._outbound)
            reply = None if response is None else Relay(call, self._outbound).at_once(response)
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:
            self._fail()
        else:
            if reply is None:
                self._resume()
            else:
                self._end()
                self._line.answer(reply, call.request.id_headers())

    def _resume(self) -> None:
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
        self._line.answer(self._direct.rendered(request, refusal), request.id_headers())

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
