"""What goes back to the caller: frames of bytes, each with the effort that it stands for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sluicegate.adapters.demo.faults import Fault
from sluicegate.ports.upstream import RawHeaders

_encode = msgspec.json.Encoder().encode

_JSON: RawHeaders = [(b"content-type", b"application/json")]
_STREAM: RawHeaders = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes that leave together. `tokens` is how much generated content they carry, so that a pace can be kept."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. One that is not a stream has exactly one frame; Gemini streams as JSON, too."""

    status: int
    headers: RawHeaders
    frames: tuple[Frame, ...]
    streamed: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(frame.data for frame in self.frames)


def whole(value: Mapping[str, Any], *, status: int = 200, tokens: int = 0, extra: RawHeaders | None = None) -> Answer:
    """A JSON body."""
    body = _encode(value)
    headers = [*_JSON, *(extra or []), (b"content-length", str(len(body)).encode())]
    return Answer(status, headers, (Frame(body, tokens),))


def stream(frames: list[Frame], *, extra: RawHeaders | None = None) -> Answer:
    """Server-sent events."""
    return Answer(200, [*_STREAM, *(extra or [])], tuple(frames), streamed=True)


def listed(pieces: Sequence[tuple[Mapping[str, Any], int]]) -> Answer:
    """A stream that Gemini was not asked to send as events: one JSON list, piece by piece."""
    marks = [b"["] + [b",\r\n"] * (len(pieces) - 1)
    frames = [Frame(mark + _encode(value), weight) for mark, (value, weight) in zip(marks, pieces, strict=True)]
    return Answer(200, _JSON, (*frames, Frame(b"]")), streamed=True)


def named_event(kind: str, tokens: int = 0, /, **fields: Any) -> Frame:
    """An event whose name is repeated as the `type` of its data, as Messages and Responses have it."""
    return Frame(b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode({"type": kind, **fields})), tokens)


def data_event(value: Mapping[str, Any], tokens: int = 0) -> Frame:
    """An event without a name, as Chat Completions has it."""
    return Frame(b"data: %s\n\n" % _encode(value), tokens)


DONE = Frame(b"data: [DONE]\n\n")


def new_id(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(12)}"


def effort(piece: str) -> int:
    """Roughly the tokens in one delta; never zero, so that content can be told from framing."""
    return max(1, len(piece) // 4)


_OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
_OPENAI_TYPES = {402: "insufficient_quota", 429: "requests"}
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def openai_refusal(fault: Fault) -> Answer:
    kind = _OPENAI_TYPES.get(fault.status, "server_error" if fault.status >= 500 else "invalid_request_error")
    code = fault.code or _OPENAI_CODES.get(fault.status)
    error = {"message": fault.message, "type": kind, "param": fault.param, "code": code}
    return whole({"error": error}, status=fault.status, extra=request_id("x-request-id"))


def anthropic_refusal(fault: Fault) -> Answer:
    kind = _ANTHROPIC_TYPES.get(fault.status, "api_error" if fault.status >= 500 else "invalid_request_error")
    headers = request_id("request-id")
    body = {"type": "error", "error": {"type": kind, "message": fault.message}, "request_id": headers[0][1].decode()}
    return whole(body, status=fault.status, extra=headers)


def gemini_refusal(fault: Fault) -> Answer:
    status = _GEMINI_STATUSES.get(fault.status, "INTERNAL" if fault.status >= 500 else "INVALID_ARGUMENT")
    return whole({"error": {"code": fault.status, "message": fault.message, "status": status}}, status=fault.status)


def request_id(header: str) -> RawHeaders:
    return [(header.encode(), new_id("req_").encode())]
