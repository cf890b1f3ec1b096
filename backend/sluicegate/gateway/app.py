"""The raw ASGI entry: paths, request ids, and every answer that is not a provider's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from sluicegate.domain.apikey import parse_credential
from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.asgi import ClientGone, Receive, Reply, Request, Scope, Send
from sluicegate.gateway.credentials import credential_of
from sluicegate.gateway.dialects.chat import ChatCompletions
from sluicegate.gateway.dialects.completions import Completions
from sluicegate.gateway.dialects.embeddings import Embeddings
from sluicegate.gateway.dialects.errors import render
from sluicegate.gateway.dialects.messages import CountTokens, Messages
from sluicegate.gateway.dialects.models import model_reply, models_reply
from sluicegate.gateway.dialects.responses import Responses
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.gateway.metering import Books
from sluicegate.gateway.pipeline import GatewayOptions, Pipeline
from sluicegate.gateway.routing import Backends
from sluicegate.kit.clock import Clock
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.service import PolicyService
from sluicegate.ports.upstream import Upstream
from sluicegate.ports.usage import UsageSink

_log = structlog.get_logger(__name__)
_PREFIXES = ("/gateway/", "/v1/")
# What Claude Code asks at start, without a key, to learn whether anybody is there.
_PROBES = ("/", "/api/hello")
_ROOTS = (("/gateway/openai/v1", Dialect.OPENAI), ("/gateway/anthropic/v1", Dialect.ANTHROPIC), ("/v1", None))
# Somebody uses what was taken away: a leaked key, or a program that nobody remembers.
_TELLING = frozenset({"key_revoked", "key_expired", "user_suspended"})
Handler = Callable[[Request], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """`dialect` is None where the caller's headers tell."""

    method: str
    dialect: Dialect | None
    handle: Handler
    free: bool = False


