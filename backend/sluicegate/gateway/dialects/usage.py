"""From each protocol's usage block to the five disjoint token classes.

Anthropic counts `input_tokens` beside the cache, OpenAI's `prompt_tokens` includes it. A figure that cannot be
(negative, fractional, not a number, a billion or more) makes the whole block worthless: providers do lie.
"""

from __future__ import annotations

from typing import Any

from sluicegate.domain.usage import TokenUsage

_ABSURD = 1_000_000_000


class AbsurdUsage(ValueError):
    """A usage block that cannot be true."""


def _count(block: dict[str, Any], name: str) -> int:
    value = block.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < _ABSURD:
        raise AbsurdUsage(name)
    return value


def _part(block: dict[str, Any], name: str) -> dict[str, Any]:
    value = block.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AbsurdUsage(name)
    return value


def openai_usage(block: dict[str, Any]) -> TokenUsage:
    """A chat completion's usage: cached and written tokens are part of the prompt, reasoning part of the completion."""
    total, output = _count(block, "prompt_tokens"), _count(block, "completion_tokens")
    prompt = _part(block, "prompt_tokens_details")
    cached, written = _count(prompt, "cached_tokens"), _count(prompt, "cache_write_tokens")
    reasoning = _count(_part(block, "completion_tokens_details"), "reasoning_tokens")
    if cached + written > total or reasoning > output:
        raise AbsurdUsage("prompt_tokens_details")
    return TokenUsage(total - cached - written, cached, written, 0, output, reasoning)


def anthropic_usage(block: dict[str, Any]) -> TokenUsage:
    """A message's usage: cache reads and writes come on top of the input. With compaction the totals leave iterations
    out, so these are summed when they are listed."""
    iterations = block.get("iterations")
    if isinstance(iterations, list) and iterations:
        parts = [_anthropic_block(i) for i in iterations if isinstance(i, dict)]
        names = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
        return TokenUsage(*(sum(getattr(p, name) for p in parts) for name in names))
    return _anthropic_block(block)


def _anthropic_block(block: dict[str, Any]) -> TokenUsage:
    written = _count(block, "cache_creation_input_tokens")
    long = _count(_part(block, "cache_creation"), "ephemeral_1h_input_tokens")
    if long > written:
        raise AbsurdUsage("cache_creation")
    output = _count(block, "output_tokens")
    thinking = _count(_part(block, "output_tokens_details"), "thinking_tokens")
    return TokenUsage(
        _count(block, "input_tokens"),
        _count(block, "cache_read_input_tokens"),
        written - long,
        long,
        output,
        min(thinking, output),
    )
