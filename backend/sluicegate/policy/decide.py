"""Decisions in words and figures: what a call will probably use, and why it is refused."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluicegate.domain.policy import Dimension, Window
from sluicegate.kit.money import format_usd
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.policy.merge import Source
from sluicegate.policy.refusals import LimitFacts, Refusal
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import Denial

MAX_OUTPUT_GUESS = 4_000
_HISTORY = 32
_REMEMBERED = 50_000
_UNITS = {
    Dimension.REQUESTS: "requests per minute",
    Dimension.INPUT_TOKENS: "input tokens per minute",
    Dimension.OUTPUT_TOKENS: "output tokens per minute",
    Dimension.CONCURRENT_REQUESTS: "concurrent requests",
}
_ADJECTIVES = {Window.DAY: "Daily", Window.WEEK: "Weekly", Window.MONTH: "Monthly"}


class OutputGuess:
    """How much a user's calls to a model usually answer: the 95th percentile of the last 32, at most 4,000 tokens.

    Assistants ask for a `max_tokens` of up to 128,000 and use a few hundred, so that is no measure to reserve by.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[deque[int], int]] = {}

    def guess(self, user_id: str, model_id: str, max_tokens: int | None) -> int:
        known = self._seen.get((user_id, model_id))
        guess = known[1] if known else MAX_OUTPUT_GUESS
        return guess if max_tokens is None or max_tokens > guess else max(1, max_tokens)

    def learn(self, user_id: str, model_id: str, output_tokens: int) -> None:
        key = (user_id, model_id)
        known = self._seen.get(key)
        if known is None and len(self._seen) >= _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        history = known[0] if known else deque[int](maxlen=_HISTORY)
        history.append(output_tokens)
        rank = math.ceil(0.95 * len(history)) - 1
        self._seen[key] = history, max(1, min(sorted(history)[rank], MAX_OUTPUT_GUESS))


def source_of(denial: Denial, effective: EffectivePolicy) -> Source:
    """Who set the value that stood in the way."""
    merged = effective.limits[denial.dimension] if denial.dimension else effective.budgets[_window(denial)]
    if merged.winner is None:
        raise ValueError("a denial by a limit that nobody set")
    return merged.winner.source


def describe_source(source: Source) -> str:
    """For sentences: `set by group Contractors`, `set for you`."""
    return "set for this user" if source.subject.kind.value == "user" else f"set by {source.subject.kind} {source.name}"


def _window(denial: Denial) -> Window:
    if denial.window is None:
        raise ValueError("a denial names a dimension or a window")
    return denial.window


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def refusal_of(
    denial: Denial,
    effective: EffectivePolicy,
    periods: Mapping[Window, Period],
    now: datetime,
) -> Refusal:
    """The refusal that a denial by the counters becomes: 429 for rates and concurrency, 402 for budgets."""
    source = source_of(denial, effective)
    if denial.dimension is not None:
        return _rate_refusal(denial, denial.dimension, source, now)
    return _budget_refusal(denial, _window(denial), source, periods)


def _rate_refusal(denial: Denial, dimension: Dimension, source: Source, now: datetime) -> Refusal:
    unit, origin = _UNITS[dimension], describe_source(source)
    free_at = None if denial.retry_after is None else now + timedelta(seconds=denial.retry_after)
    retry_after = None if denial.retry_after is None else max(1, math.ceil(denial.retry_after))
    if denial.limit == 0:
        message = f"Calls are blocked: the limit is 0 {unit}, {origin}."
    else:
        message = f"Rate limit reached: {denial.limit:,} {unit}, {origin}; {denial.used:,} in use"
        message += f" and this call needs about {denial.asked:,}." if denial.asked > 1 else "."
        message += f" Try again in {retry_after} s." if retry_after else ""
    facts = LimitFacts(dimension, None, denial.limit, denial.used, source, free_at)
    return Refusal("rate_limit_exceeded", 429, message, retry_after=retry_after, facts=facts)


def _budget_refusal(denial: Denial, window: Window, source: Source, periods: Mapping[Window, Period]) -> Refusal:
    cap, spent = format_usd(denial.limit), format_usd(denial.used - denial.reserved)
    resets_at = periods[window].end
    origin = describe_source(source)
    if denial.limit == 0:
        message = f"Calls that cost money are blocked: the {_ADJECTIVES[window].lower()} budget is $0, {origin}."
        facts = LimitFacts(None, window, 0, denial.used, source, None)
        return Refusal("budget_exceeded", 402, message, facts=facts)
    held = f" and ${format_usd(denial.reserved)} held by calls in flight" if denial.reserved else ""
    message = (
        f"{_ADJECTIVES[window]} budget of ${cap} reached, {origin}: spent ${spent}{held}. Resets {when(resets_at)}."
    )
    facts = LimitFacts(None, window, denial.limit, denial.used, source, resets_at)
    return Refusal("budget_exceeded", 402, message, facts=facts)


@dataclass(frozen=True, slots=True)
class Check:
    """One step of an explanation."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the gateway would answer now. `retry_at` is set when waiting alone cures a refusal."""

    allowed: bool
    status: int
    code: str | None
    message: str
    retry_at: datetime | None
    checks: tuple[Check, ...]
