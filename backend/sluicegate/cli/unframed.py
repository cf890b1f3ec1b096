"""Answers to callers that speak HTTP/1.0, which knows no chunks."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from sluicegate.gateway.direct import App

_LENGTH = b"content-length"


def unframed(app: App, cycle: RequestResponseCycle) -> App:
    """The application, whose answers end with the connection where no length tells their end (RFC 9112, section 6.3).
    `cycle` is what answers, and ends the connection anyhow."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        endless = False

        async def sending(message: Any) -> None:
            nonlocal endless
            if message["type"] == "http.response.start":
                endless = all(name.lower() != _LENGTH for name, _ in message.get("headers", ()))
                if endless:
                    cycle.chunked_encoding = False
            elif endless:
                # Each part is as long as was to be expected.
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, sending)

    return answering
