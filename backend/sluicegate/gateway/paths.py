"""Which path leads where, and in which dialect it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.asgi import Request
from sluicegate.gateway.dialects.wire import Wire
from sluicegate.policy.refusals import Refusal

Handler = Callable[[Request, str], Awaitable[None]]
"""Takes the request and the model's name, where the path has it; else an empty one."""

PREFIXES = ("/gateway/", "/v1/", "/v1beta/", "/managed/", "/api/oauth/")
# Where Claude Code sends what it measures of itself once it has signed in; it complains of each answer that is no 200.
TELEMETRY = ("/v1/metrics", "/v1/logs", "/v1/traces")
# Of calls by clients whose base URL is not right: whoever set it up wants to hear of that.
ENDS = ("/chat/completions", "/responses", "/completions", "/embeddings", "/messages", "/messages/count_tokens")
# What Claude Code asks at start, without a key, to learn whether anybody is there.
PROBES = ("/", "/api/hello")
# Where a dialect's own paths begin; None where the caller's headers tell which one it is.
ROOTS: dict[str, Dialect | None] = {
    "/gateway/openai/v1": Dialect.OPENAI,
    "/gateway/anthropic/v1": Dialect.ANTHROPIC,
    "/gateway/gemini/v1beta": Dialect.GEMINI,
    "/v1beta": Dialect.GEMINI,
    "/v1": None,
}
_MODELS = "/models"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`dialect` is None where the caller's headers tell; `free` is what no limit holds for; `wire` is the protocol of
    calls that cost."""

    method: str
    dialect: Dialect | None
    handle: Handler
    free: bool = False
    wire: Wire | None = None


class Paths:
    """Fixed paths, and those that go on with a model's name and perhaps a colon and an action."""

    def __init__(self) -> None:
        self._fixed: dict[str, Endpoint] = {}
        self._actions: dict[str, dict[str, Endpoint]] = {f"{root}{_MODELS}/": {} for root in ROOTS}

    def add(self, path: str, endpoint: Endpoint) -> None:
        """Under every root of its dialect; a path with `<name>` in it stands for that of every model."""
        for root, only in ROOTS.items():
            if only is endpoint.dialect or (only is None and endpoint.dialect is not Dialect.GEMINI):
                self._put(root, path, endpoint)

    def add_lists(self, every: Handler, one: Handler) -> None:
        """The list of models and each of them, in the dialect of the root or of the caller."""
        for root, only in ROOTS.items():
            self._put(root, _MODELS, Endpoint("GET", only, every, free=True))
            self._put(root, f"{_MODELS}/<name>", Endpoint("GET", only, one, free=True))

    def add_own(self, path: str, handle: Handler, dialect: Dialect = Dialect.OPENAI, *, method: str = "GET") -> None:
        """One that belongs to no protocol of providers; refusals are told in `dialect`."""
        self._fixed[path] = Endpoint(method, dialect, handle, free=True)

    def _put(self, root: str, path: str, endpoint: Endpoint) -> None:
        if path.startswith(f"{_MODELS}/"):
            self._actions[f"{root}{_MODELS}/"][path.partition(":")[2]] = endpoint
        else:
            self._fixed[root + path] = endpoint

    def that_cost(self, model: str) -> list[str]:
        """All paths of calls that limits hold for, with `model` in those that name one."""
        fixed = [path for path, endpoint in self._fixed.items() if not endpoint.free]
        named = (
            f"{beginning}{model}:{action}"
            for beginning, actions in self._actions.items()
            for action, endpoint in actions.items()
            if not endpoint.free
        )
        return [*fixed, *named]

    def find(self, path: str) -> tuple[Endpoint | None, str]:
        """The endpoint, and the name of a model in its path."""
        endpoint = self._fixed.get(path)
        if endpoint is None:
            for beginning, actions in self._actions.items():
                if path.startswith(beginning):
                    name, _, action = path.removeprefix(beginning).partition(":")
                    return (actions.get(action), name) if name else (None, "")
        return endpoint, ""


def dialect_of(request: Request) -> Dialect:
    """Judged by what nobody has to have read: the path, or a header that every Anthropic client sends."""
    for root, only in ROOTS.items():
        if only is not None and request.path.startswith(f"{root}/"):
            return only
    return Dialect.ANTHROPIC if b"anthropic-version" in request.fields else Dialect.OPENAI


def wrong_method(request: Request, allowed: str) -> Refusal:
    message = f"{request.method} is not possible on {request.path}; use {allowed}."
    return Refusal("method_not_allowed", 405, message, field=allowed)


def no_such_route(method: str, path: str) -> Refusal:
    shown = path if len(path) <= 100 else path[:100] + "…"
    hint = ""
    if "//" in path:
        hint = " Leave the '/' at the end out of the client's base URL."
    elif "/v1/v1" in path:
        hint = " Leave '/v1' out of the client's base URL."
    elif "/v1" not in path and path.endswith(ENDS):
        hint = " Add '/v1' to the client's base URL."
    message = (
        f"This gateway does not serve {method} {shown}. It serves POST …/v1/chat/completions, POST …/v1/responses, "
        "POST …/v1/completions, POST …/v1/embeddings, POST …/v1/messages, POST …/v1/messages/count_tokens, "
        f"POST …/v1beta/models/<name>:generateContent, GET …/v1/models and GET /gateway/v1/me.{hint}"
    )
    return Refusal("route_not_found", 404, message)
