"""What Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sluicegate.services.caller import Caller

# Version 0.0.4 of the text format, which every scraper takes.
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_routes(
    samples: Callable[[Caller], Awaitable[bytes]], known: Callable[[Request], Awaitable[Caller]]
) -> APIRouter:
    """`samples` decides who may see them."""
    router = APIRouter()

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        content = await samples(await known(request))
        return Response(content, headers={"content-type": _CONTENT_TYPE, "cache-control": "no-store"})

    return router
