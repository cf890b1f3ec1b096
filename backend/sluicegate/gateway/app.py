"""The raw ASGI entry: paths, request ids, and every answer that is not a provider's."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import structlog

from sluicegate.domain.apikey import parse_credential
from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.asgi import FAULT, ClientGone, Receive, Reply, Request, Scope, Send
from sluicegate.gateway.board import Board
from sluicegate.gateway.body import read_body
from sluicegate.gateway.credentials import credential_of
from sluicegate.gateway.dialects.chat import ChatCompletions
from sluicegate.gateway.dialects.completions import Completions
from sluicegate.gateway.dialects.embeddings import Embeddings
from sluicegate.gateway.dialects.errors import render
from sluicegate.gateway.dialects.gemini import CountContent, GenerateContent
from sluicegate.gateway.dialects.messages import CountTokens, Messages
from sluicegate.gateway.dialects.models import model_reply, models_reply
from sluicegate.gateway.dialects.responses import Responses
from sluicegate.gateway.dialects.wire import CountingWire, Wire
from sluicegate.gateway.direct import Direct
from sluicegate.gateway.kept import KeptAnswers
from sluicegate.gateway.me import me_reply
from sluicegate.gateway.metering import Books
from sluicegate.gateway.paths import (
    ENDS,
    PREFIXES,
    PROBES,
    TELEMETRY,
    Endpoint,
    Handler,
    Paths,
    dialect_of,
    no_such_route,
    wrong_method,
)
from sluicegate.gateway.pipeline import GatewayOptions, Pipeline, decided
from sluicegate.gateway.routing import Backends
from sluicegate.gateway.spending import spending_reply
from sluicegate.kit.clock import Clock
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import Refusal, internal_error
from sluicegate.policy.service import PolicyService
from sluicegate.ports.health import HealthBoard
from sluicegate.ports.kept import KeptOwners
from sluicegate.ports.upstream import Upstream
from sluicegate.ports.usage import UsageSink

_log = structlog.get_logger(__name__)
# Somebody uses what was taken away, a leaked key or a program that nobody remembers; or sends what must not get out.
_TELLING = frozenset({"key_revoked", "key_expired", "user_suspended", "secret_blocked"})


class GatewayApp:
    """The ASGI application for what `serves` names; all else is somebody else's."""

    def __init__(
        self,
        policy: PolicyService,
        journal: UsageSink,
        upstream: Upstream,
        demo: Upstream,
        clock: Clock,
        kept: KeptOwners,
        options: GatewayOptions,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._budget_status = options.budget_status
        self._refused = options.refused
        self._counted = options.counted
        self._traces = options.traces
        backends = Backends(
            upstream, demo, options.timeouts, clock, patience=options.patience_seconds, traces=options.traces
        )
        self.health: HealthBoard = backends.breakers
        self._pipeline = Pipeline(Books(policy, journal, clock, KeptAnswers(kept)), backends, options)
        self.board = Board(self._pipeline.watch, clock)
        self._paths = self._table()
        self.direct = Direct(self._pipeline, self._paths, self._rendered, _TELLING, self._answering)

    def break_off(self) -> None:
        """Ends those calls that hold on to nothing the server waits for when it stops: their callers have left."""
        self._pipeline.watch.break_off()

    @property
    def calls_in_flight(self) -> int:
        return self._pipeline.watch.calls

    def call_paths(self, model: str) -> list[str]:
        """Where calls that cost are taken; `model` stands in those paths that name one."""
        return self._paths.that_cost(model)

    def _table(self) -> Paths:
        paths = Paths()
        generating = (GenerateContent("generateContent"), GenerateContent("streamGenerateContent", streams=True))
        openai = (ChatCompletions(), Responses(), Embeddings(), Completions())
        for wire in (*openai, Messages(), *generating):
            paths.add(wire.path, Endpoint("POST", wire.dialect, self._calling(wire), wire=wire))
        for counting in (CountTokens(), CountContent()):
            paths.add(counting.path, Endpoint("POST", counting.dialect, self._counting(counting), free=True))
        paths.add_lists(self._models, self._model)
        paths.add_own("/gateway/v1/me", self._me)
        paths.add_own("/api/oauth/usage", self._spending, Dialect.ANTHROPIC)
        for path in TELEMETRY:
            paths.add_own(path, self._telemetry, Dialect.ANTHROPIC, method="POST")
        return paths

    def _calling(self, wire: Wire) -> Handler:
        return lambda request, named: self._pipeline.call(request, wire, named)

    def _counting(self, wire: CountingWire) -> Handler:
        return lambda request, named: self._pipeline.count_tokens(request, wire, named)

    @staticmethod
    def serves(scope: Scope) -> bool:
        """Whether a request is the gateway's to answer."""
        path: str = scope["path"]
        method: str = scope["method"]
        astray = method == "POST" and path.endswith(ENDS)
        return path.startswith(PREFIXES) or astray or (method == "HEAD" and path in PROBES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request.of(scope, receive, send)
        endpoint, named = self._paths.find(request.path)
        request.dialect = (endpoint and endpoint.dialect) or dialect_of(request)
        await self._answering(request, self._serve(request, endpoint, named, scope.get("extensions", {})))

    async def _serve(self, request: Request, endpoint: Endpoint | None, named: str, extensions: dict[str, Any]) -> None:
        if FAULT in extensions:
            raise extensions[FAULT]
        if endpoint is not None and request.method == endpoint.method:
            await endpoint.handle(request, named)
        else:
            await self._answer(request, endpoint)

    async def _answering(self, request: Request, work: Awaitable[None]) -> None:
        try:
            await work
        except ClientGone:
            return
        except Refusal as refusal:
            await self._refuse(request, refusal)
        except Exception:
            _log.exception("gateway.failed", request_id=request.id)
            if request.started:
                raise
            await self._refuse(request, internal_error(request.id))

    async def _answer(self, request: Request, endpoint: Endpoint | None) -> None:
        if endpoint is not None and request.fields.get(b"upgrade", b"").lower() == b"websocket":
            # Codex asks for one with every turn, and goes on with HTTP at once: nothing that was refused to anybody.
            await request.reply(render(_no_sockets(), request.dialect, request.id, self._clock.now()))
            return
        if endpoint is not None:
            raise wrong_method(request, endpoint.method)
        if request.method != "HEAD" or request.path not in PROBES:
            raise no_such_route(request.method, request.path)
        await request.reply(Reply(200, [], b""))

    async def _refuse(self, request: Request, refusal: Refusal) -> None:
        if refusal.code in _TELLING and (parts := parse_credential(credential_of(request))):
            self._refused(refusal.code, parts[0], request.address)
        await request.reply(self._rendered(request, refusal))

    def _rendered(self, request: Request, refusal: Refusal) -> Reply:
        if refusal.code == "budget_exceeded":
            refusal.status = self._budget_status
        principal = self._known(request)
        self.board.note(principal, refusal)
        user_id, *_, group_ids = principal.named if principal is not None else (None, ())
        self._counted(refusal.code, user_id, group_ids)
        if self._traces is not None and request.method == "POST":
            model, code, status = refusal.model, refusal.code, refusal.status
            self._traces.refused(request.id, request.path, request.headers, model, code, status)
        reply = render(refusal, request.dialect, request.id, self._clock.now())
        if refusal.status == 405:
            reply.headers.append((b"allow", refusal.field.encode() if refusal.field else b""))
        return reply

    def _known(self, request: Request) -> Principal | None:
        """Whose key it is, of those who have called of late."""
        try:
            return self._policy.remembered(credential_of(request))
        except Refusal:
            return None

    async def _models(self, request: Request, named: str) -> None:
        principal = await self._pipeline.identify(request)
        await request.reply(models_reply(self._policy.models_of(principal), request.dialect, request.query))

    async def _model(self, request: Request, named: str) -> None:
        principal = await self._pipeline.identify(request)
        model = await decided(self._policy.check_access(principal, named), request)
        await request.reply(model_reply(named, model, request.dialect))

    async def _me(self, request: Request, named: str) -> None:
        principal = await self._pipeline.identify(request)
        account = await decided(self._policy.account_of(principal), request)
        await request.reply(me_reply(principal, self._policy.models_of(principal), account, self._clock.now()))

    async def _spending(self, request: Request, named: str) -> None:
        principal = await self._pipeline.identify(request)
        await request.reply(spending_reply(await decided(self._policy.account_of(principal), request)))

    async def _telemetry(self, request: Request, named: str) -> None:
        """Taken and dropped: it may hold prompts, and all that the ledger needs was in the calls."""
        await self._pipeline.identify(request)
        await read_body(request, self._pipeline.max_body)
        kind = request.fields.get(b"content-type", b"")
        # Nothing at all is the whole answer in protobuf.
        body = b"{}" if b"json" in kind else b""
        await request.reply(Reply(200, [(b"content-type", kind or b"application/x-protobuf")], body))


def _no_sockets() -> Refusal:
    return Refusal("upgrade_not_supported", 426, "WebSockets are not served here; use plain HTTP.")
