"""Refusals in the caller's own protocol, because clients decide by type and status whether to go on.

Shapes and the reaction of each client: OpenAI `{"error":{message,type,param,code}}`, Anthropic
`{"type":"error","error":{type,message},"request_id"}`. Our stable code and the figures stand in both.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.policy import Dimension
from sluicegate.gateway.http import JSON_TYPE, RawHeaders
from sluicegate.kit.money import format_usd
from sluicegate.policy.refusals import LimitFacts, Refusal

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
_OPENAI_BUCKETS = {
    Dimension.REQUESTS: "requests",
    Dimension.CONCURRENT_REQUESTS: "requests",
    Dimension.INPUT_TOKENS: "tokens",
    Dimension.OUTPUT_TOKENS: "tokens",
}
_ANTHROPIC_BUCKETS = {
    Dimension.REQUESTS: "requests",
    Dimension.CONCURRENT_REQUESTS: "requests",
    Dimension.INPUT_TOKENS: "input-tokens",
    Dimension.OUTPUT_TOKENS: "output-tokens",
}


def anthropic_type(refusal: Refusal) -> str:
    if refusal.code == "budget_exceeded":
        return "billing_error"
    return _ANTHROPIC_TYPES.get(refusal.status, "api_error" if refusal.status >= 500 else "invalid_request_error")


def openai_type(refusal: Refusal) -> str:
    if refusal.code == "budget_exceeded":
        return "insufficient_quota"
    if refusal.facts is not None and refusal.facts.dimension is not None:
        return _OPENAI_BUCKETS[refusal.facts.dimension]
    # Some clients repeat any answer of this type, whatever its status.
    return "server_error" if refusal.status >= 500 else "invalid_request_error"


def details_of(facts: LimitFacts) -> dict[str, Any]:
    """The figures behind a refusal, for programs."""
    source = {"kind": facts.source.subject.kind.value, "name": facts.source.name}
    until = facts.free_at.isoformat().replace("+00:00", "Z") if facts.free_at else None
    if facts.dimension is not None:
        return {
            "dimension": facts.dimension.value,
            "limit": facts.limit,
            "used": facts.used,
            "set_by": source,
            "free_at": until,
        }
    return {
        "window": facts.window.value if facts.window else None,
        "cap_usd": format_usd(facts.limit),
        "spent_usd": format_usd(facts.used),
        "set_by": source,
        "resets_at": until,
    }


def error_value(refusal: Refusal, dialect: Dialect, request_id: str) -> dict[str, Any]:
    """The error as the dialect's JSON value."""
    details = {"details": details_of(refusal.facts)} if refusal.facts else {}
    if dialect is Dialect.ANTHROPIC:
        error = {"type": anthropic_type(refusal), "message": refusal.message, "code": refusal.code, **details}
        return {"type": "error", "error": error, "request_id": request_id}
    error = {
        "message": refusal.message,
        "type": openai_type(refusal),
        "param": refusal.field,
        "code": refusal.code,
        **details,
    }
    return {"error": error}


def error_event(refusal: Refusal, dialect: Dialect, request_id: str) -> bytes:
    """The error as an event inside a stream that has begun."""
    body = msgspec.json.encode(error_value(refusal, dialect, request_id))
    if dialect is Dialect.ANTHROPIC:
        return b"event: error\ndata: " + body + b"\n\n"
    return b"data: " + body + b"\n\n"


def error_answer(refusal: Refusal, dialect: Dialect, request_id: str) -> tuple[RawHeaders, bytes]:
    """Headers (without length) and body of a refusal."""
    headers = [JSON_TYPE, *id_headers(dialect, request_id), *_wait_headers(refusal)]
    return headers, msgspec.json.encode(error_value(refusal, dialect, request_id))


def id_headers(dialect: Dialect, request_id: str) -> RawHeaders:
    value = request_id.encode()
    if dialect is Dialect.ANTHROPIC:
        return [(b"request-id", value), (b"x-request-id", value)]
    return [(b"x-request-id", value)]


def _wait_headers(refusal: Refusal) -> RawHeaders:
    headers: RawHeaders = []
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    elif refusal.status in (402, 429) or refusal.code == "budget_exceeded":
        headers.append((b"x-should-retry", b"false"))
    facts = refusal.facts
    if facts is None or facts.dimension is None:
        return headers
    wait = refusal.retry_after or 0
    free_at = facts.free_at.replace(microsecond=0).isoformat().replace("+00:00", "Z") if facts.free_at else ""
    remaining = max(0, facts.limit - facts.used)
    for pattern, reset in (
        (f"x-ratelimit-{{}}-{_OPENAI_BUCKETS[facts.dimension]}", f"{wait}s"),
        (f"anthropic-ratelimit-{_ANTHROPIC_BUCKETS[facts.dimension]}-{{}}", free_at),
    ):
        for name, value in (("limit", facts.limit), ("remaining", remaining), ("reset", reset)):
            if value != "":
                headers.append((pattern.format(name).encode(), str(value).encode()))
    return headers
