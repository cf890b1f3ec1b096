"""Lists of models, in every dialect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from sluicegate.domain.catalog import ADAPTIVE_THINKING, REASONING, THINKING_BUDGET, VISION, Dialect, ModelKind
from sluicegate.gateway.asgi import Reply
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.refusals import invalid_request

_JSON = (b"content-type", b"application/json")
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1_000
Named = tuple[str, CompiledModel]


def models_reply(models: Iterable[CompiledModel], dialect: Dialect, query: bytes) -> Reply:
    """Raises Refusal for a page or kind that cannot be."""
    asked = parse_qs(query.decode("latin-1"))
    models = [model for model in models if _callable(model, dialect)]
    if dialect is Dialect.GEMINI:
        return _json({"models": [_gemini(m.slug, m) for m in models if m.kind is ModelKind.CHAT]})
    if dialect is Dialect.OPENAI:
        kind = _kind(asked, None)
        return _json({"object": "list", "data": [_openai(m.slug, m) for m in models if kind in (None, m.kind)]})
    # There is no way to call any other kind in this dialect.
    kind = _kind(asked, ModelKind.CHAT)
    named = sorted((name for m in models if m.kind is kind for name in _names(m)), key=lambda entry: entry[0])
    page, has_more = _page(named, asked)
    return _json(
        {
            "data": [_anthropic(name, model) for name, model in page],
            "has_more": has_more,
            "first_id": page[0][0] if page else None,
            "last_id": page[-1][0] if page else None,
        }
    )


def model_reply(name: str, model: CompiledModel, dialect: Dialect) -> Reply:
    """`name` is the one that the caller used."""
    return _json(_SHAPES[dialect](name, model))


def _callable(model: CompiledModel, dialect: Dialect) -> bool:
    """Whether any backend can be reached in the dialect: Gemini's is only passed on to providers that speak it."""
    spoken = {d for route in model.routes for d in route.dialects}
    return dialect in spoken if dialect is Dialect.GEMINI else spoken != {Dialect.GEMINI}


def _names(model: CompiledModel) -> list[Named]:
    return [(name, model) for name in (model.slug, model.alias) if name]


def _kind(asked: Mapping[str, list[str]], usual: ModelKind | None) -> ModelKind | None:
    text = asked.get("kind", [""])[0]
    if not text:
        return usual
    try:
        return ModelKind(text)
    except ValueError:
        known = " or ".join(f"'{kind}'" for kind in ModelKind)
        raise invalid_request(f"'kind' must be {known}.", field="kind") from None


def _page(named: list[Named], asked: Mapping[str, list[str]]) -> tuple[list[Named], bool]:
    limit_text = asked.get("limit", [str(_DEFAULT_LIMIT)])[0]
    if not limit_text.isdecimal() or not 1 <= len(limit_text) <= 4 or not 1 <= int(limit_text) <= _MAX_LIMIT:
        raise invalid_request(f"'limit' must be a whole number from 1 to {_MAX_LIMIT}.", field="limit")
    limit = int(limit_text)
    after, before = asked.get("after_id", [""])[0], asked.get("before_id", [""])[0]
    if after:
        named = [entry for entry in named if entry[0] > after]
    if before:
        # The page that ends right before it.
        named = [entry for entry in named if entry[0] < before]
        return named[-limit:], len(named) > limit
    return named[:limit], len(named) > limit


def _openai(name: str, model: CompiledModel) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": "sluicegate",
        "display_name": model.display_name,
        "kind": model.kind.value,
        "context_length": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": model.capabilities,
    }


def _anthropic(name: str, model: CompiledModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": model.display_name,
        "created_at": _instant(model.created_at),
        "lifecycle": "active",
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output_tokens,
        "capabilities": _supported(model.capabilities),
    }


def _supported(words: Collection[str]) -> dict[str, Any] | None:
    """Capabilities in the form of Anthropic's Models API, as far as they are known; None where nothing is."""
    if not words:
        return None
    thinking = {"adaptive": ADAPTIVE_THINKING, "enabled": THINKING_BUDGET}
    types = {name: {"supported": word in words} for name, word in thinking.items()}
    known = {"types": types} if not {*thinking.values()}.isdisjoint(words) else {}
    return {
        "image_input": {"supported": VISION in words},
        "thinking": {"supported": REASONING in words, **known},
    }


def _gemini(name: str, model: CompiledModel) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "displayName": model.display_name,
        "inputTokenLimit": model.context_window,
        "outputTokenLimit": model.max_output_tokens,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        **({"thinking": REASONING in model.capabilities} if model.capabilities else {}),
    }


_SHAPES = {Dialect.OPENAI: _openai, Dialect.ANTHROPIC: _anthropic, Dialect.GEMINI: _gemini}


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, [_JSON], msgspec.json.encode(value))
