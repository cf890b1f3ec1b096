"""Token usage as providers report it, and what stands in for it where they do not."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from sluicegate.domain.usage import TokenUsage

# What decoding raises for bytes that are no JSON of the wanted shape.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode = msgspec.json.Decoder().decode
# No call has a billion tokens: a figure beyond it is a fault of the provider.
MAX_COUNT = 1_000_000_000
Count = Annotated[int, msgspec.Meta(ge=0, lt=MAX_COUNT)]
_BYTES_PER_TOKEN = 4
_TEXT = re.compile(
    rb'"(?:text|content|thinking|partial_json|arguments|reasoning_content|reasoning|refusal)"\s*:\s*'
    rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)'
)


class Reading(msgspec.Struct, frozen=True):
    """What an answer reported; a side that is not `known` holds at most a lower bound. `stored` are the ids under which
    its provider keeps it."""

    usage: TokenUsage
    input_known: bool
    output_known: bool
    stored: tuple[str, ...] = ()

    def completed(self, input_estimate: int, text_size: int) -> tuple[TokenUsage, bool]:
        """The usage to bill, and whether it is an estimate: output is at least a token per four bytes of text."""
        if self.input_known and self.output_known:
            return self.usage, False
        usage = self.usage if self.input_known else TokenUsage(input=input_estimate)
        output = self.usage.output
        if not self.output_known:
            output = max(output, -(-text_size // _BYTES_PER_TOKEN))
        return replace(usage, output=output, reasoning=self.usage.reasoning), True


NOTHING = Reading(TokenUsage(), input_known=False, output_known=False)


def loaded(raw: bytes | msgspec.Raw) -> Any:
    """A JSON value; None also for bytes that are none."""
    try:
        return _decode(raw)
    except UNREADABLE:
        return None


class AbsurdCount(Exception):
    """A reported figure that cannot be one."""


def count(value: Any) -> int:
    """A reported number of tokens, zero for none; raises AbsurdCount."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < MAX_COUNT:
        raise AbsurdCount
    return value


def part(value: Any, name: str) -> int:
    """The figure `name` of a nested object that may be absent; raises AbsurdCount."""
    if value is None:
        return 0
    if not isinstance(value, dict):
        raise AbsurdCount
    return count(value.get(name))


def reading_of_totals(usage: Any, input_name: str, output_name: str) -> Reading:
    """What a usage block of OpenAI's kind tells, in which cached tokens are a part of the input.

    Nothing when it is none or absurd.
    """
    if not isinstance(usage, dict):
        return NOTHING
    try:
        total = count(usage.get(input_name))
        output = count(usage.get(output_name))
        details = usage.get(f"{input_name}_details")
        cached, written = part(details, "cached_tokens"), part(details, "cache_write_tokens")
        reasoning = part(usage.get(f"{output_name}_details"), "reasoning_tokens")
        # Newer models say how long what they wrote is kept.
        lasting = part(details.get("cache_write_tokens_details") if details else None, "ttl_12h_tokens")
    except AbsurdCount:
        return NOTHING
    output_known = usage.get(output_name) is not None
    if total == 0 and cached == written == 0:
        # No call is without a prompt.
        told = TokenUsage(output=output, reasoning=min(reasoning, output))
        return Reading(told, input_known=False, output_known=output_known and output > 0)
    if cached + written > total or lasting > written:
        return NOTHING
    used = TokenUsage(
        input=total - cached - written,
        cache_read=cached,
        cache_write_5m=written - lasting,
        cache_write_1h=lasting,
        output=output,
        reasoning=min(reasoning, output),
    )
    return Reading(used, input_known=True, output_known=output_known)


def text_size(data: bytes) -> int:
    """Bytes of generated text in an answer's JSON, of any dialect."""
    return sum(len(text) for text in _TEXT.findall(data))
