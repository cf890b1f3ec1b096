"""The demo provider as a whole: one request in, one finished answer out, no I/O and no waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sluicegate.adapters.demo import chat, completions, embeddings, gemini, messages, responses
from sluicegate.adapters.demo.cache import PrefixCache
from sluicegate.adapters.demo.catalogue import MODELS, DemoModel
from sluicegate.adapters.demo.engine import Plan, plan_answer
from sluicegate.adapters.demo.faults import Fault, senders_fault
from sluicegate.adapters.demo.prompt import Prompt
from sluicegate.adapters.demo.wire import Answer, anthropic_refusal, gemini_refusal, openai_refusal, whole
from sluicegate.kit.clock import Clock
from sluicegate.ports.upstream import RawHeaders

_BORN = 1_735_689_600
_BORN_TEXT = "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one endpoint reads requests and writes plans."""

    read: Callable[[bytes], Prompt]
    write: Callable[[Prompt, Plan, int], Answer]


DIALECTS = {
    "/v1/chat/completions": Dialect(chat.read, chat.write),
    "/v1/completions": Dialect(completions.read, completions.write),
    "/v1/messages": Dialect(messages.read, messages.write),
    "/v1/responses": Dialect(responses.read, responses.write),
}


def dialect_of(target: str) -> Dialect | None:
    """None where no text is generated."""
    call = gemini.call_of(target)
    if call is not None:
        return None if call.action == "countTokens" else Dialect(call.read, call.write)
    return DIALECTS.get(target.partition("?")[0])


class DemoProvider:
    """Answers every call by itself; remembers only digests of prompt prefixes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cache = PrefixCache(clock)

    def answer(self, method: str, target: str, headers: RawHeaders, body: bytes) -> Answer:
        path = target.partition("?")[0]
        try:
            with senders_fault():
                return self._answer(method, path, target, body)
        except Fault as fault:
            return refusal_for(path, headers)(fault)

    def _answer(self, method: str, path: str, target: str, body: bytes) -> Answer:
        if method == "GET" and path == "/v1/models":
            return model_list(MODELS.values())
        if method == "GET" and path.startswith("/v1/models/"):
            return whole(_card(_model(unquote(path.removeprefix("/v1/models/")))))
        if method != "POST":
            raise _unknown(method, path)
        if path == "/v1/embeddings":
            asked = embeddings.read(body)
            _fitting(asked.model, embeds=True)
            return embeddings.answer(asked)
        if path == "/v1/messages/count_tokens":
            return messages.count(body)
        dialect = dialect_of(target)
        if dialect is None:
            if call := gemini.call_of(target):
                return call.count(body)
            raise _unknown(method, path)
        prompt = dialect.read(body)
        model = _fitting(prompt.model, embeds=False)
        plan = plan_answer(prompt, model, self._cache.measure(prompt))
        return dialect.write(prompt, plan, int(self._clock.time()))


def refusal_for(path: str, headers: RawHeaders) -> Callable[[Fault], Answer]:
    """Messages have their own error shape; so have the shared paths when the caller says which API it speaks."""
    if path.startswith("/v1beta/") or gemini.call_of(path) is not None:
        return gemini_refusal
    named = any(name.lower() == b"anthropic-version" for name, _ in headers)
    anthropic = path.startswith("/v1/messages") or (named and path.startswith("/v1/models"))
    return anthropic_refusal if anthropic else openai_refusal


def model_list(models: Iterable[DemoModel]) -> Answer:
    """One shape that the clients of both APIs can read."""
    cards = [_card(model) for model in models]
    return whole(
        {"object": "list", "data": cards, "has_more": False, "first_id": cards[0]["id"], "last_id": cards[-1]["id"]}
    )


def _card(model: DemoModel) -> dict[str, str | int]:
    return {
        "id": model.name,
        "object": "model",
        "created": _BORN,
        "owned_by": "sluicegate",
        "type": "model",
        "display_name": model.display_name,
        "created_at": _BORN_TEXT,
    }


def _model(name: str) -> DemoModel:
    model = MODELS.get(name)
    if model is None:
        known = ", ".join(MODELS)
        message = f"The model '{name}' does not exist. The demo provider has {known}."
        raise Fault(404, message, code="model_not_found", param="model")
    return model


def _fitting(name: str, *, embeds: bool) -> DemoModel:
    model = _model(name)
    if model.embeds != embeds:
        able = "chat" if model.embeds else "embeddings"
        raise Fault(400, f"The model '{name}' cannot be used for {able}.", param="model")
    return model


def _unknown(method: str, path: str) -> Fault:
    return Fault(404, f"Unknown request URL: {method} {path}.", code="unknown_url")
