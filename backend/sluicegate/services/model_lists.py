"""The lists of models that providers answer with, in the forms in which they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard

import msgspec

from sluicegate.domain.catalog import (
    ADAPTIVE_THINKING,
    MAX_TOKENS,
    REASONING,
    THINKING_BUDGET,
    VISION,
    ModelKind,
)
from sluicegate.domain.usage import TOKENS_PER_PRICE, Prices
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD

_MAX_NAME = 200
# Of all that Bedrock offers, these speak Messages.
_ANTHROPIC = "anthropic."
_EMBEDS = ("embedcontent", "embedtext")
# Where Anthropic's list tells that a model is capable of what a word stands for.
_CAPABILITIES = {
    ADAPTIVE_THINKING: ("thinking", "types", "adaptive"),
    REASONING: ("thinking",),
    THINKING_BUDGET: ("thinking", "types", "enabled"),
    VISION: ("image_input",),
}
TOLD_CAPABILITIES = frozenset(_CAPABILITIES)


@dataclass(frozen=True, slots=True)
class ListedModel:
    """None for what a list does not tell; where it tells `capabilities`, then all of `TOLD_CAPABILITIES`."""

    name: str
    kind: ModelKind = ModelKind.CHAT
    prices: Prices | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] | None = None


def read_models(*bodies: bytes) -> list[ListedModel] | None:
    """The models of lists as OpenAI, Anthropic, Gemini or Bedrock write them, each name once; None for other bodies."""
    found: dict[str, ListedModel] = {}
    for body in bodies:
        rows = _rows(body)
        if rows is None:
            return None
        models = (_model(row) for row in rows)
        found |= {model.name: model for model in models if model is not None}
    return list(found.values())


def _rows(body: bytes) -> list[Mapping[str, Any]] | None:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    if not isinstance(value, Mapping):
        return None
    for name, taken in _BEDROCK_ROWS.items():
        if isinstance(rows := value.get(name), list):
            return [row for row in rows if isinstance(row, Mapping) and taken(row)]
    rows = value.get("data") or value.get("models")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else None


def _on_demand(row: Mapping[str, Any]) -> bool:
    """Whether a foundation model of Bedrock's is called by its own name; newer ones are only called by profiles."""
    ways = row.get("inferenceTypesSupported")
    return str(row.get("modelId")).startswith(_ANTHROPIC) and isinstance(ways, list) and "ON_DEMAND" in ways


def _routes_to_anthropic(row: Mapping[str, Any]) -> bool:
    models = row.get("models")
    arns = [str(model.get("modelArn")) for model in models if isinstance(model, Mapping)] if _is_list(models) else []
    return any(f"/{_ANTHROPIC}" in arn for arn in arns)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


_BEDROCK_ROWS = {"modelSummaries": _on_demand, "inferenceProfileSummaries": _routes_to_anthropic}


def _model(row: Mapping[str, Any]) -> ListedModel | None:
    name = row.get("id") or row.get("name") or row.get("modelId") or _profile(row)
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
        _capabilities(row.get("capabilities")),
    )


def _capabilities(told: Any) -> tuple[str, ...] | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("thinking"), Mapping):
        return None
    return tuple(word for word, path in _CAPABILITIES.items() if _supported(told, path))


def _supported(told: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        told = told.get(name) if isinstance(told, Mapping) else None
    return isinstance(told, Mapping) and told.get("supported") is True


def _profile(row: Mapping[str, Any]) -> Any:
    """A profile's own name where AWS made it, the ARN of one that an account made for itself."""
    return row.get("inferenceProfileArn" if row.get("type") == "APPLICATION" else "inferenceProfileId")


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
