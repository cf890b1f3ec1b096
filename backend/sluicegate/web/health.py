"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

_FRESH = {"cache-control": "no-store"}


def health_routes(ready: Callable[[], Awaitable[dict[str, bool]]]) -> APIRouter:
    """`ready` names each thing that the server needs, and whether it is there."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=_FRESH)

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        checks = await ready()
        good = all(checks.values())
        return JSONResponse({"status": "ok" if good else "failing", "checks": checks}, 200 if good else 503, _FRESH)

    return router
