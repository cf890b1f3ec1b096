"""What Prometheus scrapes: an application of its own, so that servers that are watched need not load all of the web."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.web.callers import by_https, known_caller
from sluicegate.web.faults import answer_faults
from sluicegate.web.plain import METRICS

# Version 0.0.4 of the text format, which every scraper takes.
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_metrics_app(
    samples: Callable[[Caller], Awaitable[bytes]], auth: AuthService, public_url: Callable[[], str]
) -> Starlette:
    """`samples` decides who may see them."""
    known = known_caller(auth, by_https(public_url))

    async def metrics(request: Request) -> Response:
        content = await samples(await known(request))
        return Response(content, headers={"content-type": _CONTENT_TYPE, "cache-control": "no-store"})

    app = Starlette(routes=[Route(METRICS, metrics)])
    answer_faults(app)
    return app
