"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

# Without them calls are still decided, by the last known policy or by shares of the limits, and written down: no
# reason to send them elsewhere.
_SPARED = frozenset({"database", "redis"})
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
        missing = {name for name, there in checks.items() if not there}
        status = "failing" if missing - _SPARED else "degraded" if missing else "ok"
        return JSONResponse({"status": status, "checks": checks}, 503 if status == "failing" else 200, _FRESH)

    return router
