"""Refusals in the caller's dialect.

Clients decide by the type field as much as by the status whether they try again: opencode repeats anything called
`server_error`, the Anthropic SDK sleeps for whatever `retry-after` says, Codex gives up on a 429 without one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.policy import Dimension
from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.dialects.limits import limit_lines
from sluicegate.kit.money import format_usd
from sluicegate.policy.refusals import LimitFacts, Refusal
from sluicegate.ports.upstream import RawHeaders

_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_NO_RETRY = (b"x-should-retry", b"false")
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_RPC = "type.googleapis.com/google.rpc."
_GEMINI_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    431: "INVALID_ARGUMENT",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TOKENS = (Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS)


def render(refusal: Refusal, dialect: Dialect, request_id: str, now: datetime) -> Reply:
    """The whole answer to a refused request."""
    body: dict[str, Any] = {"error": error_object(refusal, dialect)}
    if dialect is Dialect.ANTHROPIC:
        body = {"type": "error", **body, "request_id": request_id}
    room = refusal.room
    lines = b"" if room is None else limit_lines(room, dialect, now.timestamp())
    return Reply(refusal.status, [_JSON, *_headers(refusal)], _encode(body), lines)


def error_object(refusal: Refusal, dialect: Dialect) -> dict[str, Any]:
    """The inner object that all protocols call `error`."""
    if dialect is Dialect.GEMINI:
        return _gemini_error(refusal)
    if dialect is Dialect.ANTHROPIC:
        error: dict[str, Any] = {
            "type": _anthropic_type(refusal),
            "message": refusal.message,
            "code": refusal.code,
        }
    else:
        error = {
            "message": refusal.message,
            "type": _openai_type(refusal),
            "param": refusal.field,
            "code": refusal.code,
        }
    if refusal.facts is not None:
        error["details"] = _details(refusal.facts)
    return error


def code_of(error: dict[str, Any]) -> str | None:
    """Our code in an object made by `error_object`."""
    code = error.get("code")
    return error["details"][0]["reason"] if isinstance(code, int) else code


def _gemini_error(refusal: Refusal) -> dict[str, Any]:
    """A `google.rpc.Status`: our code is the reason, and a wait stands in the body, where Google's programs look."""
    known: dict[str, Any] = _details(refusal.facts) if refusal.facts is not None else {}
    known |= {**known.pop("source", {}), "field": refusal.field}
    facts = {name: str(value) for name, value in known.items() if value is not None}
    info = {"@type": f"{_RPC}ErrorInfo", "reason": refusal.code, "domain": "sluicegate", "metadata": facts}
    details = [info]
    if _waits(refusal):
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{refusal.retry_after}s"})
    return {
        "code": refusal.status,
        "message": refusal.message,
        "status": _GEMINI_STATUSES.get(refusal.status, "UNKNOWN"),
        "details": details,
    }


def _anthropic_type(refusal: Refusal) -> str:
    if refusal.code == "budget_exceeded":
        return "billing_error"
    fallback = "api_error" if refusal.status >= 500 else "invalid_request_error"
    return _ANTHROPIC_TYPES.get(refusal.status, fallback)


def _openai_type(refusal: Refusal) -> str:
    if refusal.code == "budget_exceeded":
        return "insufficient_quota"
    if refusal.status == 429:
        return "tokens" if refusal.facts and refusal.facts.dimension in _TOKENS else "requests"
    return "server_error" if refusal.status >= 500 else "invalid_request_error"


def _details(facts: LimitFacts) -> dict[str, Any]:
    details: dict[str, Any] = {"source": {"kind": facts.source.subject.kind.value, "name": facts.source.name}}
    if facts.dimension is not None:
        details |= {"dimension": facts.dimension.value, "limit": facts.limit, "used": facts.used}
    if facts.window is not None:
        details |= {
            "window": facts.window.value,
            "limit_usd": format_usd(facts.limit),
            "used_usd": format_usd(facts.used),
        }
    details["resets_at"] = None if facts.free_at is None else _instant(facts.free_at)
    return details


def _waits(refusal: Refusal) -> bool:
    return refusal.code != "budget_exceeded" and refusal.retry_after is not None


def _headers(refusal: Refusal) -> RawHeaders:
    headers: RawHeaders = []
    if _waits(refusal):
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    elif refusal.status in (401, 402, 429) or refusal.code == "budget_exceeded":
        # Without it some programs would sleep until the month ends, and others try for ever; Claude Code would try for
        # minutes before it asks to sign in anew.
        headers.append(_NO_RETRY)
    return headers


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
