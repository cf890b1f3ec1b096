"""The gateway's ASGI callable: finds the route, reads the body, answers in the caller's dialect.

Default deny: a path that is not listed here reaches no provider.
"""

from __future__ import annotations

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.calls import CallBody
from sluicegate.gateway.credentials import read_credential
from sluicegate.gateway.dialects.errors import error_answer, id_headers
from sluicegate.gateway.dialects.models import find_model, model_value, models_value
from sluicegate.gateway.http import ClientGone, Message, Receive, Scope, Send, header, read_body, send_json, send_whole
from sluicegate.gateway.pipeline import Call, Endpoint, Pipeline, endpoints
from sluicegate.kit.ids import new_id
from sluicegate.policy.refusals import Refusal, invalid_request
from sluicegate.policy.service import PolicyService

_PREFIXES = ("/v1/", "/gateway/")
_PROBES = ("/", "/api/hello")
_COUNT = Endpoint(Dialect.ANTHROPIC, "/messages/count_tokens", "count_tokens")
_COUNT_PATHS = frozenset({"/v1/messages/count_tokens", "/gateway/anthropic/v1/messages/count_tokens"})
_MODEL_ROOTS = ("/gateway/openai/v1/models", "/gateway/anthropic/v1/models", "/v1/models")


class GatewayApp:
    """Serves assistants. `budget_status` is the status of a refusal because a budget is reached."""

    def __init__(
        self, policy: PolicyService, pipeline: Pipeline, *, max_body_bytes: int, budget_status: int = 402
    ) -> None:
        self._policy = policy
        self._pipeline = pipeline
        self._max_body_bytes = max_body_bytes
        self._budget_status = budget_status
        self._endpoints = endpoints()

    def serves(self, scope: Scope) -> bool:
        """Whether a request is the gateway's, by its raw path."""
        if scope["type"] != "http":
            return False
        path: str = scope["path"]
        return path.startswith(_PREFIXES) or (scope["method"] == "HEAD" and path in _PROBES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        dialect = _dialect_of(path, scope)
        request_id = new_id()
        answer = _Answer(send)
        try:
            await self._dispatch(path, scope, receive, answer, dialect, request_id)
        except ClientGone:
            return
        except Refusal as refusal:
            if answer.started:
                raise
            if refusal.code == "budget_exceeded":
                refusal.status = self._budget_status
            headers, body = error_answer(refusal, dialect, request_id)
            await send_whole(send, refusal.status, headers, body)

    async def _dispatch(
        self, path: str, scope: Scope, receive: Receive, send: Send, dialect: Dialect, request_id: str
    ) -> None:
        endpoint = self._endpoints.get(path) or (_COUNT if path in _COUNT_PATHS else None)
        if endpoint is not None:
            if scope["method"] != "POST":
                raise invalid_request(f"{path} takes POST.", status=405)
            call = await self._read_call(endpoint, scope, receive, request_id)
            if endpoint is _COUNT:
                await self._pipeline.count_tokens(call, send)
            else:
                await self._pipeline.run(call, receive, send)
        elif scope["method"] == "HEAD" and path in _PROBES:
            await send_whole(send, 200, [], b"")
        elif header(scope, b"upgrade") is not None:
            raise invalid_request("WebSockets are not served here; use HTTP.", status=426)
        elif path.startswith(_MODEL_ROOTS) and scope["method"] == "GET":
            await self._models(path, scope, send, dialect, request_id)
        else:
            raise Refusal("not_found", 404, f"The gateway does not serve {scope['method']} {path[:100]}.")

    async def _read_call(self, endpoint: Endpoint, scope: Scope, receive: Receive, request_id: str) -> Call:
        credential, address = read_credential(scope["headers"]), _address_of(scope)
        if self._policy.known(credential) is None:
            # Before the body: nobody unknown makes the gateway read megabytes.
            await self._policy.authenticate(credential, address)
        body = CallBody(await read_body(scope, receive, self._max_body_bytes), endpoint.dialect)
        return Call(endpoint, scope, body, credential, address, request_id)

    async def _models(self, path: str, scope: Scope, send: Send, dialect: Dialect, request_id: str) -> None:
        principal = await self._policy.authenticate(read_credential(scope["headers"]), _address_of(scope))
        models = self._policy.models_of(principal)
        slug = path.partition("/models")[2]
        if slug.startswith("/"):
            value = model_value(find_model(models, slug[1:]), dialect)
        elif not slug:
            value = models_value(models, dialect, scope.get("query_string", b""))
        else:
            raise Refusal("not_found", 404, f"The gateway does not serve GET {path[:100]}.")
        await send_json(send, 200, id_headers(dialect, request_id), value)


class _Answer:
    """Remembers whether an answer has begun, after which no other can be sent."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)


def _dialect_of(path: str, scope: Scope) -> Dialect:
    """By the path; where both dialects share one, by the header that only Anthropic's clients send."""
    if path.startswith("/gateway/anthropic/") or path.startswith("/v1/messages"):
        return Dialect.ANTHROPIC
    if path.startswith("/v1/models") and header(scope, b"anthropic-version") is not None:
        return Dialect.ANTHROPIC
    return Dialect.OPENAI


def _address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
