"""Lists of models, in either dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.asgi import Reply
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.refusals import invalid_request

_JSON = (b"content-type", b"application/json")
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1_000


def models_reply(models: list[CompiledModel], dialect: Dialect, query: bytes) -> Reply:
    """`models` come by slug. Raises Refusal for a page that cannot be."""
    if dialect is Dialect.OPENAI:
        return _json({"object": "list", "data": [_openai(m) for m in models]})
    page, has_more = _page(models, parse_qs(query.decode("latin-1")))
    return _json(
        {
            "data": [_anthropic(m) for m in page],
            "has_more": has_more,
            "first_id": page[0].slug if page else None,
            "last_id": page[-1].slug if page else None,
        }
    )


def model_reply(model: CompiledModel, dialect: Dialect) -> Reply:
    return _json(_openai(model) if dialect is Dialect.OPENAI else _anthropic(model))


def _page(models: list[CompiledModel], query: Mapping[str, list[str]]) -> tuple[list[CompiledModel], bool]:
    limit_text = query.get("limit", [str(_DEFAULT_LIMIT)])[0]
    if not limit_text.isdecimal() or not 1 <= len(limit_text) <= 4 or not 1 <= int(limit_text) <= _MAX_LIMIT:
        raise invalid_request(f"'limit' must be a whole number from 1 to {_MAX_LIMIT}.", field="limit")
    limit = int(limit_text)
    after, before = query.get("after_id", [""])[0], query.get("before_id", [""])[0]
    if after:
        models = [m for m in models if m.slug > after]
    if before:
        # The page that ends right before it.
        models = [m for m in models if m.slug < before]
        return models[-limit:], len(models) > limit
    return models[:limit], len(models) > limit


def _openai(model: CompiledModel) -> dict[str, Any]:
    return {
        "id": model.slug,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": "sluicegate",
    }


def _anthropic(model: CompiledModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.slug,
        "display_name": model.display_name,
        "created_at": model.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, [_JSON], msgspec.json.encode(value))
