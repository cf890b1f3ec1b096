"""The one ASGI callable: gateway calls go straight to the gateway, everything else to the web application."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from sluicegate.container import Container
from sluicegate.gateway.asgi import FAULT
from sluicegate.ports.policy import CountedApart, CountersUnavailable
from sluicegate.services.bundle import Services
from sluicegate.web.app import create_web_app
from sluicegate.web.graphql import Execute
from sluicegate.web.requests import refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = structlog.get_logger(__name__)
# A tenth of what is usual, in seconds: how long a thread may keep the interpreter from the loop.
_SWITCH_SECONDS = 0.0005
CONSOLE = Path(__file__).parent / "console" / "dist"


class Dispatcher:
    """Keeps the hot path clear of routing, dependency injection and middleware."""

    def __init__(self, container: Container, web: App) -> None:
        self.live = container.live
        self._container = container
        self._gateway = container.gateway
        self._web = web

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
        elif self._gateway.serves(scope):
            await self._gateway(scope, receive, send)
        elif kind == "http" and FAULT in scope.get("extensions", ()):
            await refusal(scope["extensions"][FAULT])(scope, receive, send)
        elif kind == "http":
            await self._web(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._container.start()
        except (CountedApart, CountersUnavailable) as error:
            _log.error("server.not_started", error=str(error))
            await send({"type": "lifespan.startup.failed"})
            return
        except Exception as error:
            _log.exception("server.not_started", error=str(error))
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.live.close()
        await self._container.stop()
        await send({"type": "lifespan.shutdown.complete"})


class OnFirstQuery:
    """Runs GraphQL, which is loaded when it is first asked something. It is an eighth of a server's memory, and one
    that carries calls alone never needs it. Loading takes a second, in which calls go on."""

    def __init__(self, load: Callable[[], Execute]) -> None:
        self._load = load
        self._loading: asyncio.Task[Execute] | None = None

    async def __call__(self, *asked: Any) -> dict[str, Any]:
        loading = self._loading
        if loading is None or (loading.done() and loading.exception() is not None):
            loading = self._loading = asyncio.create_task(asyncio.to_thread(_aside, self._load))
        # Whoever leaves meanwhile leaves it to those who come after.
        execute = await asyncio.shield(loading)
        return await execute(*asked)


def _aside(load: Callable[[], Execute]) -> Execute:
    """Loads beside a loop that carries calls. The collector would hold it up, and would find nothing in modules."""
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.disable()
    try:
        return load()
    finally:
        if gc.get_freeze_count():
            # As at the end of the start.
            gc.freeze()
        if collects:
            gc.enable()
        sys.setswitchinterval(usual)


def _graphql(services: Services) -> Execute:
    from sluicegate.graphql.execute import executor
    from sluicegate.graphql.schema import build_schema

    return executor(build_schema(), services)


def create_app(container: Container) -> Dispatcher:
    """The whole server over one container, which it starts and stops with itself."""
    services = container.services
    # Lives with those who watch, and reads what calls go by: nothing that a command would need.
    web = create_web_app(
        services,
        OnFirstQuery(lambda: _graphql(services)),
        live=container.live,
        public_url=container.url,
        ready=container.ready,
        samples=container.samples,
        console=CONSOLE,
    )
    return Dispatcher(container, web)
