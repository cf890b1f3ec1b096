"""The list of models that a caller may use, in either protocol's shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from sluicegate.domain.catalog import Dialect
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.refusals import invalid_request, model_not_found

_DEFAULT_PAGE = 20
_MAX_PAGE = 1000


def model_value(model: CompiledModel, dialect: Dialect) -> dict[str, Any]:
    if dialect is Dialect.ANTHROPIC:
        return {
            "type": "model",
            "id": model.slug,
            "display_name": model.display_name,
            "created_at": model.created_at.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        }
    return {
        "id": model.slug,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": "sluicegate",
    }


def models_value(models: list[CompiledModel], dialect: Dialect, query: bytes) -> dict[str, Any]:
    """All models for OpenAI; for Anthropic a page by `limit`, `after_id`, `before_id`; Refusal for a bad limit."""
    if dialect is Dialect.OPENAI:
        return {"object": "list", "data": [model_value(m, dialect) for m in models]}
    page, has_more = _page(models, {k: v[-1] for k, v in parse_qs(query.decode("latin-1")).items()})
    return {
        "data": [model_value(m, dialect) for m in page],
        "has_more": has_more,
        "first_id": page[0].slug if page else None,
        "last_id": page[-1].slug if page else None,
    }


def _page(models: list[CompiledModel], query: dict[str, str]) -> tuple[list[CompiledModel], bool]:
    text = query.get("limit", str(_DEFAULT_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= _MAX_PAGE:
        raise invalid_request(f"limit must be a number from 1 to {_MAX_PAGE}", field="limit")
    limit = int(text)
    if before := query.get("before_id"):
        earlier = [m for m in models if m.slug < before]
        return earlier[-limit:], len(earlier) > limit
    later = [m for m in models if m.slug > query.get("after_id", "")]
    return later[:limit], len(later) > limit


def find_model(models: list[CompiledModel], slug: str) -> CompiledModel:
    """One of the caller's models; raises Refusal, the same for hidden and unknown ones."""
    for model in models:
        if model.slug == slug:
            return model
    raise model_not_found(slug)
