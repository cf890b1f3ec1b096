"""What is left of a caller's own limits, as headers in the style of each dialect. They replace the provider's, which
speak of an account that all callers share."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import ceil

from sluicegate.domain.catalog import Dialect
from sluicegate.ports.policy import CapRoom, RateRoom, Room

# Claude Code warns its user at these parts of a cap.
_THRESHOLDS = ((0.95, b"0.95"), (0.75, b"0.75"))
_OPENAI_REQUESTS, _OPENAI_TOKENS = (
    b"x-ratelimit-limit-%b: %%d\r\nx-ratelimit-remaining-%b: %%d\r\nx-ratelimit-reset-%b: %%b\r\n" % (kind, kind, kind)
    for kind in (b"requests", b"tokens")
)
_ANTHROPIC = {
    kind: b"anthropic-ratelimit-%b-limit: %%d\r\nanthropic-ratelimit-%b-remaining: %%d\r\n"
    b"anthropic-ratelimit-%b-reset: %%b\r\n" % (kind, kind, kind)
    for kind in (b"requests", b"input-tokens", b"output-tokens")
}
_CAP = (
    b"anthropic-ratelimit-unified-status: %b\r\n"
    b"anthropic-ratelimit-unified-reset: %d\r\n"
    b"anthropic-ratelimit-unified-representative-claim: overage\r\n"
    b"anthropic-ratelimit-unified-overage-status: %b\r\n"
    b"anthropic-ratelimit-unified-overage-reset: %d\r\n"
    b"anthropic-ratelimit-unified-overage-utilization: %.2f\r\n"
)
_PASSED = b"anthropic-ratelimit-unified-overage-surpassed-threshold: %b\r\n"


def limit_lines(room: Room, dialect: Dialect, now: float) -> bytes:
    """As they stand in the head of an answer, each with its end; `now` is in seconds since the epoch. Empty for a
    caller without limits."""
    if dialect is Dialect.ANTHROPIC:
        lines = b""
        for kind, left in (
            (b"requests", room.requests),
            (b"input-tokens", room.input_tokens),
            (b"output-tokens", room.output_tokens),
        ):
            if left is not None:
                reset = _instant(int(now + left.resets_in + 0.999))
                lines += _ANTHROPIC[kind] % (left.limit, left.remaining, reset)
        return lines if room.cap is None else lines + _cap_lines(room.cap)
    requests, tokens = room.requests, _tighter(room.input_tokens, room.output_tokens)
    lines = b"" if requests is None else _OPENAI_REQUESTS % (requests.limit, requests.remaining, _reset(requests))
    return lines if tokens is None else lines + _OPENAI_TOKENS % (tokens.limit, tokens.remaining, _reset(tokens))


def _tighter(one: RateRoom | None, other: RateRoom | None) -> RateRoom | None:
    """OpenAI's headers know one kind of tokens: the one of which the lesser part is left."""
    if one is None or other is None:
        return one or other
    return other if other.remaining * one.limit < one.remaining * other.limit else one


def _cap_lines(cap: CapRoom) -> bytes:
    """Under the names by which Claude Code knows what a company lets its people spend."""
    reached = cap.spent >= cap.cap
    used = cap.spent / cap.cap if cap.cap else 1.0
    passed = next((text for part, text in _THRESHOLDS if used >= part), None)
    status = b"rejected" if reached else b"allowed_warning" if passed else b"allowed"
    reset = int(cap.resets_at.timestamp())
    # The part is rounded down, so that a cap that is not reached never looks as if it were.
    lines = _CAP % (status, reset, status, reset, int(used * 100) / 100)
    return lines + _PASSED % (b"1.0" if reached else passed) if passed else lines


@lru_cache(maxsize=256)
def _instant(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def _reset(left: RateRoom) -> bytes:
    seconds = left.resets_in
    return b"%dms" % int(seconds * 1000) if seconds < 1 else _duration(ceil(seconds * 10))


@lru_cache(maxsize=1024)
def _duration(tenths: int) -> bytes:
    """As OpenAI writes it: `59.5s`, `1m0.5s`."""
    minutes, left = divmod(tenths, 600)
    return b"%dm%.3gs" % (minutes, left / 10) if minutes else b"%.3gs" % (left / 10)
