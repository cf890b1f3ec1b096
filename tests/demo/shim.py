"""Puts an `Upstream` on a socket, so that clients which only speak HTTP can be pointed at it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from sluicegate.ports.upstream import Origin, Timeouts, Upstream, UpstreamRequest


@asynccontextmanager
async def served(upstream: Upstream) -> AsyncIterator[str]:
    """The address at which `upstream` answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        origin = Origin("http", "demo.invalid", 80)
        response = await upstream.send(
            UpstreamRequest(origin, scope["method"], target, list(scope["headers"]), body, Timeouts())
        )
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        while part := await response.read():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        await response.aclose()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        task = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task
