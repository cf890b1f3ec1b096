"""The web application: everything that is neither a gateway call nor what machines ask a server about itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from sluicegate.services.bundle import Services
from sluicegate.services.live import LiveService
from sluicegate.web.auth import auth_routes
from sluicegate.web.callers import by_https, known_caller
from sluicegate.web.console import Console
from sluicegate.web.device import device_routes
from sluicegate.web.exports import export_routes
from sluicegate.web.faults import answer_faults
from sluicegate.web.graphql import Execute, graphql_routes
from sluicegate.web.live import live_routes
from sluicegate.web.overview_exports import overview_export_routes
from sluicegate.web.scim.routes import scim_routes
from sluicegate.web.sso import sso_routes
from sluicegate.web.usage_exports import usage_export_routes


def create_web_app(
    services: Services,
    execute: Execute,
    *,
    live: LiveService,
    public_url: Callable[[], str],
    console: Path,
) -> FastAPI:
    """`execute` runs GraphQL, `public_url` tells whether cookies may ask for https, and `console` holds the built
    files."""
    is_secure = by_https(public_url)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    answer_faults(app)
    app.include_router(auth_routes(services.auth, services.recovery, is_secure))
    app.include_router(sso_routes(services.sso_sign_in, is_secure))
    app.include_router(device_routes(services.device_sign_in))
    app.include_router(graphql_routes(services.auth, execute, is_secure))
    known = known_caller(services.auth, is_secure)
    app.include_router(export_routes(services.audit, services.users, known))
    app.include_router(usage_export_routes(services.usage, known))
    app.include_router(overview_export_routes(services.overview, services.overrides, known))
    app.include_router(live_routes(live, known))
    app.include_router(scim_routes(services.scim_tokens, services.scim_people, services.scim_groups))
    app.mount("/", Console(console))
    return app
