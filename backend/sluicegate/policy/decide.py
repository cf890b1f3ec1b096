"""Why a call is refused, in words and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from sluicegate.domain.policy import Dimension, SubjectKind, Window
from sluicegate.kit.money import format_usd
from sluicegate.policy.merge import Source
from sluicegate.policy.refusals import LimitFacts, Refusal
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import Denial

_UNITS = {
    Dimension.REQUESTS: "requests per minute",
    Dimension.INPUT_TOKENS: "input tokens per minute",
    Dimension.OUTPUT_TOKENS: "output tokens per minute",
    Dimension.CONCURRENT_REQUESTS: "concurrent requests",
}
_ADJECTIVES = {Window.DAY: "Daily", Window.WEEK: "Weekly", Window.MONTH: "Monthly"}


def describe_source(source: Source) -> str:
    """For sentences: `set by group Contractors`."""
    if source.override is not None:
        return f"set for this user until {when(source.override.ends_at)} ({source.override.reason})"
    match source.subject.kind:
        case SubjectKind.USER:
            return "set for this user"
        case SubjectKind.GROUP:
            return f"set by group {source.name}"
        case SubjectKind.POOL:
            return f"set by group {source.name} (shared by all members)"
        case SubjectKind.KEY:
            return f"set on the key {source.name}"


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def refusal_of(denial: Denial, source: Source, periods: Mapping[Window, Period], now: datetime) -> Refusal:
    """The refusal that a denial by the counters becomes: 402 for a budget that is reached, 429 for everything that
    passes while one waits."""
    if denial.dimension is not None:
        return _rate_refusal(denial, denial.dimension, source, now)
    if denial.held:
        return _held_refusal(denial, denial.over, source, now)
    return _budget_refusal(denial, denial.over, source, periods)


def _end_of(source: Source) -> datetime | None:
    """When a block ends by itself."""
    return source.override.ends_at if source.override else None


def _rate_refusal(denial: Denial, dimension: Dimension, source: Source, now: datetime) -> Refusal:
    unit, origin = _UNITS[dimension], describe_source(source)
    free_at = _end_of(source) if denial.retry_after is None else now + timedelta(seconds=denial.retry_after)
    retry_after = None if denial.retry_after is None else max(1, math.ceil(denial.retry_after))
    if denial.limit == 0:
        message = f"Calls are blocked: the limit is 0 {unit}, {origin}."
    else:
        message = f"Rate limit reached: {denial.limit:,} {unit}, {origin}; {denial.used:,} in use"
        message += f" and this call needs about {denial.asked:,}." if denial.asked > 1 else "."
        message += f" Try again in {retry_after} s." if retry_after else ""
    facts = LimitFacts(dimension, None, denial.limit, denial.used, source, free_at)
    return Refusal("rate_limit_exceeded", 429, message, retry_after=retry_after, facts=facts)


def _held_refusal(denial: Denial, window: Window, source: Source, now: datetime) -> Refusal:
    """The budget has room, only not while other calls hold their estimates: assistants wait and come back."""
    wait = denial.retry_after or 1.0
    retry_after = max(1, math.ceil(wait))
    message = (
        f"The {_ADJECTIVES[window].lower()} budget of ${format_usd(denial.limit)}, {describe_source(source)}, has "
        f"${format_usd(denial.used - denial.reserved)} spent, and calls in flight hold ${format_usd(denial.reserved)} "
        f"until they end; this call needs about ${format_usd(denial.asked)}. Try again in {retry_after} s."
    )
    free_at = now + timedelta(seconds=wait)
    facts = LimitFacts(None, window, denial.limit, denial.used, source, free_at)
    return Refusal("rate_limit_exceeded", 429, message, retry_after=retry_after, facts=facts)


def _budget_refusal(denial: Denial, window: Window, source: Source, periods: Mapping[Window, Period]) -> Refusal:
    cap, spent = format_usd(denial.limit), format_usd(denial.used - denial.reserved)
    resets_at = periods[window].end
    origin = describe_source(source)
    if denial.limit == 0:
        message = f"Calls that cost money are blocked: the {_ADJECTIVES[window].lower()} budget is $0, {origin}."
        facts = LimitFacts(None, window, 0, denial.used, source, _end_of(source))
        return Refusal("budget_exceeded", 402, message, facts=facts)
    if denial.used - denial.reserved >= denial.limit:
        message = f"{_ADJECTIVES[window]} budget of ${cap} reached, {origin}: spent ${spent}."
    else:
        message = (
            f"{_ADJECTIVES[window]} budget of ${cap} reached, {origin}: spent ${spent}, and this call needs about "
            f"${format_usd(denial.asked)}, more than is left."
        )
    message += f" Resets {when(resets_at)}."
    facts = LimitFacts(None, window, denial.limit, denial.used, source, resets_at)
    return Refusal("budget_exceeded", 402, message, facts=facts)
