"""A provider's error in the words of another protocol, with its status kept."""

from __future__ import annotations

from typing import Any

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.reading import loaded
from sluicegate.gateway.translate.form import Failed, Object

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_ANTHROPIC_TYPE = {status: kind for kind, status in _STATUS_OF_TYPE.items() if kind.endswith("_error")} | {
    413: "request_too_large"
}
_TOO_LONG_CODE = "context_length_exceeded"
# By these words clients of Anthropic's tell that they have to shorten the conversation.
_TOO_LONG_WORDS = "prompt is too long"


def read_error(body: bytes, status: int) -> Failed:
    """What an error answer of either shape says; never more than a page of it."""
    value: Any = loaded(body)
    inner: Any = value.get("error") if isinstance(value, dict) else None
    if isinstance(inner, str):
        return _failed(status, inner, None)
    if not isinstance(inner, dict):
        inner = value if isinstance(value, dict) else {}
    return error_of(inner, status)


def error_of(error: Object, status: int | None = None) -> Failed:
    """An error object as it stands inside an answer or an event; its type tells the status where none is given."""
    kind, code, message = error.get("type"), error.get("code"), error.get("message")
    if status is None:
        known = [_STATUS_OF_TYPE[name] for name in (kind, code) if isinstance(name, str) and name in _STATUS_OF_TYPE]
        status = known[0] if known else _status_in(code) or 502
    text = message if isinstance(message, str) and message else f"The model's provider answered with status {status}."
    return _failed(status, text, code if isinstance(code, str) else None)


def _status_in(code: object) -> int | None:
    """Azure and others give an HTTP status as the code, as text or as a number."""
    text = str(code)
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() and text[0] in "45" else None


def _failed(status: int, message: str, code: str | None) -> Failed:
    if code is None and _TOO_LONG_WORDS in message.lower():
        code = _TOO_LONG_CODE
    return Failed(status, message[:4_000], code)


def error_object(failed: Failed, dialect: Dialect) -> Object:
    """The inner object that both protocols call `error`."""
    if dialect is Dialect.ANTHROPIC:
        message = failed.message
        if failed.code == _TOO_LONG_CODE and _TOO_LONG_WORDS not in message.lower():
            message = f"{_TOO_LONG_WORDS}: {message}"
        return {"type": anthropic_type(failed.status), "message": message}
    return {"message": failed.message, "type": openai_type(failed.status), "param": None, "code": failed.code}


def anthropic_type(status: int) -> str:
    return _ANTHROPIC_TYPE.get(status, "api_error" if status >= 500 else "invalid_request_error")


def openai_type(status: int) -> str:
    if status == 429:
        return "rate_limit_exceeded"
    return "server_error" if status >= 500 else "invalid_request_error"
