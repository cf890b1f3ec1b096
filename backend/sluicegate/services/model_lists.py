"""The lists of models that providers answer with, in the three forms in which they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sluicegate.domain.catalog import MAX_TOKENS, ModelKind
from sluicegate.domain.usage import TOKENS_PER_PRICE, Prices
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD

_MAX_NAME = 200
_EMBEDS = ("embedcontent", "embedtext")


@dataclass(frozen=True, slots=True)
class ListedModel:
    """None for what a list does not tell."""

    name: str
    kind: ModelKind = ModelKind.CHAT
    prices: Prices | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None


def read_models(body: bytes) -> list[ListedModel] | None:
    """The models of a list as OpenAI, Anthropic or Gemini write it, each name once; None for anything else."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    rows = (value.get("data") or value.get("models")) if isinstance(value, Mapping) else None
    if not isinstance(rows, list):
        return None
    found = (_model(row) for row in rows if isinstance(row, Mapping))
    return list({model.name: model for model in found if model is not None}.values())


def _model(row: Mapping[str, Any]) -> ListedModel | None:
    name = row.get("id") or row.get("name")
    if not isinstance(name, str):
        return None
    # Gemini gives the path below which a model is called.
    name = name.removeprefix("models/").strip()
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        return None
    provider = row.get("top_provider")
    longest = provider.get("max_completion_tokens") if isinstance(provider, Mapping) else None
    return ListedModel(
        name,
        ModelKind.EMBEDDING if _embeds(name, row) else ModelKind.CHAT,
        _prices(row.get("pricing")),
        _tokens(row.get("context_length") or row.get("inputTokenLimit") or row.get("max_input_tokens")),
        _tokens(longest or row.get("outputTokenLimit") or row.get("max_tokens")),
    )


def _embeds(name: str, row: Mapping[str, Any]) -> bool:
    methods = row.get("supportedGenerationMethods")
    if isinstance(methods, list) and methods:
        return all(str(method).lower() in (*_EMBEDS, "counttokens") for method in methods)
    return "embed" in name.lower()


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_TOKENS else None


def _prices(given: Any) -> Prices | None:
    """What OpenRouter tells: the price of a single token of each class."""
    if not isinstance(given, Mapping):
        return None

    def price(name: str) -> int | None:
        return _per_million(given.get(name))

    found = Prices(price("prompt"), price("input_cache_read"), price("input_cache_write"), output=price("completion"))
    # What depends on the model that a router picks has a negative price there.
    return found if found.known() else None


def _per_million(text: Any) -> int | None:
    try:
        price = Decimal(text) * TOKENS_PER_PRICE * NANOS_PER_USD if isinstance(text, str) else None
    except InvalidOperation:
        return None
    if price is None or not price.is_finite() or not 0 <= price <= MAX_USD * NANOS_PER_USD:
        return None
    return int(price)
