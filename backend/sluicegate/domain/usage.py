"""Tokens, prices, costs, and the record of one call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import msgspec

from sluicegate.kit.money import Nanos, divide_half_even

TOKENS_PER_PRICE = 1_000_000


class TokenUsage(msgspec.Struct, frozen=True, gc=False):
    """Tokens by price class, disjoint; `reasoning` is a part of `output` (protocols differ: each dialect converts)."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total_input(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def limited_input(self) -> int:
        """Input that counts against a rate limit: cache reads do not."""
        return self.input + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Prices:
    """Whole nano-dollars per million tokens; None = unknown. An unknown cache class is charged as input. The tiers of
    `long_context` lie in rising order of the prompts that they begin above."""

    input: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    output: int | None = None
    long_context: tuple[LongContext, ...] = ()

    def at(self, input_tokens: int) -> Prices:
        """What a call is charged by with so many tokens in its prompt, however they were cached."""
        for tier in reversed(self.long_context):
            if input_tokens > tier.above:
                return tier.prices
        return self

    def known(self, *, output_needed: bool = True) -> bool:
        return self.input is not None and (self.output is not None or not output_needed)


@dataclass(frozen=True, slots=True)
class LongContext:
    """Prices of a whole call, output included, whose prompt has more than `above` tokens."""

    above: int
    prices: Prices


def cost_of(usage: TokenUsage, prices: Prices) -> Nanos:
    """Tokens by class times price, rounded once, half to even. Unknown input and output prices count as zero here:
    callers must not serve a model whose prices are unknown (`ProviderModel.priced`)."""
    if prices.long_context:
        prices = prices.at(usage.total_input)
    base = prices.input or 0
    total = usage.input * base + usage.output * (prices.output or 0)
    if tokens := usage.cache_read:
        total += tokens * (base if (price := prices.cache_read) is None else price)
    if tokens := usage.cache_write_5m:
        total += tokens * (base if (price := prices.cache_write_5m) is None else price)
    if tokens := usage.cache_write_1h:
        total += tokens * (base if (price := prices.cache_write_1h) is None else price)
    # Calling a NewType costs as much as the rest.
    return cast("Nanos", divide_half_even(total, TOKENS_PER_PRICE))


class Outcome(StrEnum):
    """How an admitted call ended."""

    OK = "ok"
    ABORTED = "aborted"
    UPSTREAM_ERROR = "upstream_error"
    UNREACHABLE = "unreachable"
    RECOVERED = "recovered"


class CallRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One admitted call, as journal, ledger and roll-ups know it. Times are milliseconds since the epoch.

    Labels are copied at the time of the call, so that later renames and deletions change no history. `price_list_id`
    names what the cost was reckoned by; calls from before that was written down have none, nor have recovered ones.
    """

    call_id: str
    started_ms: int
    finished_ms: int
    user_id: str
    user_label: str
    key_id: str
    key_label: str
    group_ids: tuple[str, ...]
    model_slug: str
    provider_id: str
    provider_name: str
    provider_model: str
    endpoint: str
    stream: bool
    status: int
    outcome: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanos: int
    estimated: bool
    first_byte_ms: int | None
    client_app: str | None
    project: str | None
    session_id: str | None
    price_list_id: str | None = None

    @property
    def usage(self) -> TokenUsage:
        return _usage_of(self)


class CallFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of a call's record what it has in common with all others of its caller that go the same way: made once for them,
    and written down once."""

    user_id: str
    user_label: str
    key_id: str
    key_label: str
    group_ids: tuple[str, ...]
    model_slug: str
    provider_id: str
    provider_name: str
    provider_model: str
    endpoint: str
    stream: bool
    client_app: str | None
    project: str | None
    session_id: str | None
    price_list_id: str | None


class CallCourse(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of a call's record what is its own."""

    call_id: str
    started_ms: int
    finished_ms: int
    status: int
    outcome: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanos: int
    estimated: bool
    first_byte_ms: int | None

    @property
    def usage(self) -> TokenUsage:
        return _usage_of(self)


def _usage_of(call: CallRecord | CallCourse) -> TokenUsage:
    return TokenUsage(
        call.input_tokens,
        call.cache_read_tokens,
        call.cache_write_5m_tokens,
        call.cache_write_1h_tokens,
        call.output_tokens,
        call.reasoning_tokens,
    )


def record_of(facts: CallFacts, course: CallCourse) -> CallRecord:
    # By position, in the order of the fields: by name it would cost ten times as much.
    return CallRecord(
        course.call_id,
        course.started_ms,
        course.finished_ms,
        facts.user_id,
        facts.user_label,
        facts.key_id,
        facts.key_label,
        facts.group_ids,
        facts.model_slug,
        facts.provider_id,
        facts.provider_name,
        facts.provider_model,
        facts.endpoint,
        facts.stream,
        course.status,
        course.outcome,
        course.input_tokens,
        course.cache_read_tokens,
        course.cache_write_5m_tokens,
        course.cache_write_1h_tokens,
        course.output_tokens,
        course.reasoning_tokens,
        course.cost_nanos,
        course.estimated,
        course.first_byte_ms,
        facts.client_app,
        facts.project,
        facts.session_id,
        facts.price_list_id,
    )


@dataclass(frozen=True, slots=True)
class RefusalSpot:
    """Where a refused call counts: on a day of the deployment's zone, by where that begins (milliseconds), for its
    reason, the code that the caller got. `scope` is the user, a group that the user was in, or None for everybody."""

    day_ms: int
    scope: str | None
    reason: str