class GatewayApp:
    """The ASGI application for what `serves` names; all else is somebody else's."""

    def __init__(
        self,
        policy: PolicyService,
        journal: UsageSink,
        upstream: Upstream,
        demo: Upstream,
        clock: Clock,
        options: GatewayOptions,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._budget_status = options.budget_status
        self._refused = options.refused
        backends = Backends(upstream, demo, options.timeouts)
        self._pipeline = Pipeline(Books(policy, journal, clock), backends, options)
        self._endpoints = self._table()

    @property
    def calls_in_flight(self) -> int:
        return self._pipeline.watch.calls

    @property
    def call_paths(self) -> list[str]:
        """Where calls that cost are taken."""
        return [path for path, endpoint in self._endpoints.items() if endpoint.method == "POST" and not endpoint.free]

    def _table(self) -> dict[str, _Endpoint]:
        openai: tuple[Wire, ...] = (ChatCompletions(), Responses(), Embeddings(), Completions())
        messages, counting = Messages(), CountTokens()
        table: dict[str, _Endpoint] = {}
        for root, only in _ROOTS:
            table[f"{root}/models"] = _Endpoint("GET", only, self._models)
            if only is not Dialect.ANTHROPIC:
                for wire in openai:
                    table[root + wire.path] = _Endpoint("POST", Dialect.OPENAI, self._calling(wire))
            if only is not Dialect.OPENAI:
                table[root + messages.path] = _Endpoint("POST", Dialect.ANTHROPIC, self._calling(messages))
                table[root + counting.path] = _Endpoint("POST", Dialect.ANTHROPIC, self._counting(counting), free=True)
        return table

    def _calling(self, wire: Wire) -> Handler:
        return lambda request: self._pipeline.call(request, wire)

    def _counting(self, wire: CountTokens) -> Handler:
        return lambda request: self._pipeline.count_tokens(request, wire)

    @staticmethod
    def serves(scope: Scope) -> bool:
        """Whether a connection is the gateway's to answer."""
        kind = scope["type"]
        if kind == "http":
            path: str = scope["path"]
            return path.startswith(_PREFIXES) or (path in _PROBES and scope["method"] == "HEAD")
        return kind == "websocket" and scope["path"].startswith(_PREFIXES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._refuse_socket(scope, receive, send)
            return
        request = Request(scope, receive, send)
        endpoint = self._endpoints.get(request.path)
        dialect = endpoint.dialect if endpoint else None
        if dialect is None:
            dialect = _dialect_of(request)
        request.anthropic = dialect is Dialect.ANTHROPIC
        try:
            if endpoint is not None and request.method == endpoint.method:
                await endpoint.handle(request)
            else:
                await self._answer(request, endpoint)
        except ClientGone:
            return
        except Refusal as refusal:
            await self._refuse(request, refusal, dialect)
        except Exception:
            _log.exception("gateway.failed", request_id=request.id)
            if request.started:
                raise
            await self._refuse(request, _internal_error(request), dialect)

    async def _answer(self, request: Request, endpoint: _Endpoint | None) -> None:
        if endpoint is not None:
            raise _wrong_method(request, endpoint.method)
        if request.method == "HEAD" and request.path in _PROBES:
            await request.reply(Reply(200, [], b""))
        elif slug := _model_in(request.path):
            if request.method != "GET":
                raise _wrong_method(request, "GET")
            await self._model(request, slug)
        else:
            raise _no_such_route(request.method, request.path)

    async def _refuse(self, request: Request, refusal: Refusal, dialect: Dialect) -> None:
        if refusal.code == "budget_exceeded":
            refusal.status = self._budget_status
        if refusal.code in _TELLING and (parts := parse_credential(credential_of(request.headers))):
            self._refused(refusal.code, parts[0], request.address)
        reply = render(refusal, dialect, request.id, self._clock.now())
        if refusal.status == 405:
            reply.headers.append((b"allow", refusal.field.encode() if refusal.field else b""))
        await request.reply(reply)

    async def _models(self, request: Request) -> None:
        principal = await self._pipeline.identify(request)
        dialect = Dialect.ANTHROPIC if request.anthropic else Dialect.OPENAI
        await request.reply(models_reply(self._policy.models_of(principal), dialect, request.query))

    async def _model(self, request: Request, name: str) -> None:
        principal = await self._pipeline.identify(request)
        model = await self._policy.check_access(principal, name)
        dialect = Dialect.ANTHROPIC if request.anthropic else Dialect.OPENAI
        await request.reply(model_reply(name, model, dialect))

    async def _refuse_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Codex tries a WebSocket first and falls back to HTTP at once when it is told 426."""
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive, send)
        refusal = _no_sockets() if request.path.endswith("/responses") else _no_such_route("GET", request.path)
        reply = render(refusal, Dialect.OPENAI, request.id, self._clock.now())
        headers = [*reply.headers, *request.id_headers(), (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": reply.body})


def _dialect_of(request: Request) -> Dialect:
    if request.path.startswith("/gateway/"):
        anthropic = request.path.startswith("/gateway/anthropic/")
    else:
        anthropic = request.header(b"anthropic-version") is not None
    return Dialect.ANTHROPIC if anthropic else Dialect.OPENAI


def _model_in(path: str) -> str:
    """The model's name at the end of a path to one model."""
    for root, _ in _ROOTS:
        if path.startswith(f"{root}/models/"):
            return path.removeprefix(f"{root}/models/")
    return ""


def _internal_error(request: Request) -> Refusal:
    return Refusal("internal_error", 500, f"The gateway failed on this request. Its id is {request.id}.")


def _wrong_method(request: Request, allowed: str) -> Refusal:
    message = f"{request.method} is not possible on {request.path}; use {allowed}."
    return Refusal("method_not_allowed", 405, message, field=allowed)


def _no_such_route(method: str, path: str) -> Refusal:
    shown = path if len(path) <= 100 else path[:100] + "…"
    hint = " Leave '/v1' out of the client's base URL." if "/v1/v1/" in path else ""
    message = (
        f"This gateway does not serve {method} {shown}. It serves POST …/v1/chat/completions, POST …/v1/responses, "
        "POST …/v1/completions, POST …/v1/embeddings, POST …/v1/messages, POST …/v1/messages/count_tokens and "
        f"GET …/v1/models.{hint}"
    )
    return Refusal("route_not_found", 404, message)


def _no_sockets() -> Refusal:
    return Refusal("upgrade_not_supported", 426, "WebSockets are not served here; use plain HTTP.")
