"""The web application: everything that is neither a gateway call nor a look at the server's health."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from sluicegate.kit.errors import AppError
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller
from sluicegate.services.live import LiveService
from sluicegate.web.auth import auth_routes
from sluicegate.web.console import Console
from sluicegate.web.exports import export_routes, known_caller
from sluicegate.web.graphql import Execute, graphql_routes
from sluicegate.web.headers import SecurityHeaders
from sluicegate.web.live import live_routes
from sluicegate.web.metrics import metrics_routes
from sluicegate.web.overview_exports import overview_export_routes
from sluicegate.web.requests import refusal
from sluicegate.web.usage_exports import usage_export_routes

log = structlog.get_logger(__name__)


def create_web_app(
    services: Services,
    execute: Execute,
    *,
    live: LiveService,
    public_url: Callable[[], str],
    samples: Callable[[Caller], Awaitable[bytes]],
    console: Path,
) -> FastAPI:
    """`execute` runs GraphQL, `public_url` tells whether cookies may ask for https, `samples` are for Prometheus, and
    `console` holds the built files."""

    def is_secure() -> bool:
        return public_url().startswith("https://")

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(AppError, _refuse)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fail)
    app.include_router(auth_routes(services.auth, services.recovery, is_secure))
    app.include_router(graphql_routes(services.auth, execute, is_secure))
    known = known_caller(services.auth, is_secure)
    app.include_router(export_routes(services.audit, services.users, known))
    app.include_router(usage_export_routes(services.usage, known))
    app.include_router(overview_export_routes(services.overview, services.overrides, known))
    app.include_router(live_routes(live, known))
    app.include_router(metrics_routes(samples, known))
    app.mount("/", Console(console))
    return app


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101 registered for nothing else
    return refusal(error)


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody is there to read it.
    return Response(status_code=400)


async def _fail(_request: Request, error: Exception) -> JSONResponse:
    log.error("web.failed", exc_info=error)
    content = {"error": {"code": "internal", "message": "Something went wrong here.", "field": None}}
    return JSONResponse(content, 500)
