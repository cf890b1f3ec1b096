"""What is left of a caller's own limits, as headers in the style of each dialect. They replace the provider's, which
speak of an account that all callers share."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from sluicegate.domain.catalog import Dialect
from sluicegate.ports.policy import CapRoom, RateRoom, Room
from sluicegate.ports.upstream import RawHeaders

# Claude Code warns its user at these parts of a cap.
_THRESHOLDS = ((0.95, b"0.95"), (0.75, b"0.75"))
_OPENAI_REQUESTS, _OPENAI_TOKENS = (
    tuple(b"x-ratelimit-%s-%s" % (what, kind) for what in (b"limit", b"remaining", b"reset"))
    for kind in (b"requests", b"tokens")
)
_ANTHROPIC = {
    kind: tuple(b"anthropic-ratelimit-%s-%s" % (kind, what) for what in (b"limit", b"remaining", b"reset"))
    for kind in (b"requests", b"input-tokens", b"output-tokens")
}


def limit_headers(room: Room, dialect: Dialect, now: float) -> RawHeaders:
    """`now` is in seconds since the epoch. Empty for a caller without limits."""
    headers: RawHeaders = []
    if dialect is Dialect.ANTHROPIC:
        for kind, left in (
            (b"requests", room.requests),
            (b"input-tokens", room.input_tokens),
            (b"output-tokens", room.output_tokens),
        ):
            if left is not None:
                _put(headers, _ANTHROPIC[kind], left, _instant(int(now + left.resets_in + 0.999)))
        if room.cap is not None:
            _put_cap(headers, room.cap)
        return headers
    requests, tokens = room.requests, _tighter(room.input_tokens, room.output_tokens)
    reset = b""
    if requests is not None:
        reset = _duration(requests.resets_in)
        _put(headers, _OPENAI_REQUESTS, requests, reset)
    if tokens is not None:
        if requests is None or tokens.resets_in != requests.resets_in:
            reset = _duration(tokens.resets_in)
        _put(headers, _OPENAI_TOKENS, tokens, reset)
    return headers


def _tighter(one: RateRoom | None, other: RateRoom | None) -> RateRoom | None:
    """OpenAI's headers know one kind of tokens: the one of which the lesser part is left."""
    if one is None or other is None:
        return one or other
    return other if other.remaining * one.limit < one.remaining * other.limit else one


def _put(headers: RawHeaders, names: tuple[bytes, ...], left: RateRoom, reset: bytes) -> None:
    limit, remaining, resets = names
    headers += ((limit, _digits(left.limit)), (remaining, b"%d" % left.remaining), (resets, reset))


# Limits are the same for many calls; what is left of them is not.
@lru_cache(maxsize=1024)
def _digits(number: int) -> bytes:
    return b"%d" % number


def _put_cap(headers: RawHeaders, cap: CapRoom) -> None:
    """Under the names by which Claude Code knows what a company lets its people spend."""
    reached = cap.spent >= cap.cap
    used = cap.spent / cap.cap if cap.cap else 1.0
    passed = next((text for part, text in _THRESHOLDS if used >= part), None)
    status = b"rejected" if reached else b"allowed_warning" if passed else b"allowed"
    reset = b"%d" % int(cap.resets_at.timestamp())
    headers += (
        (b"anthropic-ratelimit-unified-status", status),
        (b"anthropic-ratelimit-unified-reset", reset),
        (b"anthropic-ratelimit-unified-representative-claim", b"overage"),
        (b"anthropic-ratelimit-unified-overage-status", status),
        (b"anthropic-ratelimit-unified-overage-reset", reset),
        # Rounded down, so that a cap that is not reached never looks as if it were.
        (b"anthropic-ratelimit-unified-overage-utilization", b"%.2f" % (int(used * 100) / 100)),
    )
    if passed:
        headers.append((b"anthropic-ratelimit-unified-overage-surpassed-threshold", b"1.0" if reached else passed))


@lru_cache(maxsize=256)
def _instant(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def _duration(seconds: float) -> bytes:
    """As OpenAI writes it: `250ms`, `59.5s`, `1m0.5s`."""
    if seconds < 1:
        return b"%dms" % int(seconds * 1000)
    if seconds < 60:
        return b"%.3gs" % seconds
    return b"%dm%.3gs" % (seconds // 60, seconds % 60)
