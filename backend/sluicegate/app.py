"""The one ASGI callable: gateway calls go straight to the gateway, everything else to the web application."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from sluicegate.container import Container
from sluicegate.gateway.asgi import FAULT
from sluicegate.kit.first_use import OnFirstUse
from sluicegate.ports.policy import CountedApart, CountersUnavailable
from sluicegate.web.health import Health
from sluicegate.web.plain import METRICS, App, Receive, Send, answer, refused

if TYPE_CHECKING:
    from sluicegate.services.bundle import Services
    from sluicegate.web.graphql import Execute

_log = structlog.get_logger(__name__)
CONSOLE = Path(__file__).parent / "console" / "dist"


class Dispatcher:
    """Keeps the hot path clear of routing, dependency injection and middleware."""

    def __init__(self, container: Container, metrics: OnFirstUse[App], web: OnFirstUse[App]) -> None:
        self.live = container.live
        self._container = container
        self._gateway = container.gateway
        self._health = Health(container.ready)
        self._metrics = metrics
        self._web = web

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._gateway.serves(scope):
            await self._gateway(scope, receive, send)
        elif FAULT in scope.get("extensions", ()):
            await answer(send, *refused(scope["extensions"][FAULT]))
        elif self._health.serves(scope):
            await self._health(scope, receive, send)
        else:
            scraped = scope["path"] == METRICS and scope["method"] == "GET"
            app = await (self._metrics() if scraped else self._web())
            await app(scope, receive, send)

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


def _web(container: Container) -> App:
    """FastAPI, and all that people and scripts do beside calls: a tenth of a server's memory."""
    from sluicegate.web.app import create_web_app

    services = container.services
    graphql = OnFirstUse(lambda: _graphql(services))

    async def execute(*asked: Any) -> dict[str, Any]:
        return await (await graphql())(*asked)

    return create_web_app(
        services,
        execute,
        live=container.live,
        public_url=container.url,
        console=CONSOLE,
    )


def _graphql(services: Services) -> Execute:
    """As much again."""
    from sluicegate.graphql.execute import executor
    from sluicegate.graphql.schema import build_schema

    return executor(build_schema(), services)


def _metrics(container: Container) -> App:
    from sluicegate.web.metrics import create_metrics_app

    return create_metrics_app(container.samples, container.auth, container.url)


def create_app(container: Container) -> Dispatcher:
    """The whole server over one container, which it starts and stops with itself. What calls do not need is loaded with
    the first request that does."""
    return Dispatcher(container, OnFirstUse(lambda: _metrics(container)), OnFirstUse(lambda: _web(container)))
