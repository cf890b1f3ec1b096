"""Answers of a server that has not loaded the web application: JSON, and nothing that takes a library."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from sluicegate.kit.errors import AppError, Later

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

METRICS = "/metrics"
FRESH = {"cache-control": "no-store"}


async def answer(send: Send, status: int, content: dict[str, Any], headers: Mapping[str, str] = FRESH) -> None:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    lines = {"content-length": str(len(body)), "content-type": "application/json", **headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def refused(error: AppError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, content and headers that tell an expected error as the console reads it."""
    content = {"error": {"code": error.code, "message": error.message, "field": error.field}}
    waits = {"retry-after": str(error.retry_after)} if isinstance(error, Later) else {}
    return error.status, content, FRESH | waits
