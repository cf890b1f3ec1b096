"""The one ASGI callable: gateway calls go straight to the gateway, everything else to the web application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sluicegate.container import Container
from sluicegate.gateway.app import GatewayApp

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Dispatcher:
    """Keeps the hot path clear of routing, dependency injection and middleware."""

    def __init__(self, container: Container, gateway: GatewayApp, web: App) -> None:
        self._container = container
        self._gateway = gateway
        self._web = web

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
        elif self._gateway.serves(scope):
            await self._gateway(scope, receive, send)
        elif kind == "http":
            await self._web(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._container.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._container.stop()
        await send({"type": "lifespan.shutdown.complete"})
