"""The least a Python gateway could do: hand every request on and its answer back, on the product's own stack.

What the product costs is told as a multiple of this, because ratios within one run hold on any machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.ports.upstream import Origin, Timeouts, UpstreamRequest

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_HOP_BY_HOP = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"accept-encoding"})
_TIMEOUTS = Timeouts()


class Passthrough:
    def __init__(self, port: int) -> None:
        self._origin = Origin("http", "127.0.0.1", port)
        self._upstream = Http11Upstream(allow_private=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body: bytes = message["body"]
        if message["more_body"]:
            parts = [body]
            while message["more_body"]:
                message = await receive()
                parts.append(message["body"])
            body = b"".join(parts)
        headers = [header for header in scope["headers"] if header[0] not in _HOP_BY_HOP]
        response = await self._upstream.send(
            UpstreamRequest(self._origin, scope["method"], scope["path"], headers, body, _TIMEOUTS)
        )
        try:
            kept = [header for header in response.headers if header[0] != b"transfer-encoding"]
            await send({"type": "http.response.start", "status": response.status, "headers": kept})
            whole = response.buffered()
            if whole is not None:
                await send({"type": "http.response.body", "body": whole})
                return
            while part := await response.read():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream-port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        Passthrough(options.upstream_port),
        port=options.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
