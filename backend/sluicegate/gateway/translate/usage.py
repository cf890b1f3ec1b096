"""Usage in the words of each protocol (docs: totals include their details everywhere but in Messages)."""

from __future__ import annotations

from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.translate.form import Object


def chat_usage(usage: TokenUsage) -> Object:
    return {
        "prompt_tokens": usage.total_input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total_input + usage.output,
        "prompt_tokens_details": _cached(usage),
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def responses_usage(usage: TokenUsage) -> Object:
    return {
        "input_tokens": usage.total_input,
        "input_tokens_details": _cached(usage),
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total_input + usage.output,
    }


def _cached(usage: TokenUsage) -> Object:
    details: Object = {"cached_tokens": usage.cache_read}
    if written := usage.cache_write_5m + usage.cache_write_1h:
        details["cache_write_tokens"] = written
    return details


def messages_usage(usage: TokenUsage) -> Object:
    written: Object = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return written
